"""The part of a document that is under contract: some operations, and what they reach."""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.document.json_pointer import pointer
from contract_watch.diff.document.parameters import form
from contract_watch.diff.document.source import JSON, Source, mapping, unquoted

Operations = frozenset[tuple[str, str]]
"""Operations by method, in small letters, and the form of their path."""
_SECURITY = "securitySchemes"


def operations(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Every operation of a document, by method and form of its path, as people write it: ``GET /users/{id}``."""
    source = Source(document)
    return {
        (method, form(path)): f"{method.upper()} {path}"
        for path, item in mapping(document.get("paths")).items()
        for method in METHODS
        if method in source.followed(item)
    }


def cut(document: Mapping[str, Any], wanted: Operations, name: str) -> dict[str, Any]:
    """``document`` with the operations that are ``wanted``, what they reach, and what it says of itself; else nothing.

    Nothing that is kept is changed. Components are kept that are referred to, by way of others too; security schemes that
    a requirement names; tags that an operation has. Webhooks are no operations that a consumer calls, and are left out.

    Raises:
        UsageError: something that is kept refers into an operation that is not; ``name`` says in which document.
    """
    source = Source(document)
    paths = {}
    for path, item in mapping(document.get("paths")).items():
        methods = {method for method, its in wanted if its == form(path)}
        said = source.followed(item)
        if methods & said.keys():
            paths[path] = {key: value for key, value in said.items() if key not in METHODS or key in methods}
    found = {key: value for key, value in document.items() if key not in ("webhooks", "components", "tags", "paths")}
    found["paths"] = paths
    if tags := _tags(document, paths):
        found["tags"] = tags
    if components := _components(source, found, name):
        found["components"] = components
    return {key: found[key] for key in (*(key for key in document if key in found), *found) if key in found}


def _tags(document: Mapping[str, Any], paths: Mapping[str, Any]) -> list[JSON]:
    used = {tag for item in paths.values() for said in item.values() if isinstance(said, dict)
            for tag in _list(said.get("tags")) if isinstance(tag, str)}  # fmt: skip
    return [tag for tag in _list(document.get("tags")) if isinstance(tag, dict) and tag.get("name") in used]


def _components(source: Source, kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The components that ``kept`` reaches, in their order."""
    every = mapping(source.raw.get("components"))
    schemes = [(_SECURITY, scheme) for scheme in _schemes(kept)]
    reached: set[tuple[str, str]] = set()
    waiting = [*schemes, *_targets(kept, name)]
    while waiting:
        one = waiting.pop()
        if one not in reached and one[1] in mapping(every.get(one[0])):
            reached.add(one)
            waiting += _targets(every[one[0]][one[1]], name)
    found = {}
    for kind, components in every.items():
        if own := {key: value for key, value in mapping(components).items() if (kind, key) in reached}:
            found[kind] = own
        elif kind.startswith("x-"):
            found[kind] = components
    return found


def _schemes(kept: Mapping[str, Any]) -> set[str]:
    """The security schemes that any requirement names."""
    holders = [kept, *(one for item in kept["paths"].values() for one in item.values() if isinstance(one, dict))]
    return {scheme for one in holders for needed in _list(one.get("security")) for scheme in mapping(needed)}


def _targets(node: JSON, name: str) -> Iterable[tuple[str, str]]:
    """The components that anything below ``node`` refers to, by kind and name."""
    waiting, found = [node], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            said = [one.get("$ref"), *mapping(mapping(one.get("discriminator")).get("mapping")).values()]
            for reference in said:
                tokens = reference[2:].split("/") if isinstance(reference, str) and reference[:2] == "#/" else []
                if len(tokens) > 2 and tokens[0] == "components":
                    found.append((unquoted(tokens[1]), unquoted(tokens[2])))
                elif tokens[:1] in (["paths"], ["webhooks"]) and reference is one.get("$ref"):
                    at = pointer(tuple(map(unquoted, tokens)))
                    raise UsageError(f"{name}: what is under contract refers to {at}, into an operation; it cannot be "
                                     "taken apart from the rest")  # fmt: skip
    return found


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []
