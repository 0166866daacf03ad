"""The axes of arrays that have a meaning of their own. Any other axis counts what its name says: channel, unit."""

from __future__ import annotations

POSITION = "position"  # in the text of a sample; of attention, the one that looks
LOOKED_AT = "looked at"  # the position that attention looks at
TOKEN = "token"  # of the vocabulary
HEAD = "head"  # of attention
