"""Request bodies as bytes: JSON and forms, encoded and decoded by an operation's documented media types."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract_watch.contracts.nested_names import decode_nested, encode_nested, group_pairs
from contract_watch.contracts.parameters import format_query, parse_form
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import Schema
from contract_watch.contracts.text_values import NotEncodableError, encode_text, find_items, find_property

JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"


def strip_media_type(media_type: str) -> str:
    """Return a media type in lower case and without parameters."""
    return media_type.partition(";")[0].strip().lower()


def is_json_type(media_type: str) -> bool:
    """Return True for JSON and for types built on it, such as ``application/merge-patch+json``."""
    plain = strip_media_type(media_type)
    return plain == JSON_TYPE or plain.endswith("+json")


def is_form_type(media_type: str) -> bool:
    """Return True for a form as browsers send it."""
    return strip_media_type(media_type) == FORM_TYPE


def choose_media_type(documented: Sequence[str]) -> str | None:
    """Choose the media type to send: the first that is supported, else the first; None if there is none."""
    supported = (one for one in documented if is_json_type(one) or is_form_type(one))
    return next(supported, documented[0] if documented else None)


class BodyCodec:
    """The encoding of one operation's request bodies.

    ``schemas`` maps each documented media type to its schema; ``media_type`` is the one to send. ``encodings`` are the
    document's ``encoding`` objects of a form, by property.
    """

    def __init__(
        self, media_type: str | None, schemas: Mapping[str, Schema], encodings: Mapping[str, Any] = {}
    ) -> None:
        self.media_type = media_type
        self._schemas = {strip_media_type(name): schema for name, schema in schemas.items()}
        self._encodings = encodings

    @property
    def media_types(self) -> list[str]:
        """Return the documented media types."""
        return list(self._schemas)

    @property
    def is_form(self) -> bool:
        """Return True if bodies are sent as forms."""
        return self.media_type is not None and is_form_type(self.media_type)

    @property
    def problem(self) -> str:
        """Return the reason why no body can be sent; empty if one can."""
        if self.media_type is None or is_json_type(self.media_type) or self.is_form:
            return ""
        return f"the request's media type is {self.media_type}; JSON and forms can be sent"

    def encode(self, body: Any) -> tuple[bytes, str]:
        """Encode a body; return the bytes and their media type, both empty for no body.

        Raises:
            NotEncodableError: the media type cannot express it.
        """
        if body is MissingBody.ABSENT:
            return b"", ""
        if self.problem:
            raise NotEncodableError(self.problem)
        if not self.is_form:
            return json.dumps(body).encode(), self.media_type or JSON_TYPE
        if not isinstance(body, dict):
            raise NotEncodableError("a form is an object")
        pairs = [pair for name, value in body.items() for pair in self._encode_property(name, value)]
        return format_query(pairs).encode(), FORM_TYPE

    def _encode_property(self, name: str, value: Any) -> list[tuple[str, str]]:
        if "[" in name or "]" in name:
            raise NotEncodableError("the name of a form's property cannot have brackets")
        encoding = self._encodings.get(name, {})
        if isinstance(value, list) and encoding.get("explode") is False:
            texts = [encode_text(one) for one in value]
            if not texts or any("," in text for text in texts):
                raise NotEncodableError("an item has the delimiter")
            return [(name, ",".join(texts))]
        return list(encode_nested(name, value))

    def decode(self, content_type: str, content: bytes, parse_json: Callable[[bytes], Any]) -> Any:
        """Decode a body by its media type; a member of `MissingBody` stands for one that is empty or malformed.

        A body of an operation that takes JSON is read as JSON whatever its media type, unless it is another documented one.
        """
        if content_type == JSON_TYPE and content_type in self._schemas:
            return parse_json(content)
        plain = strip_media_type(content_type)
        takes_json = JSON_TYPE in self._schemas or not self._schemas
        if is_form_type(plain) and plain in self._schemas:
            return self._decode_form(content)
        if not content or takes_json:
            return parse_json(content)
        return parse_json(content) if is_json_type(plain) and plain in self._schemas else MissingBody.MALFORMED

    def _decode_form(self, content: bytes) -> Any:
        form = parse_form(content)
        if form is None:
            return MissingBody.MALFORMED
        schema = self._schemas[FORM_TYPE]
        found: dict[str, Any] = {}
        for name, pairs in group_pairs(form).items():
            prop = find_property(schema.document, schema.schema, name)
            is_joined = self._encodings.get(name, {}).get("explode") is False and len(pairs) == 1 and not pairs[0][0]
            is_list = is_joined and find_items(schema.document, prop)
            parts = [((), one) for one in pairs[0][1].split(",")] if is_list else pairs
            found[name] = decode_nested(schema.document, prop, parts)
        return found

    def normalize(self, body: Any) -> Any:
        """Return the value that a server reads where ``body`` is sent: another one for forms, which have no types."""
        if not self.is_form or body is MissingBody.ABSENT:
            return body
        try:
            content, _ = self.encode(body)
        except NotEncodableError:
            return body
        return self._decode_form(content)
