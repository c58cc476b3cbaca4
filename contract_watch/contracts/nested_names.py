"""Names of nested values in queries and forms: ``a[b]=c``, OpenAPI's style ``deepObject``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.contracts.schema import Document
from contract_watch.contracts.text_values import (
    NotEncodableError,
    decode_text,
    encode_text,
    find_items,
    find_property,
    list_types,
)

Pairs = Sequence[tuple[str, str]]
_NAME = re.compile(r"([^\[\]]*)((?:\[[^\[\]]*\])*)")
_MAX_DEPTH = 16


def split_name(name: str) -> tuple[str, ...]:
    """Split ``a[b][c]`` into its parts; a name with other brackets is one part."""
    found = _NAME.fullmatch(name)
    if found is None or name.count("[") > _MAX_DEPTH:
        return (name,)
    return (found[1], *re.findall(r"\[([^\[\]]*)\]", found[2]))


def encode_nested(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Encode a value as pairs: an array repeats its name, an object gives a name to each of its properties.

    Raises:
        NotEncodableError: it is empty, or has an array of arrays or objects.
    """
    if isinstance(value, dict | list) and not value:
        raise NotEncodableError("text cannot express an empty list or object")
    if isinstance(value, dict):
        for inner, one in value.items():
            if not inner or "[" in inner or "]" in inner:
                raise NotEncodableError("a nested name cannot have brackets")
            yield from encode_nested(f"{name}[{inner}]", one)
    elif isinstance(value, list):
        yield from ((name, encode_text(one)) for one in value)
    else:
        yield encode_text(name), encode_text(value)


def decode_nested(document: Document, raw: Any, pairs: Sequence[tuple[tuple[str, ...], str]]) -> Any:
    """Decode pairs, whose names are paths below the value, by the value's schema."""
    texts = [text for path, text in pairs if not path]
    nested = [(path, text) for path, text in pairs if path]
    if nested and all(path == ("",) for path, _ in nested) and not texts:  # a[]=1 is an array too
        return [decode_text(document, find_items(document, raw), text) for _, text in nested]
    if nested:
        groups: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for path, text in nested:
            groups.setdefault(path[0], []).append((path[1:], text))
        return {name: decode_nested(document, find_property(document, raw, name), one) for name, one in groups.items()}
    return decode_texts(document, raw, texts)


def decode_texts(document: Document, raw: Any, texts: Sequence[str]) -> Any:
    """Decode the texts under one name: a list for an array, or where a name repeats that should not."""
    if "array" in list_types(document, raw):
        return [decode_text(document, find_items(document, raw), text) for text in texts]
    found = [decode_text(document, raw, text) for text in texts]
    return found[0] if len(found) == 1 else found


def group_pairs(pairs: Pairs) -> Mapping[str, list[tuple[tuple[str, ...], str]]]:
    """Group pairs by the first part of their names; the rest of the name goes with each text."""
    groups: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, text in pairs:
        first, *rest = split_name(name)
        groups.setdefault(first, []).append((tuple(rest), text))
    return groups
