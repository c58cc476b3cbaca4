"""Corrections to a published document in the OpenAPI Overlay format, applied strictly.

Strict means that each action needs a description, must match and must change something. An action that matches nothing
has lost its target; one that changes nothing is obsolete, because the vendor has made the correction. Both raise a
`UsageError` that names the action. Source of the format: https://spec.openapis.org/overlay/v1.0.0.html.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonpath_rfc9535
import yaml

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.yaml_file import load_yaml
from contract_watch.errors import UsageError

JSON = Any
NodePath = tuple[str | int, ...]
"""Property names and array positions from the root of a document to a node."""


def read_overlay(path: Path) -> list[Mapping[str, Any]]:
    """Return the actions of the overlay file ``path``, none if there is no file.

    Raises:
        UsageError: the file or an action is malformed; it names both.
    """
    if not path.exists():
        return []
    actions = _read_actions(path)
    for number, action in enumerate(actions, 1):
        _check_action(path, number, action)
    return actions


def _read_actions(path: Path) -> list[Any]:
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        line_suffix = f":{line + 1}" if line is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise UsageError(f"{path}{line_suffix}: is not YAML ({problem}); correct it") from error
    if not isinstance(raw, dict) or not str(raw.get("overlay", "")).startswith("1."):
        raise UsageError(f"{path}: is not an OpenAPI Overlay; it needs `overlay: 1.0.0` and a list `actions`")
    actions = raw.get("actions")
    if not isinstance(actions, list) or not actions:
        raise UsageError(f"{path}: has no list `actions`; add one, with at least one action")
    return actions


def _check_action(path: Path, number: int, action: Any) -> None:
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        raise UsageError(f"{path}: action {number}: needs a `target`; add a JSONPath")
    name = f"{path}: action {number} ({action['target']})"
    if not str(action.get("description") or "").strip():
        raise UsageError(f"{name}: needs a `description`; add its reason")
    if ("update" in action) == ("remove" in action) or action.get("remove", True) is not True:
        raise UsageError(f"{name}: must have either `update` or `remove: true`")
    if unknown := set(action) - {"target", "description", "update", "remove"}:
        raise UsageError(f"{name}: has the unknown key {min(unknown)!r}; remove it")


def apply_overlay(document: Mapping[str, Any], actions: list[Mapping[str, Any]], source: str) -> dict[str, Any]:
    """Return a copy of ``document`` with ``actions`` applied in order; ``source`` names the overlay in errors."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for number, action in enumerate(actions, 1):
        where = f"{source}: action {number} ({action['target']})"
        locations = find_matches(result, action["target"], where)
        if not locations:
            raise UsageError(f"{where}: matches nothing; correct the target or remove the action")
        changed = [_changes_node(result, location, action, where) for location in locations]
        if not any(changed):
            raise UsageError(f"{where}: changes nothing, the document already has this; remove the action")
    return result


def _changes_node(document: JSON, location: NodePath, action: Mapping[str, Any], where: str) -> bool:
    """Apply ``action`` at one location; return True if that changes the document."""
    if "remove" in action:
        apply_action(document, location, action, where)
        return True
    before = copy.deepcopy(_get_node(document, location))
    apply_action(document, location, action, where)
    return not are_equal(_get_node(document, location), before)


def _get_node(document: JSON, location: NodePath) -> JSON:
    for part in location:
        document = document[part]
    return document


def find_matches(document: JSON, target: str, where: str) -> list[NodePath]:
    """Return the locations that the JSONPath ``target`` matches, once each and from the end.

    In this order the removal of an array item does not shift the locations that follow. ``where`` names the action in
    errors.
    """
    try:
        nodes = list(jsonpath_rfc9535.find(target, document))
    except jsonpath_rfc9535.JSONPathError as error:
        raise UsageError(f"{where}: is not a JSONPath ({str(error).splitlines()[0]}); correct the target") from error
    return sorted({node.location for node in nodes}, key=_build_sort_key, reverse=True)


def apply_action(document: JSON, location: NodePath, action: Mapping[str, Any], where: str) -> None:
    """Apply ``action`` to ``document`` in place, at one location."""
    if "remove" in action:
        _remove(document, location, where)
    else:
        _update(document, location, action["update"], where)


def _build_sort_key(location: NodePath) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, str), part) for part in location]


def _remove(document: JSON, location: NodePath, where: str) -> None:
    if not location:
        raise UsageError(f"{where}: would remove the whole document; correct the target")
    del _get_node(document, location[:-1])[location[-1]]


def _update(document: JSON, location: NodePath, update: JSON, where: str) -> None:
    target = _get_node(document, location)
    if isinstance(target, list):
        target.append(copy.deepcopy(update))
    elif isinstance(target, dict) and isinstance(update, dict):
        _merge(target, update)
    else:
        raise UsageError(f"{where}: an update needs an object or an array as its target; correct the target")


def _merge(target: dict[str, Any], update: Mapping[str, Any]) -> None:
    for name, value in update.items():
        present = target.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            target[name] = copy.deepcopy(value)
