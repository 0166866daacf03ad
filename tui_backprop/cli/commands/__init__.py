"""One module for each command: its options and its work, with the click command as ``command``.

``cli/main.py`` finds the modules by their names. ``--help`` imports all of them, so they import numpy, Textual and
whatever else is heavy only when the command runs.
"""
