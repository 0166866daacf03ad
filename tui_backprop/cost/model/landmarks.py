"""Landmarks to compare with: times, well-known networks, and the figures of the lesson."""

from __future__ import annotations

from tui_backprop.support.units import DAY, HOUR, MINUTE, UNIVERSE, YEAR

LANDMARKS = (
    ("1 µs", 1e-6), ("1 ms", 1e-3), ("1 s", 1.0), ("1 min", MINUTE), ("1 hour", HOUR), ("1 day", DAY),
    ("1 year", YEAR), ("1.4e10 years", UNIVERSE),
)  # fmt: skip

# Well-known networks and their parameters, rounded except for the lesson's.
LESSON_SIZE = 335_114
KNOWN = (
    ("LeNet-5", 60_000), ("the lesson", LESSON_SIZE), ("AlexNet", 61_000_000), ("BERT-base", 110_000_000),
    ("GPT-2 XL", 1_500_000_000), ("GPT-3", 175_000_000_000),
)  # fmt: skip

# Figures of the lesson: a forward pass, one gradient by perturbing every weight, and training with it.
LESSON_FORWARD = 1e-3
LESSON_PASSES = 330_000
TRAINING_STEPS = 100_000
LESSON_STEP = 1e-4  # size of the perturbation
