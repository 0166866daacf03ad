"""``python -m tui_backprop`` is the same as the command ``backprop-tui``."""

from tui_backprop.cli.main import main

if __name__ == "__main__":
    main()
