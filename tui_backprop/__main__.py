"""``python -m tui_backprop`` is the same as the command ``backprop-tui``."""

import sys

FOLDER = __file__.rpartition("/")[0].rpartition("/")[0]
if not sys.flags.safe_path and sys.path[0] != FOLDER:  # Python put the current folder there
    del sys.path[0]

from tui_backprop.cli.main import main  # noqa: E402

if __name__ == "__main__":
    main()
