"""Presets: the objects that vendors have when a test begins, from a file or a request."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from contract_watch.contracts.resource.preset_values import describe_unknown, show_value
from contract_watch.errors import UsageError
from contract_watch.mock.atomic_changes import change_all
from contract_watch.mock.vendor import MockVendor


def read_preset_file(path: str | Path) -> Any:
    """Return the preset in a file: JSON if its name ends in ``.json``, else YAML.

    Raises:
        UsageError: the file cannot be read, or is no preset by its form.
    """
    # YAML's parser loads slowly, and few mocks have a preset.
    from contract_watch.mock.preset_text import MAX_PRESET, parse_preset  # noqa: PLC0415

    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_PRESET + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); give a file"
        ) from error
    return parse_preset(content, str(path), is_yaml=file.suffix.lower() != ".json")


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
            raise UsageError(f"{source}: unknown vendor {show_value(slug)}; {describe_unknown(str(slug), vendors)}")
    prepared = {slug: vendors[slug].prepare(objects, f"{source}: {slug}") for slug, objects in raw.items()}
    change_all((vendors[slug], partial(vendors[slug].restore, saved)) for slug, saved in prepared.items())
