"""``python -m tests.bench.untold_differences BASE REVISION``: differences between two documents that no change tells.

The documents are compared as plain JSON, without a notion of their meaning, and each difference is looked up among the
places that `compare` tells. What is left is for a person to read: most of it changes no value (another spelling), and the rest was missed. Prose, examples, extensions and components that no
operation reaches are left out.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.diff.document import compare
from contract_watch.diff.document.json_pointer import format_pointer, parse_pointer
from contract_watch.diff.document.loader import load_document
from contract_watch.escaping import escape_text, format_json

_PROSE = frozenset({"description", "summary", "title", "example", "examples", "externalDocs", "tags", "info"})
_SETS = frozenset({"enum", "required", "type", "tags"})
"""Keywords with lists whose order says nothing."""
_NAMES = frozenset({"properties", "schemas", "paths", "responses", "headers", "parameters", "content", "mapping", "callbacks"})  # fmt: skip
"""Keywords whose keys are names, which may be those of prose."""
_MAX_VALUE_LENGTH = 100

Difference = tuple[tuple[str, ...], Any, Any]
_ABSENT = object()


def find_differences(
    base: Any, revision: Any, path: tuple[str, ...] = (), *, holds_names: bool = False
) -> Iterator[Difference]:
    """Yield the location and both values of each difference of two values; absent ones are `_ABSENT`."""
    if isinstance(base, Mapping) and isinstance(revision, Mapping):
        for key in dict.fromkeys((*base, *revision)):
            if holds_names or (key not in _PROSE and not key.startswith("x-")):
                old, new = base.get(key, _ABSENT), revision.get(key, _ABSENT)
                yield from find_differences(old, new, (*path, key), holds_names=key in _NAMES and not holds_names)
    elif isinstance(base, list) and isinstance(revision, list):
        yield from _find_in_lists(base, revision, path)
    elif base is _ABSENT or revision is _ABSENT or format_json(base) != format_json(revision):
        yield path, base, revision


def _find_in_lists(base: list[Any], revision: list[Any], path: tuple[str, ...]) -> Iterator[Difference]:
    """Pair the items of two lists by what they are, then by position."""
    keyword = path[-1] if path else ""
    if keyword in _SETS:
        lost, gained = (
            [one for one in some if one not in other] for some, other in ((base, revision), (revision, base))
        )
        if lost or gained:
            yield path, lost, gained
        return
    names = [_name_items(some) for some in (base, revision)]
    for name in dict.fromkeys((*names[0], *names[1])):
        old, new = (some.get(name, _ABSENT) for some in names)
        yield from find_differences(old, new, (*path, name))


def _name_items(items: Sequence[Any]) -> dict[str, Any]:
    """Return the items by names that survive another order, where they have one."""
    found: dict[str, Any] = {}
    for position, item in enumerate(items):
        name = str(position)
        if isinstance(item, Mapping):
            if "$ref" in item:
                name = str(item["$ref"]).rpartition("/")[2]
            elif "in" in item and "name" in item:
                name = f"{item['in']}:{item['name']}"
            elif isinstance(item.get("title"), str):
                name = item["title"]
        found[name if name not in found else f"{name}#{position}"] = item
    return found


def _find_used(document: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return the components that an operation reaches, as ``("components", kind, name)``."""
    used: set[tuple[str, ...]] = set()
    waiting: list[Any] = [
        document.get("paths"),
        document.get("webhooks"),
        document.get("components", {}).get("securitySchemes"),
    ]
    while waiting:
        value = waiting.pop()
        waiting += value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        if isinstance(value, str) and value.startswith("#/components/"):
            tokens = parse_pointer(value[1:])[:3]
            if tokens not in used:
                used.add(tokens)
                waiting.append(document["components"].get(tokens[1], {}).get(tokens[-1]))
    return used


def find_untold(base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[Difference]:
    """Return the differences for which no change has a place above, at or below them."""
    told = {
        place
        for change in compare(base, revision).changes
        for place in (change.place, *(use.location for use in change.uses))
    }
    above = set(told)
    below = {place[:end] for place in told for end in range(len(place)) if place[end] == "/"}
    used = _find_used(base) | _find_used(revision)
    found = []
    for difference in find_differences(base, revision):
        tokens = difference[0]
        if tokens[0] == "components" and tokens[1] != "securitySchemes" and tokens[:3] not in used:
            continue
        pointers = [format_pointer(tokens[:end]) for end in range(1, len(tokens) + 1)]
        if not any(one in above for one in pointers) and pointers[-1] not in below and pointers[-2:][0] not in below:
            found.append(difference)
    return found


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Print what no change tells, and how often each keyword is among it."""
    parser = cli.CommandParser("tests.bench.untold_differences", __doc__)
    parser.add_argument("base", help="the older document")
    parser.add_argument("revision", help="the newer one")
    given = parser.parse_args(arguments)
    found = find_untold(*(load_document(Path(name), []) for name in (given.base, given.revision)))
    for tokens, old, new in found:
        print(f"{escape_text(format_pointer(tokens))}: {_show(old)} → {_show(new)}")
    counted = Counter(tokens[-1] if not tokens[-1].isdigit() else tokens[-2] for tokens, _, _ in found)
    words = ", ".join(f"{escape_text(name)} {number}" for name, number in counted.most_common(20))
    print(f"{len(found)} differences that no change tells: {words or 'none'}")
    return 0


def _show(value: Any) -> str:
    return "absent" if value is _ABSENT else escape_text(" ".join(format_json(value).split()), _MAX_VALUE_LENGTH)


if __name__ == "__main__":
    sys.exit(main())
