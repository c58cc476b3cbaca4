"""Our corrections to a published document: the OpenAPI Overlay format, applied strictly.

Strict means that an action must say why, must match, and must change something. An action that matches nothing has
lost its target, one that changes nothing has been overtaken by the vendor; both are errors that name the action.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonpath_rfc9535
import yaml

from contract_watch.contracts.matchers import are_equal
from contract_watch.errors import UsageError

JSON = Any
NodePath = tuple[str | int, ...]
"""The names and positions that lead to a place of a document."""


def read_overlay(path: Path) -> list[Mapping[str, Any]]:
    """The actions of the overlay file at ``path``, checked for form; a `UsageError` names the file and the action."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f":{line + 1}" if line is not None else ""
        raise UsageError(f"{path}{where}: is not YAML: {getattr(error, 'problem', None) or 'bad text'}") from error
    if not isinstance(raw, dict) or not str(raw.get("overlay", "")).startswith("1."):
        raise UsageError(f"{path}: is not an OpenAPI Overlay (it needs `overlay: 1.0.0` and a list `actions`)")
    actions = raw.get("actions")
    if not isinstance(actions, list) or not actions:
        raise UsageError(f"{path}: has no list `actions`")
    for number, action in enumerate(actions, 1):
        where = f"{path}: action {number}"
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            raise UsageError(f"{where}: needs a `target`, a JSONPath")
        if not str(action.get("description") or "").strip():
            raise UsageError(f"{where} ({action['target']}): needs a `description`, its reason")
        if ("update" in action) == ("remove" in action) or action.get("remove", True) is not True:
            raise UsageError(f"{where} ({action['target']}): needs either `update` or `remove: true`")
        if unknown := set(action) - {"target", "description", "update", "remove"}:
            raise UsageError(f"{where} ({action['target']}): has an unknown key {min(unknown)!r}")
    return actions


def apply_overlay(document: Mapping[str, Any], actions: list[Mapping[str, Any]], source: str) -> dict[str, Any]:
    """A copy of ``document`` with ``actions`` applied in order; ``source`` names the overlay in errors."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for number, action in enumerate(actions, 1):
        where = f"{source}: action {number} ({action['target']})"
        locations = find_matches(result, action["target"], where)
        if not locations:
            raise UsageError(f"{where}: matches nothing; correct the target, or drop the action")
        before = copy.deepcopy(result)
        for location in locations:
            apply_action(result, location, action, where)
        if are_equal(result, before):
            raise UsageError(f"{where}: changes nothing; the document says so already, drop the action")
    return result


def find_matches(document: JSON, target: str, where: str) -> list[NodePath]:
    """The places that ``target`` matches, once each and from the end.

    In that order, removing an array item leaves the places of the others as they were found. ``where`` names the action
    in errors.
    """
    try:
        nodes = list(jsonpath_rfc9535.find(target, document))
    except jsonpath_rfc9535.JSONPathError as error:
        raise UsageError(f"{where}: is not a JSONPath: {str(error).splitlines()[0]}") from error
    return sorted({node.location for node in nodes}, key=_build_sort_key, reverse=True)


def apply_action(document: JSON, location: NodePath, action: Mapping[str, Any], where: str) -> None:
    """Change ``document`` at one place as ``action`` says."""
    if "remove" in action:
        _remove(document, location, where)
    else:
        _update(document, location, action["update"], where)


def _build_sort_key(location: NodePath) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, str), part) for part in location]


def _remove(document: JSON, location: NodePath, where: str) -> None:
    if not location:
        raise UsageError(f"{where}: would remove the whole document")
    parent = document
    for part in location[:-1]:
        parent = parent[part]
    del parent[location[-1]]


def _update(document: JSON, location: NodePath, update: JSON, where: str) -> None:
    target = document
    for part in location:
        target = target[part]
    if isinstance(target, list):
        target.append(copy.deepcopy(update))
    elif isinstance(target, dict) and isinstance(update, dict):
        _merge(target, update)
    else:
        raise UsageError(f"{where}: an update needs an object or an array to land on")


def _merge(target: dict[str, Any], update: Mapping[str, Any]) -> None:
    for name, value in update.items():
        present = target.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            target[name] = copy.deepcopy(value)
