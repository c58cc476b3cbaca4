"""Path templates of a document, such as ``/things/{id}``, matched to the segments of a requested path.

A segment is compared decoded: ``%2F`` is a slash inside of its segment, and ``%74`` is the letter that it stands for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, unquote_to_bytes

PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")
"""A parameter in a path template."""
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class MalformedPathError(ValueError):
    """A path whose escapes are incomplete, or whose bytes are not UTF-8."""


@dataclass(frozen=True)
class SegmentTemplate:
    """One segment of a template: its literal parts, and the names of the parameters between them."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_literal(self) -> bool:
        """True if the segment has no parameter."""
        return not self.names

    def match(self, segment: str) -> dict[str, str] | None:
        """Return the parameters in a decoded segment, None if it does not match; each has a character at least.

        A parameter ends at the first occurrence of the literal after it, so that time is linear.
        """
        first, last = self.literals[0], self.literals[-1]
        if self.is_literal:
            return {} if segment == first else None
        if not first and not last and len(self.names) == 1:
            return {self.names[0]: segment} if segment else None
        if not segment.startswith(first) or not segment.endswith(last):
            return None
        rest, found = segment[len(first) : len(segment) - len(last)], {}
        for name, literal in zip(self.names, self.literals[1:-1], strict=False):
            at = rest.find(literal, 1)
            if at < 1:
                return None
            found[name], rest = rest[:at], rest[at + len(literal) :]
        return {**found, self.names[-1]: rest} if rest and len(first) + len(last) < len(segment) else None


@lru_cache(maxsize=4096)
def parse_template(path: str) -> tuple[SegmentTemplate, ...]:
    """Parse a path template into its segments; literals may be percent-encoded."""
    return tuple(map(_parse_segment, path.split("/")))


def _parse_segment(segment: str) -> SegmentTemplate:
    parts = PLACEHOLDER.split(segment)
    return SegmentTemplate(tuple(map(unquote, parts[::2])), tuple(parts[1::2]))


def match_template(template: Sequence[SegmentTemplate], segments: Sequence[str]) -> dict[str, str] | None:
    """Return the parameters in decoded segments, None if they do not match the template."""
    if len(template) != len(segments):
        return None
    parameters: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        found = expected.match(segment)
        if found is None:
            return None
        parameters |= found
    return parameters


def decode_path(path: str) -> list[str]:
    """Return the decoded segments of a percent-encoded path; bytes that are not UTF-8 become replacement characters."""
    return [unquote(segment) for segment in path.split("/")]


def decode_path_strictly(path: bytes) -> list[str]:
    """Return the decoded segments of a path as it was sent; raise `MalformedPathError` if it cannot be decoded."""
    try:
        if b"%" not in path:
            return path.decode().split("/")
        if _BROKEN_ESCAPE.search(path):
            raise MalformedPathError("a percent sign must be followed by two hexadecimal digits")
        return [unquote_to_bytes(segment).decode() for segment in path.split(b"/")]
    except UnicodeDecodeError as error:
        raise MalformedPathError("the path must be UTF-8") from error
