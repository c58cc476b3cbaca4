"""One object in memory for equal parts of many items: operations give most objects the same clauses."""

from collections.abc import Mapping

_MOST = 4096
"""Parts that are shared at most; others are stored as they are, so memory stays bounded."""
_MAPPINGS: dict[frozenset[tuple[str, str]], Mapping[str, str]] = {}
_SHARED: dict[int, Mapping[str, str]] = {}
"""The shared mappings by their identity, which is known sooner than that they are equal."""
_NAMES: dict[frozenset[str], frozenset[str]] = {}


def share_mapping(mapping: Mapping[str, str]) -> Mapping[str, str]:
    """Return the shared mapping that equals ``mapping``."""
    if _SHARED.get(id(mapping)) is mapping:
        return mapping
    key = frozenset(mapping.items())
    if len(_MAPPINGS) >= _MOST and key not in _MAPPINGS:
        return mapping
    shared = _MAPPINGS.setdefault(key, mapping)
    _SHARED[id(shared)] = shared
    return shared


def share_names(names: frozenset[str]) -> frozenset[str]:
    """Return the shared set that equals ``names``."""
    if len(_NAMES) >= _MOST and names not in _NAMES:
        return names
    return _NAMES.setdefault(names, names)
