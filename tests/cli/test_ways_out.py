"""Text leaves the process in one place, and files are written in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tui_backprop

ROOT = Path(tui_backprop.__file__).parent
ALLOWED = {
    "cli/streams.py",
    "record/kept.py",  # warns whoever calls it: it is a library in their process
}
FORBIDDEN = {
    "print", "click.echo", "click.secho", "os.write", "os.writev", "sys.displayhook", "sys.excepthook",
    "warnings.warn", "traceback.print_exc", "traceback.print_exception",
    *(
        f"sys.{stream}.{way}"
        for stream in ("stdout", "stderr", "__stdout__", "__stderr__")
        for way in ("write", "writelines", "buffer")
    ),
}  # fmt: skip


WRITTEN = {  # modules that write files, with the reason
    "support/atomic_write.py",  # the way for all files
    "cost/race/worker.py",  # /dev/null
    "files/npz.py",  # the members of an archive
}
ENDS = {"SystemExit", "exit", "_exit"}  # calls that end the process with a code
WRITES = {"write_text", "write_bytes", "touch", "mkstemp", "NamedTemporaryFile", "O_CREAT", "O_APPEND"}


def files_written(code: str) -> list[str]:
    """Return the expressions that write a file."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr in WRITES:
            found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "open":
            modes = [each.value for each in (*node.args, *(given.value for given in node.keywords))
                     if isinstance(each, ast.Constant) and isinstance(each.value, str)]  # fmt: skip
            found += [mode for mode in modes if len(mode) < 4 and set(mode) & set("wax+")]
    return found


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


def test_files_are_written_in_one_way():
    found = {str(path.relative_to(ROOT)): files_written(path.read_text()) for path in ROOT.rglob("*.py")}
    assert {path for path, ways in found.items() if ways} <= WRITTEN
    assert found["support/atomic_write.py"]


@pytest.mark.parametrize(
    "code",
    ["open(p, 'w')", "p.open(mode='ab')", "p.write_text('')", "os.open(p, os.O_CREAT)", "tempfile.mkstemp()"],
)
def test_another_way_to_write_a_file_is_found(code):
    assert files_written(code)


def bare_exits(code: str) -> list[str]:
    """Return the expressions that end the process with a bare number instead of a named exit code."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    ends = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in ENDS]
    return [
        ast.unparse(call)
        for call in ends
        for node in (*call.args, *(given.value for given in call.keywords))
        if any(isinstance(part, ast.Constant) and isinstance(part.value, int) for part in ast.walk(node))
    ]


def test_every_exit_code_has_a_name():
    assert {path: bare for path in ROOT.rglob("*.py") if (bare := bare_exits(path.read_text()))} == {}


@pytest.mark.parametrize(
    "code",
    ["raise SystemExit(0 if passed else 1)", "sys.exit(2)", "os._exit(128 + n)", "app.exit(return_code=70)"],
)
def test_a_bare_exit_code_is_found(code):
    assert bare_exits(code)
