"""The axes of arrays that have a meaning of their own. Any other axis counts what its name says: channel, unit."""

from __future__ import annotations

POSITION = "position"  # in the text of a sample; of attention, the one that looks
LOOKED_AT = "looked at"  # the position that attention looks at
TOKEN = "token"  # of the vocabulary
HEAD = "head"  # of attention
ROW, COLUMN = "row", "column"  # of an image
KERNEL_ROW, KERNEL_COLUMN = (
    "kernel row",
    "kernel column",
)  # no place in an image: the kernel is at every place
PICTURES = (ROW, COLUMN), (KERNEL_ROW, KERNEL_COLUMN)
CLASS, PIXEL = "class", "pixel"


def of_images(axes: tuple[str, ...]) -> bool:
    """Return True if an array consists of images or kernels: its last axes are rows and columns."""
    return axes[-2:] in PICTURES


def stepped(axes: tuple[str, ...]) -> str:
    """Return the axis whose next index a key selects: of images, the first one, which counts them; else that of the
    rows. "" without axes."""
    return "" if not axes else axes[0] if of_images(axes) else axes[-2:][0]
