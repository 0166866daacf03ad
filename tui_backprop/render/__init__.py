"""Pure drawing: numbers in, lines of text out. No widgets, no colors: a span names its role, and the
palette of whoever shows it says what that looks like."""
