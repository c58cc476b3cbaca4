"""The difference between two texts, marked for people."""

import difflib
import re
from typing import NamedTuple

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MAX_TOKENS = 1500
"""Tokens of a text that are compared: the comparison takes quadratic time."""


class Part(NamedTuple):
    """A part of a text; ``is_changed`` marks what the other text does not have here."""

    text: str
    is_changed: bool


def mark_difference(before: str, after: str) -> tuple[list[Part], list[Part]]:
    """Return the parts of both texts. Of long texts only the beginning is compared, and the rest stands unmarked."""
    sides = [_TOKEN.findall(text) for text in (before, after)]
    left, right = (tokens[:_MAX_TOKENS] for tokens in sides)
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    marked: tuple[list[Part], list[Part]] = ([], [])
    for operation, a_start, a_end, b_start, b_end in matcher.get_opcodes():
        for parts, tokens in ((marked[0], left[a_start:a_end]), (marked[1], right[b_start:b_end])):
            if tokens:
                parts.append(Part("".join(tokens), operation != "equal"))
    for parts, tokens in zip(marked, sides, strict=True):
        if rest := "".join(tokens[_MAX_TOKENS:]):
            parts.append(Part(rest, is_changed=False))
    return marked
