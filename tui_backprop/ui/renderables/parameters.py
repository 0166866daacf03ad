"""The parameter count with the sum that makes it, and what is wrong with the form."""

from __future__ import annotations

from tui_backprop.engine.spec import NetworkSpec, SpecError
from tui_backprop.ui.renderables.spans import Line, line, wrap


def parameter_sum(spec: NetworkSpec, columns: int, rows: int) -> list[Line]:
    """A line for each layer (784×256 + 256 = 200,960) and their total; the middle of deep nets is folded."""
    terms = []
    for fan_in, fan_out, size in spec.parameter_sum():
        left = f"{fan_in:,}×{fan_out:,}" + (f" + {fan_out:,}" if spec.bias else "")
        terms.append((left, f"{size:,}"))
    total = f"{spec.parameters:,}"
    wide = max(len(total), *(len(right) for _, right in terms))
    room = max(rows - 2, 1)
    if len(terms) > room:
        kept = max(room - 1, 1)
        hidden = terms[kept:]
        terms = [*terms[:kept], (f"{len(hidden)} more layers", f"{sum(int(r.replace(',', '')) for _, r in hidden):,}")]
    left_wide = max(columns - wide - 1, 1)
    lines = [line((f"{left:<{left_wide}.{left_wide}} ", "muted"), (f"{right:>{wide}}", "text")) for left, right in terms]
    lines.append(line((" " * left_wide + " ", "faint"), ("─" * wide, "faint")))
    lines.append(line((f"{'parameters':<{left_wide}.{left_wide}} ", "text"), (f"{total:>{wide}}", "strong")))
    return lines


def complaint(error: SpecError, columns: int) -> list[Line]:
    """What is wrong with a field, and what would be right."""
    return wrap(f"{error.field}: {error.message}", columns, "bad")
