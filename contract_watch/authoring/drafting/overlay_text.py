"""Actions of an overlay, and the file that holds them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Action = dict[str, Any]
_SHORT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def build_action(path: Sequence[str | int], description: str, update: Any) -> Action:
    """Return the action that merges ``update`` into the node at ``path``; ``description`` is our own text."""
    return {"target": format_target(path), "description": description, "update": update}


def format_target(path: Sequence[str | int]) -> str:
    """Return the JSONPath of the node at ``path`` (RFC 9535, section 2.5.1)."""
    return "$" + "".join(map(_format_segment, path))


def _format_segment(part: str | int) -> str:
    if isinstance(part, str) and _SHORT_NAME.fullmatch(part):
        return f".{part}"
    return f"[{_quote_name(part) if isinstance(part, str) else part}]"


def _quote_name(name: str) -> str:
    is_plain = name.isascii() and name.isprintable() and not {"'", '"', "\\"} & set(name)
    return f"'{name}'" if is_plain else json.dumps(name)


def format_overlay(title: str, actions: Sequence[Mapping[str, Any]]) -> str:
    """Return the overlay file as YAML; characters that nobody sees are escaped."""
    raw = {"overlay": "1.0.0", "info": {"title": title, "version": "1.0.0"}, "actions": [dict(one) for one in actions]}
    is_visible = json.dumps(raw, ensure_ascii=False).isprintable()
    return yaml.dump(
        raw, Dumper=_PlainDumper, sort_keys=False, allow_unicode=is_visible, width=120, default_flow_style=None
    )


class _PlainDumper(yaml.SafeDumper):
    """A dumper without anchors: the same list twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """See SafeDumper."""
        del data
        return True
