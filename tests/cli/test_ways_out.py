"""Text leaves the process in one place: nothing else prints, or writes to a stream."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tui_backprop

ROOT = Path(tui_backprop.__file__).parent
ALLOWED = {"cli/streams.py"}
FORBIDDEN = {
    "print", "click.echo", "click.secho", "os.write", "os.writev", "sys.displayhook", "sys.excepthook",
    "warnings.warn", "traceback.print_exc", "traceback.print_exception",
    *(
        f"sys.{stream}.{way}"
        for stream in ("stdout", "stderr", "__stdout__", "__stderr__")
        for way in ("write", "writelines", "buffer")
    ),
}  # fmt: skip


def ways_out(code: str) -> list[str]:
    """Return the expressions that write past the one way out."""
    names = [
        ast.unparse(node) for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Name, ast.Attribute))
    ]
    return [name for name in names if name in FORBIDDEN]


def test_nothing_else_writes_to_a_stream():
    found = {str(path.relative_to(ROOT)): ways_out(path.read_text()) for path in ROOT.rglob("*.py")}
    assert {path for path, ways in found.items() if ways} == ALLOWED


@pytest.mark.parametrize(
    "code",
    [
        "print(x)",
        "click.echo(x, err=True)",
        "sys.stderr.write(x)",
        "os.write(2, x)",
        "sys.stdout.buffer.write(x)",
    ],
)
def test_another_way_out_is_found(code):
    assert ways_out(f"def f(x):\n    {code}")
