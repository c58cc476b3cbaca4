"""Presets in a test: objects of one vendor, of several, or a file with either."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.preset import read_preset_file
from contract_watch.suggestions import suggest_name

Preset = Sequence[Any] | Mapping[str, Sequence[Any]] | str | Path | None
"""A list of objects, lists by slug, or the path of a YAML or JSON file with one of them; None: no object."""
_ARGUMENT = "preset"


def read_preset(preset: Preset, slug: str, known: Collection[str]) -> tuple[dict[str, Any], str]:
    """Return a preset's objects of one vendor, by its slug, and the name of the preset in errors.

    A preset can be one for several tests, so objects of other ``known`` vendors are left out.

    Raises:
        UsageError: the file cannot be read, or a vendor is unknown.
    """
    raw: Any = preset
    source = _ARGUMENT
    if isinstance(preset, str | Path):
        raw, source = read_preset_file(preset), escape_text(str(preset))
    elif preset is None:
        return {}, source
    if not isinstance(raw, Mapping):
        return {slug: _copy(raw)}, source
    if unknown := next((name for name in raw if name not in known), None):
        raise UsageError(f"{source}: unknown vendor {show_value(unknown)}; {suggest_name(str(unknown), known)}")
    return {slug: _copy(raw[slug])} if slug in raw else {}, source


def _copy(objects: Any) -> Any:
    """Return a list that the test cannot change any more; anything else stays, to be refused."""
    return deepcopy(list(objects)) if isinstance(objects, list | tuple) else objects
