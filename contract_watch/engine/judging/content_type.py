"""Content types of responses, parsed by RFC 9110, section 8.3.1."""

import re
from dataclasses import dataclass

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# Our own expressions, linear: no repetition within a repetition.
_MEDIA_TYPE = re.compile(rf"[ \t]*({_WORD}/{_WORD})")
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*(?:({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?')


@dataclass(frozen=True)
class ContentType:
    """A media type in lower case, and the values of its parameter ``charset``: one at most if the sender is sane."""

    media_type: str
    charsets: tuple[str, ...] = ()


def parse_content_type(value: str) -> ContentType | None:
    """Parse the value of the header ``Content-Type``; return None if it is not one media type with parameters."""
    beginning = _MEDIA_TYPE.match(value)
    if beginning is None:
        return None
    charsets, at = list[str](), beginning.end()
    while found := _PARAMETER.match(value, at):
        at = found.end()
        name, token, quoted = found.groups()
        if name is not None and name.lower() == "charset":
            charsets.append((re.sub(r"\\(.)", r"\1", quoted) if token is None else token).lower())
    return None if value[at:].strip(" \t") else ContentType(beginning[1].lower(), tuple(charsets))
