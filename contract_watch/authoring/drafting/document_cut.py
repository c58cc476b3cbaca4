"""The part of a vendor's document that some operations need: they, all that they refer to, and the top."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.diff.document.json_pointer import unescape_token
from contract_watch.diff.document.source import SourceDocument, as_object, decode_token
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.suggestions import find_similar_names

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_TOP = ("openapi", "jsonSchemaDialect", "info", "externalDocs", "servers", "security")
_MAX_SHOWN = 100


def cut_document(document: Mapping[str, Any], choices: Sequence[Choice], more: Sequence[Any] = ()) -> dict[str, Any]:
    """Return a copy of ``document`` with the chosen operations and all that they, and ``more``, refer to.

    Raises:
        UsageError: an operation is not in the document, or refers to another file or another operation.
    """
    source = SourceDocument(document)
    result: dict[str, Any] = {name: copy.deepcopy(document[name]) for name in _TOP if name in document}
    result["paths"] = {}
    for choice in choices:
        item = _find_path(source, choice)
        kept = result["paths"].setdefault(choice.path, {n: v for n, v in item.items() if n not in (*_METHODS, "$ref")})
        kept[choice.method.lower()] = item[choice.method.lower()]
    result["paths"] = copy.deepcopy(result["paths"])
    schemes = {name for choice in choices for name in _list_schemes(document, result["paths"][choice.path], choice)}
    declared = as_object(as_object(document.get("components")).get("securitySchemes"))
    if known := {name: copy.deepcopy(scheme) for name, scheme in declared.items() if name in schemes}:
        result["components"] = {"securitySchemes": known}
    _copy_targets(source, result, more)
    return result


def list_operations(document: Mapping[str, Any]) -> list[str]:
    """Return the name of each operation of a document."""
    source = SourceDocument(document)
    paths = as_object(document.get("paths"))
    return [
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method in _METHODS
        if method in source.follow(item)
    ]


def _find_path(source: SourceDocument, choice: Choice) -> Mapping[str, Any]:
    item = source.follow(as_object(source.raw.get("paths")).get(choice.path))
    if isinstance(item.get(choice.method.lower()), dict):
        return item
    close = find_similar_names(choice.name, list_operations(source.raw))
    guess = f"did you mean {escape_text(close[0], _MAX_SHOWN)}? " if close else ""
    raise UsageError(
        f"--operations: the document has no {escape_text(choice.name, _MAX_SHOWN)}; {guess}write paths as the document does"
    )


def _list_schemes(document: Mapping[str, Any], item: Mapping[str, Any], choice: Choice) -> Iterator[str]:
    required = item[choice.method.lower()].get("security", document.get("security"))
    for requirement in required if isinstance(required, list) else ():
        yield from as_object(requirement)


def list_references(node: Any) -> Iterator[str]:
    """Yield each reference in and below ``node``, those of discriminators too."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                yield one["$ref"]
            mapping = as_object(as_object(one.get("discriminator")).get("mapping"))
            yield from (value for value in mapping.values() if isinstance(value, str) and value.startswith("#"))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _copy_targets(source: SourceDocument, result: dict[str, Any], more: Sequence[Any]) -> None:
    waiting, known = [result, *more], set[str]()
    while waiting:
        for reference in list_references(waiting.pop()):
            if reference in known:
                continue
            known.add(reference)
            waiting.append(_copy_target(source, result, reference))


def _copy_target(source: SourceDocument, result: dict[str, Any], reference: str) -> Any:
    shown = escape_text(reference, _MAX_SHOWN)
    if not reference.startswith("#/"):
        raise UsageError(f"--document: refers to {shown}, outside of the document; bundle it into one file first")
    target = source.resolve(reference)
    parts = [decode_token(part) for part in reference[2:].split("/")]
    if parts[0] != "components" or len(parts) < 3:
        if target is not None and SourceDocument(result).resolve(reference) == target:
            return None
        raise UsageError(f"--document: refers to {shown}, which is no component; move it to components first")
    components = result.setdefault("components", {})
    section = components.setdefault(parts[1], {})
    declared = as_object(as_object(source.raw.get("components")).get(parts[1])).get(parts[2])
    if parts[2] not in section and declared is not None:
        section[parts[2]] = copy.deepcopy(declared)
        return section[parts[2]]
    return None


def get_component_name(reference: str, section: str) -> str:
    """Return the name of a component of ``section`` that a reference leads to; empty if it leads elsewhere."""
    prefix = f"#/components/{section}/"
    rest = reference.removeprefix(prefix)
    return unescape_token(rest) if reference.startswith(prefix) and "/" not in rest else ""
