"""Convolutional networks to begin with."""

from __future__ import annotations

FRONTEND = "conv"
