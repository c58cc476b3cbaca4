"""Query, header and cookie parameters: values written as OpenAPI's styles say, and read back by their schemas.

Suite and mock use the same pair, `encode_parameters` and `decode_parameters`, so that both judge the same values.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote

from contract_watch.contracts.nested_names import Pairs, decode_nested, decode_texts, encode_nested, split_name
from contract_watch.contracts.schema import (
    Document,
    Schema,
    Violation,
    flatten_schema,
    parse_foreign_json,
    resolve_reference,
)
from contract_watch.contracts.text_values import (
    NotEncodableError,
    decode_text,
    encode_text,
    find_items,
    find_property,
    list_types,
)

LOCATIONS = ("query", "header", "cookie")
_IGNORED_HEADERS = ("accept", "content-type", "authorization")
"""Header parameters that OpenAPI ignores: other parts of the document describe them."""
_DEFAULT_STYLES = {"query": "form", "header": "simple", "cookie": "form"}
_STYLES = {
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_DELIMITERS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
_MISSING = object()
MAX_PAIRS = 10_000
"""Pairs of a form; no documented one comes near it."""


def is_parameter_key(name: str) -> bool:
    """Return True for the argument name of a query, header or cookie parameter, such as ``query:limit``."""
    return name.partition(":")[0] in LOCATIONS and ":" in name


def strip_location(name: str) -> str:
    """Return the name of a query, header or cookie parameter without its location; any other name as it is."""
    return name.partition(":")[2] if is_parameter_key(name) else name


@dataclass(frozen=True)
class ParameterSpec:
    """A documented query, header or cookie parameter.

    ``key`` is its name as an argument, ``query:limit``. ``schema`` has its reference resolved, and the parameter's own
    example. ``is_json`` marks a value in JSON (``content`` in the document). ``problem`` says why the engine cannot
    send it; empty if it can.
    """

    location: str
    name: str
    required: bool
    document: Document
    schema: Mapping[str, Any]
    style: str
    explode: bool
    is_json: bool = False
    problem: str = ""

    @property
    def key(self) -> str:
        """Return the name as an argument."""
        return f"{self.location}:{self.name}"

    @cached_property
    def types(self) -> set[str]:
        """The JSON types of the value."""
        return list_types(self.document, self.schema)

    @cached_property
    def validator(self) -> Schema:
        """The schema, compiled."""
        return Schema(self.document, self.schema)

    def claims(self, name: str) -> bool:
        """Return True if a pair of this ``name`` belongs to the parameter."""
        if self.style == "deepObject":
            return split_name(name)[0] == self.name and name != self.name
        if self.explode and self.style == "form" and self.types == {"object"} and not self.is_json:
            return bool(find_property(self.document, self.schema, name))
        return name == self.name

    def encode(self, value: Any) -> list[tuple[str, str]]:
        """Encode a value as pairs of names and texts, one pair for a header or cookie.

        Raises:
            NotEncodableError: the style cannot express it.
        """
        if self.problem:
            raise NotEncodableError(self.problem)
        pairs = list(self._encode(value))
        for name, text in pairs:
            _check_text(self.location, encode_text(name), text)
        return pairs

    def _encode(self, value: Any) -> Iterator[tuple[str, str]]:
        if self.is_json:
            yield self.name, json.dumps(value, ensure_ascii=True)
        elif self.style == "deepObject":
            if not isinstance(value, dict):
                raise NotEncodableError("deepObject expresses objects only")
            yield from encode_nested(self.name, value)
        elif isinstance(value, dict | list) and not value:
            raise NotEncodableError("text cannot express an empty list or object")
        elif self.style == "form" and self.explode and isinstance(value, list):
            yield from ((self.name, encode_text(one)) for one in value)
        elif self.style == "form" and self.explode and isinstance(value, dict):
            yield from ((name, encode_text(one)) for name, one in value.items())
        elif isinstance(value, list):
            yield self.name, self._join(value)
        elif isinstance(value, dict):
            if self.style == "simple" and self.explode:
                yield self.name, self._join([f"{name}={encode_text(one)}" for name, one in value.items()])
            else:
                yield self.name, self._join([part for pair in value.items() for part in pair])
        else:
            yield self.name, encode_text(value)

    def _join(self, values: Sequence[Any]) -> str:
        delimiter = _DELIMITERS[self.style]
        texts = [encode_text(one) for one in values]
        if any(delimiter in text or text != text.strip() for text in texts):
            raise NotEncodableError("an item has the delimiter or outer white space")
        return delimiter.join(texts)

    def decode(self, pairs: Pairs) -> Any:
        """Decode the pairs that belong to the parameter, at least one."""
        texts = [text for _, text in pairs]
        if self.is_json:
            found = [_decode_json(text) for text in texts]
            return found[0] if len(found) == 1 else found
        if self.style == "deepObject":
            return decode_nested(self.document, self.schema, [(split_name(name)[1:], text) for name, text in pairs])
        if "object" in self.types and self.style == "form" and self.explode:
            return {name: decode_text(self.document, find_property(self.document, self.schema, name), text)
                    for name, text in pairs}  # fmt: skip
        if len(texts) == 1 and not (self.style == "form" and self.explode) and self.types & {"array", "object"}:
            return self._split(texts[0])
        return decode_texts(self.document, self.schema, texts)

    def _split(self, text: str) -> Any:
        parts = [part.strip() for part in text.split(_DELIMITERS[self.style])]
        if "array" in self.types:
            return [decode_text(self.document, find_items(self.document, self.schema), part) for part in parts]
        if self.style == "simple" and self.explode:
            pairs = [part.partition("=")[::2] for part in parts]
        else:
            pairs = list(zip(parts[::2], parts[1::2], strict=False))
        return {name: decode_text(self.document, find_property(self.document, self.schema, name), one)
                for name, one in pairs}  # fmt: skip

    def normalize(self, value: Any) -> Any:
        """Return the value that a server reads where ``value`` is sent; ``value`` itself if it cannot be sent."""
        try:
            return self.decode(self.encode(value))
        except NotEncodableError:
            return value


def parse_parameters(
    document: Document, raw_parameters: Sequence[Mapping[str, Any]], ignored: frozenset[str] = frozenset()
) -> dict[str, ParameterSpec]:
    """Parse the query, header and cookie parameters of an operation, by their names as arguments.

    ``ignored`` are keys in lower case: the locations of credentials. Of two parameters with one key the last counts, an
    operation's own before its path's.
    """
    found: dict[str, ParameterSpec] = {}
    for raw in raw_parameters:
        location, name = raw.get("in"), raw.get("name")
        if location not in LOCATIONS or not isinstance(name, str):
            continue
        is_ignored = location == "header" and name.lower() in _IGNORED_HEADERS
        if not is_ignored and f"{location}:{name}".lower() not in ignored:
            spec = _parse_parameter(document, raw, location, name)
            found[spec.key] = spec
    return found


def _parse_parameter(document: Document, raw: Mapping[str, Any], location: str, name: str) -> ParameterSpec:
    media_type, content = next(iter(raw.get("content", {}).items()), ("", {}))
    schema = read_parameter_schema(document, content if media_type else raw)
    style = raw.get("style", _DEFAULT_STYLES[location])
    explode = raw.get("explode", style == "form")
    is_json = media_type.partition(";")[0].strip().endswith("json")
    spec = ParameterSpec(location, name, bool(raw.get("required")), document, schema, style, bool(explode), is_json)
    problem = "" if not media_type or is_json else f"its media type is {media_type}, which is not JSON"
    if not media_type:
        problem = _find_problem(spec)
    return ParameterSpec(location, name, spec.required, document, schema, style, spec.explode, is_json, problem)


def read_parameter_schema(document: Document, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter object, with the example that stands beside it."""
    found = dict(flatten_schema(document, raw.get("schema", {})))
    examples = raw.get("examples")
    named = resolve_reference(document, next(iter(examples.values()), None) if isinstance(examples, dict) else None)
    if "example" in raw:
        found.setdefault("example", raw["example"])
    elif isinstance(named, dict) and "value" in named:
        found.setdefault("example", named["value"])
    return found


