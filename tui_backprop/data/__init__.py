"""Data sets: handwritten digits and first names, shipped with the package, and toy data generated from the seed."""
