"""Mutants of a response's text: its encoding, its charset, and JSON that parsers read in different ways."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.response_mutants import EditedResponse, list_provoked_responses

_FOREIGN_LETTER = "é"
"""A character whose bytes in Latin-1 are not UTF-8."""


def derive_encoding_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive each response with a body in another encoding, or with another charset, or with ambiguous JSON."""
    for operation, answers in list_provoked_responses(contract):
        for status, answer in answers.items():
            for name, (description, edit) in _EDITS.items() if answer.media else ():
                mutation = partial(EditedResponse, operation.id, status, edit)
                title = f"{operation.name} {status} {description}."
                yield Mutant(f"media/{operation.id}/{status}/{name}", operation.id, "", title, mutation)


def _encode_body(encoding: str, response: Response) -> Response:
    return replace(response, body=response.body.decode().encode(encoding)) if response.body else response


def _set_charset(charset: str, response: Response) -> Response:
    media_type = response.headers.get("content-type", "").partition(";")[0]
    headers = {**response.headers, "content-type": f"{media_type}; charset={charset}"}
    return replace(response, headers=headers) if media_type and response.body else response


def _encode_and_declare(encoding: str, response: Response) -> Response:
    return _set_charset(encoding, _encode_body(encoding, response))


def _encode_foreign_letter(response: Response) -> Response:
    """Append a letter to the first string of the body, and encode the body in Latin-1."""
    body = _parse(response)
    if body is None or not _append_letter(body):
        return response
    return replace(response, body=json.dumps(body, ensure_ascii=False).encode("latin-1", "replace"))


def _append_letter(value: Any) -> bool:
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in list(places):
        if isinstance(inner, str):
            value[place] = f"{inner}{_FOREIGN_LETTER}"
            return True
        if _append_letter(inner):
            return True
    return False


def _repeat_name(response: Response) -> Response:
    """Repeat the last property of the innermost last object, with another value before the right one."""
    body = _parse(response)
    inner = _find_last_object(body)
    if inner is None:
        return response
    text, shown = json.dumps(body), json.dumps(inner)
    start, (name, value) = text.rfind(shown), list(inner.items())[-1]
    wrong = not value if isinstance(value, bool) else None
    repeated = json.dumps({**inner, name: wrong})[:-1] + ", " + json.dumps({name: value})[1:]
    return replace(response, body=f"{text[:start]}{repeated}{text[start + len(shown) :]}".encode())


def _find_last_object(value: Any) -> Any:
    """Return the last object in a JSON value that holds no other; None if there is none."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    found = next((one for part in reversed(inner) if (one := _find_last_object(part))), None)
    return found or (value if isinstance(value, dict) and value else None)


def _parse(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except ValueError:
        return None


def _add_media_type(response: Response) -> Response:
    return _set_charset("utf-8, text/html", response)


_EDITS: Mapping[str, tuple[str, Callable[[Response], Response]]] = {
    "byte-order-mark": ("begins with a byte order mark", partial(_encode_body, "utf-8-sig")),
    "utf-16": ("is in UTF-16", partial(_encode_body, "utf-16")),
    "utf-16-declared": ("is in UTF-16, and says so", partial(_encode_and_declare, "utf-16-be")),
    "utf-32": ("is in UTF-32", partial(_encode_body, "utf-32-le")),
    "latin-1": ("has a letter in Latin-1", _encode_foreign_letter),
    "charset": ("declares another charset", partial(_set_charset, "ISO-8859-1")),
    "second-type": ("has two media types", _add_media_type),
    "repeated-name": ("has a property twice, with two values", _repeat_name),
}  # fmt: skip