def _find_problem(spec: ParameterSpec) -> str:
    """Return the reason why a style cannot be sent; empty if it can."""
    if spec.style not in _STYLES[spec.location]:
        return f"its style is {spec.style}, which a {spec.location} parameter cannot have"
    if spec.style == "deepObject":
        return "" if "object" in spec.types else "its style is deepObject, and its type is no object"
    if spec.location == "cookie" and spec.explode and spec.types & {"array", "object"}:
        return "an exploded list or object has no form in a cookie"
    if spec.style in ("spaceDelimited", "pipeDelimited") and spec.explode:
        return f"its style is {spec.style} with `explode`, which OpenAPI does not define"
    inner = [find_items(spec.document, spec.schema)] if "array" in spec.types else []
    if "object" in spec.types:
        inner += [resolve_reference(spec.document, one) for one in spec.schema.get("properties", {}).values()]
        if spec.explode and spec.style == "form" and not spec.schema.get("properties"):
            return "it is an exploded object without `properties`"
    if any(list_types(spec.document, one) & {"array", "object"} for one in inner):
        return "its items or properties are lists or objects"
    return ""


def _check_text(location: str, name: str, text: str) -> None:
    if location == "header" and not (text.isascii() and text == text.strip()):
        raise NotEncodableError("a header cannot carry the value")
    if location == "cookie" and not (_COOKIE_VALUE.fullmatch(text) and _COOKIE_VALUE.fullmatch(name)):
        raise NotEncodableError("a cookie cannot carry the value")


