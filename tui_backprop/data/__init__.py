"""Data sets: handwritten digits, shipped with the package, and toys made from the seed."""
