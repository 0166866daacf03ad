"""Memory is checked before it is taken, and refused with figures."""

from __future__ import annotations

from tui_backprop.engine.spec import NetworkSpec, SpecError

SMALL = 64 * 2**20  # a walk that needs less than this is not worth asking the system about memory


def check_memory(network: NetworkSpec, batch: int) -> None:
    """Raise SpecError, with both figures, if one walk does not fit into the memory that is free."""
    need = network.memory(batch)
    if need < SMALL:
        return
    import psutil  # 30 ms that most starts do not need

    free = psutil.virtual_memory().available
    if need > 0.8 * free:
        field = "layers" if network.memory(1) > 0.8 * free else "batch"
        raise SpecError(
            field,
            f"{network.parameters:,} parameters would take {size(need)} of memory,"
            f" {size(free)} is free; choose smaller {'layers' if field == 'layers' else 'batches'}",
        )


def size(count: float) -> str:
    """Bytes as people write them."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if count < 1000 or unit == "PB":
            return f"{count:,.3g} {unit}" if count < 1e5 else f"{count:,.0f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