def _decode_json(text: str) -> Any:
    try:
        return parse_foreign_json(text)
    except ValueError:
        return text


def encode_parameters(specs: Mapping[str, ParameterSpec], parameters: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Encode parameters as a query without its question mark, and headers with lower-case names.

    Path parameters are left out, and so are query parameters that no document declares.

    Raises:
        NotEncodableError: a value has no text.
    """
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for key, value in parameters.items():
        spec = specs.get(key)
        if spec is None:
            continue
        pairs = spec.encode(value)
        if spec.location == "query":
            query += pairs
        elif spec.location == "header":
            headers[spec.name.lower()] = pairs[0][1]
        else:
            cookies += [f"{name}={text}" for name, text in pairs]
    if cookies:
        headers["cookie"] = "; ".join(cookies)
    return format_query(query), headers


def format_query(pairs: Pairs) -> str:
    """Format pairs as a query or a form; every character with a meaning is percent-encoded, spaces too."""
    return "&".join(f"{quote(name, safe='[]')}={quote(text, safe='')}" for name, text in pairs)


def parse_query(query: str) -> list[tuple[str, str]]:
    """Parse a query or a form into pairs; a plus stands for a space."""
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def parse_form(content: bytes) -> list[tuple[str, str]] | None:
    """Parse a form into pairs; None if it is not ASCII or has more than `MAX_PAIRS`, so that time is bounded."""
    if not content.isascii() or content.count(b"&") >= MAX_PAIRS:
        return None
    return parse_query(content.decode("ascii"))


def decode_parameters(specs: Mapping[str, ParameterSpec], query: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Decode the parameters of a request; ``headers`` have lower-case names.

    A query parameter that no document declares stays visible: a string, or a list if it repeats.
    """
    pairs = parse_query(query) if query else []
    found: dict[str, Any] = {}
    for spec in specs.values():
        own = _select_pairs(spec, pairs, headers)
        if own:
            found[spec.key] = spec.decode(own)
    queries = [spec for spec in specs.values() if spec.location == "query"]
    unknown: dict[str, list[str]] = {}
    for name, text in pairs:
        if not any(spec.claims(name) for spec in queries):
            unknown.setdefault(f"query:{name}", []).append(text)
    return {**found, **{key: texts[0] if len(texts) == 1 else texts for key, texts in unknown.items()}}


def _select_pairs(spec: ParameterSpec, pairs: Pairs, headers: Mapping[str, str]) -> Pairs:
    if spec.location == "query":
        return [(name, text) for name, text in pairs if spec.claims(name)]
    if spec.location == "header":
        text = headers.get(spec.name.lower())
        return [] if text is None else [(spec.name, text)]
    return [(name, text) for name, text in parse_cookies(headers.get("cookie", "")) if name == spec.name]


def parse_cookies(header: str) -> list[tuple[str, str]]:
    """Parse a cookie header into pairs."""
    parts = [part.strip().partition("=") for part in header.split(";") if "=" in part]
    return [(name, text.removeprefix('"').removesuffix('"')) for name, _, text in parts]


def find_violations(specs: Mapping[str, ParameterSpec], parameters: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield the violations of parameters; each path begins with the parameter's key."""
    for key, spec in specs.items():
        value = parameters.get(key, _MISSING)
        if value is _MISSING:
            if spec.required:
                yield Violation((key,), "required", "the required parameter")
            continue
        for violation in spec.validator.find_violations(value):
            yield Violation((key, *violation.path), violation.keyword, violation.expected)
