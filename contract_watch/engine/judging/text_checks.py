"""Response checks of a body's text: its encoding, its charset, and JSON that parsers read in different ways.

Python's parser is lenient: it accepts a byte order mark, UTF-16 and UTF-32, repeated names, and the tokens ``NaN`` and
``Infinity``. So bodies are judged further, and the parsers of other languages are spoken for here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.disagreement import BREAKING, Disagreement, is_html_page

_UTF_8 = frozenset({"utf-8", "utf8"})
_US_ASCII = frozenset({"us-ascii", "ascii"})
_MAX_PARSED = 1 << 20
"""Bytes of a body that is parsed once more, for repeated names: Python code runs for each of its objects."""
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


def is_utf8(body: bytes) -> bool:
    """Return True if ``body`` is text in UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _find_encoding(body: bytes) -> str:
    """Return the encoding of a body that should be JSON: ``utf-8``, ``utf-8-sig``, one of UTF-16 or UTF-32, or ``other``."""
    encoding = json.detect_encoding(body)
    return "other" if encoding == "utf-8" and not is_utf8(body) else encoding


def check_text_encoding(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report JSON in another encoding than UTF-8, or with a byte order mark (RFC 8259, section 8.1).

    Go, Rust, JavaScript's ``JSON.parse`` and .NET's Newtonsoft.Json reject the mark; Python and Jackson accept it.
    """
    if checked.spec is None or not checked.spec.media or not checked.response.body:
        return
    encoding = _find_encoding(checked.response.body)
    is_readable = not isinstance(checked.json, MissingBody)
    if encoding == "utf-8" or not (is_readable or not is_utf8(checked.response.body)):
        return
    kind = "byte-order-mark" if encoding == "utf-8-sig" else "encoding"
    actual = {"utf-8-sig": "a byte order mark before it", "other": "bytes that are not UTF-8"}.get(
        encoding, encoding.upper()
    )
    yield Disagreement(
        f"{checked.id}/body/{kind}", BREAKING, checked.clause, f"{checked.label}: expected JSON in UTF-8, got {actual}",
        "Clients whose JSON parser reads only UTF-8, without a byte order mark, cannot parse the response.",
        checked.operation.id, may_be_outage=is_html_page(checked.response), is_unreadable=not is_readable,
        hypotheses=checked.explain_part(
            f"body:{encoding}", "encode", "bodies with a byte order mark" if kind == "byte-order-mark" else f"bodies as {actual}"
        ),
    )  # fmt: skip


def check_content_type(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a Content-Type that is not one media type with parameters, or declares another charset than UTF-8.

    RFC 8259 defines no charset, so parsers of bytes ignore it. Others decode by it, and Spring rejects the response.
    """
    value = checked.response.headers.get("content-type", "")
    is_documented = checked.spec is not None and checked.media_type in checked.spec.media
    if not is_documented or not checked.response.has_documented_headers:
        return
    parsed = parse_content_type(value)
    shown = checked.secrets.describe_value({"content-type": value}, ("content-type",))
    if parsed is None:
        yield Disagreement(
            f"{checked.id}/media-type/malformed", BREAKING, checked.clause,
            f"{checked.label}: expected one media type with parameters in header `content-type`, got {shown}",
            "Clients that parse the media type will fail, or choose another one.", checked.operation.id,
            may_be_outage=is_html_page(checked.response),
            hypotheses=checked.explain_part("media-type:malformed", "send", "a malformed header `content-type`"),
        )  # fmt: skip
    elif is_json_type(parsed.media_type) and not all(_may_declare(one, checked) for one in parsed.charsets):
        yield Disagreement(
            f"{checked.id}/media-type/charset", BREAKING, checked.clause,
            f"{checked.label}: expected JSON in UTF-8, got the charset of {shown}",
            "Clients that decode by the charset will reject the response, or read other characters.",
            checked.operation.id, may_be_outage=is_html_page(checked.response),
            hypotheses=checked.explain_part("media-type:charset", "declare", "another charset than UTF-8"),
        )  # fmt: skip


def _may_declare(charset: str, checked: CheckedResponse) -> bool:
    """Return True for UTF-8, and for ASCII if the body is that: it is UTF-8 too."""
    return charset in _UTF_8 or (charset in _US_ASCII and checked.response.body.isascii())


@dataclass
class _AmbiguousParts:
    """Names that one object of a body has twice, and tokens that JSON does not have, each in order."""

    names: dict[str, None] = field(default_factory=dict)
    tokens: dict[str, None] = field(default_factory=dict)

    def build_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object, and note the names that it repeats."""
        built = dict(pairs)
        if len(built) < len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    self.names[name] = None
                seen.add(name)
        return built

    def note_token(self, token: str) -> None:
        """Note a token such as ``NaN``."""
        self.tokens[token] = None


def check_ambiguous_json(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report names that an object repeats, and numbers that JSON does not have (RFC 8259, sections 4 and 6)."""
    if not checked.has_json or not 0 < len(checked.response.body) <= _MAX_PARSED:
        return
    found = _AmbiguousParts()
    json.loads(checked.response.body, object_pairs_hook=found.build_object, parse_constant=found.note_token)
    for name in found.names:
        yield Disagreement(
            f"{checked.id}/body/{name}/repeated-name", BREAKING, checked.clause,
            f"{checked.label}: an object has the property `{name}` twice, expected each name once",
            "Some clients read the first value, some the last, and strict ones reject the response.", checked.operation.id,
            hypotheses=checked.explain_part(f"body/{name}:repeated-name", "answer", f"with `{name}` twice in one object"),
        )  # fmt: skip
    for token in found.tokens:
        yield Disagreement(
            f"{checked.id}/body/{token}", BREAKING, checked.clause,
            f"{checked.label}: expected JSON, got the token {token}, which is no JSON",
            "Clients whose parser keeps to JSON cannot parse the response.", checked.operation.id,
            hypotheses=checked.explain_part(f"body:{token}", "answer", f"with the token {token}, which is no JSON"),
        )  # fmt: skip
