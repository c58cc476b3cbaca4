"""Presets: the objects that vendors have when a test begins, from a file or a request."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from contract_watch.contracts.plain.reader import parse_one, read_bytes
from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.atomic_changes import change_all
from contract_watch.mock.vendor import MockVendor
from contract_watch.suggestions import suggest_name

MAX_PRESET = 64 * 1024 * 1024
"""The largest preset, in bytes."""
_MAX_DEPTH = 32


def read_preset_file(path: str | Path) -> Any:
    """Return the preset in a file: JSON if its name ends in ``.json``, else YAML.

    Raises:
        UsageError: the file cannot be read, or is no preset by its form.
    """
    file, label = Path(path), escape_text(str(path))
    return parse_preset(read_bytes(file, MAX_PRESET, label), label, is_json=file.suffix.lower() == ".json")


def parse_preset(content: bytes, source: str, *, is_json: bool) -> Any:
    """Parse a preset; ``source`` names it in errors.

    Raises:
        UsageError: it is too deep, no JSON or YAML, or has a name twice in one object.
    """
    return parse_one(content, source, _MAX_DEPTH, is_json=is_json).value


def load_preset(vendors: Mapping[str, MockVendor], raw: Any, source: str) -> None:
    """Give each vendor in ``raw``, by slug, its objects in place of its state; ``source`` names the preset in errors.

    Raises:
        UsageError: a vendor is unknown, or an object breaks its contract; no state has changed then.
        StateNotSavedError: a state could not be stored; all are as before.
    """
    if not isinstance(raw, dict):
        raise UsageError(f'{source}: must be an object {{"<vendor>": [<objects>]}}, got {show_value(raw)}')
    for slug in raw:
        if slug not in vendors:
            raise UsageError(f"{source}: unknown vendor {show_value(slug)}; {suggest_name(str(slug), vendors)}")
    prepared = {slug: vendors[slug].prepare(objects, f"{source}: {slug}") for slug, objects in raw.items()}
    change_all((vendors[slug], partial(vendors[slug].restore, saved)) for slug, saved in prepared.items())
