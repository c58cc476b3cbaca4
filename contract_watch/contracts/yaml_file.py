"""YAML of a contract's files."""

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """Parse ``text`` with libyaml where it is installed, which takes a quarter of the time.

    Raises:
        yaml.YAMLError: the text is not YAML. PyYAML's own parser words the error, so that it is the same everywhere.
    """
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 (a safe loader)
    except yaml.YAMLError:
        return yaml.safe_load(text)
