"""Folders in which somebody else left modules of the names that programs import."""

from __future__ import annotations

import sys
from importlib.metadata import packages_distributions


def plant(folder, mark):
    """Plant a shadow of every module of Python and of all packages; each leaves a line in the file ``mark`` if it
    runs."""
    folder.mkdir(parents=True, exist_ok=True)
    code = f"open({str(mark)!r}, 'a').write(__file__ + '\\n')\nraise ImportError('planted')\n"
    for name in {*sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize"}:
        if name.isidentifier():
            (folder / f"{name}.py").write_text(code)
