"""The beginning of the command ``backprop-tui``, and of ``python -m tui_backprop``."""

import sys

FOLDER = __file__.rpartition("/")[0].rpartition("/")[0]


def main() -> None:
    """Run the command line. Until everything is imported, ctrl+c ends the process without a word."""
    import _signal as signal  # the public module imports others, in which it could be interrupted

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as under nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui_backprop.cli.process import run

    run()


if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] != FOLDER:  # Python put the current folder there
        del sys.path[0]
    main()
