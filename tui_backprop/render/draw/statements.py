"""Python statements in lines that can be copied: broken only where Python allows it."""

from __future__ import annotations

import re

INDENT = "    "  # of the lines that continue a statement
JOIN = " \\"  # at the end of a line that continues outside brackets
WORDS = re.compile(r'(?:"[^"]*"|[^"\s])+')
QUOTED = re.compile(r'"[^"]*"')


def statement_lines(text: str, columns: int) -> list[str]:
    """Break statements, separated by "; ", into lines of at most ``columns`` where words allow it. Run by Python,
    the lines do what the text does."""
    words = WORDS.findall(text)
    lines, row, depth, end = list[str](), "", 0, ""
    for i, word in enumerate(words):
        depth += _opened(word)
        after = "" if depth or word.endswith(";") or i == len(words) - 1 else JOIN  # to end the line here
        if row and len(row) + 1 + len(word) + len(after) > columns:
            lines.append(row + end)
            row = word if row.endswith(";") and not depth - _opened(word) else INDENT + word
        else:
            row = f"{row} {word}" if row else word
        end = after
    return [*lines, row] if row else lines


def command_lines(command: str, argument: str, columns: int) -> list[str]:
    """Break a command with one long argument without blanks into lines that a shell joins again."""
    if len(whole := f"{command} {argument}") <= columns:
        return [whole]
    each = max(columns - 1, 1)
    pieces = [argument[i : i + each] for i in range(0, len(argument), each)]
    return [f"{command} \\", *(f"{piece}\\" for piece in pieces[:-1]), *pieces[-1:]]


def _opened(word: str) -> int:
    """Return how many brackets a word opens more than it closes."""
    bare = QUOTED.sub("", word)
    return sum(map(bare.count, "([{")) - sum(map(bare.count, ")]}"))
