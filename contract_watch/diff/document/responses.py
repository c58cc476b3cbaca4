"""Responses: the statuses that there are, their bodies and headers."""

from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document import media_types
from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.parameters import has_parts, is_text, notation, style
from contract_watch.diff.document.source import mapping

_NAMED = ("content-type",)
"""Headers that OpenAPI says elsewhere."""


def compare(journal: Journal, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Tell what changed between two ``responses`` objects."""
    old, new = (mapping(said) for said in (base, revision))
    old, new = ({_key(status): status for status in said} for said in (old, new))
    for key, status in old.items():
        other = next((one for one in (key, f"{key[0]}XX") if one in new and one != "DEFAULT"), None)
        other = key if key == "DEFAULT" and key in new else other
        if other is None and key.endswith("XX"):
            parts = [one for one in new if one[0] == key[0] and one.isdigit() and one not in old]
            for one in parts:  # some of the range are named one by one now
                _kept(journal, base[status], revision[new[one]], ((*at[0], status), (*at[1], new[one])))
            if parts:
                journal.tell("response-range-narrowed", (*at[0], status), f"of {status} only {', '.join(parts)}")
                continue
        if other is None:
            _gone(journal, key, status, list(old), (*at[0], status))
        else:
            _kept(journal, base[status], revision[new[other]], ((*at[0], status), (*at[1], new[other])))
    for key, status in new.items():
        if key in old:
            continue
        wide = f"{key[0]}XX"
        if wide in old:
            if wide in new:  # it fell under the range, which goes on for others
                _kept(journal, base[old[wide]], revision[status], ((*at[0], old[wide]), (*at[1], status)))
            continue  # or it was told with the range
        word = "default" if key == "DEFAULT" else "success" if key.startswith("2") else "error"
        journal.tell(f"{word}-response-added", (*at[1], status), f"response {status} added")


def _key(status: object) -> str:
    return str(status).upper()


def _gone(journal: Journal, key: str, status: str, others: list[str], at: Tokens) -> None:
    words = f"response {status} removed"
    if key == "DEFAULT":
        alone = not any(other.startswith("2") for other in others)
        journal.tell(f"{'only-default' if alone else 'default'}-response-removed", at, words)
    elif key[0] in "12345" and len(key) == 3:
        journal.tell(f"{'success' if key[0] == '2' else 'error'}-response-removed", at, words)


def _kept(journal: Journal, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = journal.base.followed(base), journal.revision.followed(revision)
    places = ((*at[0], "content"), (*at[1], "content"))
    media_types.compare(journal, "response", old.get("content"), new.get("content"), places)
    before, after = (_headers(said) for said in (old, new))
    for name, (raw, written) in before.items():
        was = journal.base.followed(raw)
        here = (*at[0], "headers", written)
        if name not in after:
            needed = "required-" if was.get("required") is True else ""
            journal.tell(f"response-header-{needed}removed", here, f"header {written} removed")
            continue
        is_, place = journal.revision.followed(after[name][0]), (*at[1], "headers", after[name][1])
        _header(journal, was, is_, (here, place))
    for name, (_, written) in after.items():
        if name not in before:
            journal.tell("response-header-added", (*at[1], "headers", written), f"header {written} added")


def _headers(answer: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    said = answer.get("headers")
    said = mapping(said)
    return {name.lower(): (raw, name) for name, raw in said.items() if name.lower() not in _NAMED}


def _header(journal: Journal, was: Mapping[str, Any], is_: Mapping[str, Any], at: tuple[Tokens, Tokens]) -> None:
    if (was.get("required") is True) != (is_.get("required") is True):
        word = "required" if is_.get("required") is True else "optional"
        journal.tell(f"response-header-became-{word}", at[1], f"header {at[1][-1]} became {word}")
    if (was.get("deprecated") is True) != (is_.get("deprecated") is True):
        word = "deprecated" if is_.get("deprecated") is True else "reactivated"
        journal.tell(f"response-header-{word}", at[1], f"header {at[1][-1]} {word}")
    before, after = (notation(said) for said in (was, is_))
    if before[0] != after[0]:
        words = f"header {at[1][-1]} is written as {after[0] or 'a plain value'} now"
        journal.tell("response-header-media-type-changed", at[1], words)
        return
    parts = [has_parts(source.followed(schema[1])) for source, schema in
             ((journal.base, before), (journal.revision, after))]  # fmt: skip
    if style(was) != style(is_) and all(parts):
        journal.tell("response-header-style-changed", at[1], f"header {at[1][-1]} is written otherwise now (explode)")
    places = ((*at[0], *before[2]), (*at[1], *after[2]))
    journal.schema("header", before[1], after[1], places, textual=is_text(after[0]))
