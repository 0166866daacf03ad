"""Names of values: W2, dW2, z2, delta2; the only parser of them."""

from __future__ import annotations

SO_FAR = " so far"  # after the name of a sum of which not all terms are there


def cotangent_name(value: str) -> str:
    """How the field names dL/dvalue: delta for pre-activations, dW and db for parameters."""
    if value[0] == "L":  # a penalty hands it on unchanged
        return "dL"
    return "δ" + value[1:] if value[0] in "zu" else f"d{value}"


def kept_name(output: str) -> str:
    """How formulas name what an operation's forward rule leaves: p of a loss, v of a normalization."""
    return f"v{output[1:]}" if output[0] == "n" else "p"


def per_sample(name: str) -> bool:
    """Whether an array has a row for each sample: values and their derivatives do; parameters, their gradients
    and the loss do not."""
    return name.removeprefix("d")[0] not in "WbγβLλ"


def name_before(layer: int) -> str:
    """What comes into a layer."""
    return f"a{layer - 1}" if layer > 1 else "x"


def entry_name(tensor: str, index: tuple[int, ...]) -> str:
    """W2[13,200]"""
    return f"{tensor}[{','.join(map(str, index))}]"
