"""Extraction of the part of a document that is under contract: some operations, and everything that they refer to."""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.parameters import normalize_path
from contract_watch.diff.document.source import (
    JSON,
    OPERATION_KEYS,
    SourceDocument,
    as_list,
    as_object,
    decode_token,
    iterate_operations,
)
from contract_watch.errors import UsageError

OperationKeys = frozenset[tuple[str, str]]
"""Operations by method in lower case, and path without placeholder names."""
_SECURITY = "securitySchemes"


def list_operations(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return all operations by method and normalized path, each in the form ``GET /users/{id}``."""
    source = SourceDocument(document)
    return {
        (method.lower(), normalize_path(path)): f"{method} {path}"
        for path, item in as_object(document.get("paths")).items()
        for method, _, _ in iterate_operations(source.follow(item))
    }


def extract_operations(document: Mapping[str, Any], wanted: OperationKeys, name: str) -> dict[str, Any]:
    """Return ``document`` with the ``wanted`` operations and everything that they refer to.

    Metadata stays, and so do components that are referred to directly or indirectly, security schemes that a requirement
    names, and tags of the operations; all of them are unchanged. Webhooks are left out: consumers do not call them.

    Args:
        document: the whole document.
        wanted: the operations to extract.
        name: the name of the document in errors.

    Raises:
        UsageError: an extracted part refers into an operation that is left out.
    """
    source = SourceDocument(document)
    paths = {}
    for path, item in as_object(document.get("paths")).items():
        methods = {method for method, normalized in wanted if normalized == normalize_path(path)}
        spec = source.follow(item)
        if methods & spec.keys():
            left_out = {*OPERATION_KEYS, "additionalOperations"} - methods
            paths[path] = {key: value for key, value in spec.items() if key not in left_out}
    found = {key: value for key, value in document.items() if key not in ("webhooks", "components", "tags", "paths")}
    found["paths"] = paths
    if tags := _select_tags(document, paths):
        found["tags"] = tags
    if components := _select_components(source, found, name):
        found["components"] = components
    return {key: found[key] for key in (*(key for key in document if key in found), *found) if key in found}


def _select_tags(document: Mapping[str, Any], paths: Mapping[str, Any]) -> list[JSON]:
    used = {tag for item in paths.values() for spec in item.values() if isinstance(spec, dict)
            for tag in as_list(spec.get("tags")) if isinstance(tag, str)}  # fmt: skip
    return [tag for tag in as_list(document.get("tags")) if isinstance(tag, dict) and tag.get("name") in used]


def _select_components(source: SourceDocument, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the components that ``document`` refers to, in their order."""
    every = as_object(source.raw.get("components"))
    schemes = [(_SECURITY, scheme) for scheme in _list_schemes(document)]
    reached: set[tuple[str, str]] = set()
    waiting = [*schemes, *_list_targets(source, document, name)]
    while waiting:
        one = waiting.pop()
        if one not in reached and one[1] in as_object(every.get(one[0])):
            reached.add(one)
            waiting += _list_targets(source, every[one[0]][one[1]], name)
    found = {}
    for kind, components in every.items():
        if own := {key: value for key, value in as_object(components).items() if (kind, key) in reached}:
            found[kind] = own
        elif kind.startswith("x-"):
            found[kind] = components
    return found


def _list_schemes(document: Mapping[str, Any]) -> set[str]:
    """Return the names of security schemes in all requirements."""
    holders = [
        document,
        *(one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)),
    ]
    return {scheme for one in holders for needed in as_list(one.get("security")) for scheme in as_object(needed)}


def _list_targets(source: SourceDocument, node: JSON, name: str) -> Iterable[tuple[str, str]]:
    """Return the components that anything below ``node`` refers to, by kind and name."""
    waiting, found = [node], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            children = source.list_children(one) if isinstance(one.get("discriminator"), dict) else ()
            for reference in (one.get("$ref"), *children):
                tokens = reference[2:].split("/") if isinstance(reference, str) and reference[:2] == "#/" else []
                if len(tokens) > 2 and tokens[0] == "components":
                    found.append((decode_token(tokens[1]), decode_token(tokens[2])))
                elif tokens[:1] in (["paths"], ["webhooks"]) and reference is one.get("$ref"):
                    at = format_pointer(tuple(map(decode_token, tokens)))
                    raise UsageError(f"{name}: an operation under contract refers to {at}, into another operation; it cannot "
                                     "be extracted without that")  # fmt: skip
    return found
