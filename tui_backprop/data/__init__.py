"""Data sets: handwritten digits, shipped with the package, and toy data generated from the seed."""
