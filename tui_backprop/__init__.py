"""backprop-tui: step through backpropagation in a terminal."""

__version__ = "0.1.0"
