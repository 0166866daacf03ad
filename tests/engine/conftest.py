"""The calculus that results are held against, for these tests."""

from tests.calculus import calculus

__all__ = ["calculus"]
