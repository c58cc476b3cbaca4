"""Comparison of two OpenAPI documents: the changes between them, and the consumers that each change breaks.

A request may accept more values, never fewer; a response may return fewer, never more. Each kind of change has a rule in
`rules.toml`. The package knows no vendor.

`loader`, `json_parser`, `yaml_parser`, `file_bundle`, `reference_check`, `limits`
    load a document from bytes or files, strictly and within limits; one line refuses anything else.
`fetching`
    fetches a document from an address; anything but the whole document is inconclusive.
`source`, `json_pointer`, `equality`
    resolve references, and find equal parts of the two documents.
`normalized_schema`, `schema_reader`, `plain_groups`, `possible_types`, `idle_keywords`, `normalization`, `unevaluated`
    read a schema as the set of its conditions: references followed, `allOf` merged, equivalent spellings made one.
`schemas`, `scalars`, `nullability`, `formats`, `objects`, `arrays`, `conditions`, `discriminators`, `annotations`,
`schema_location`
    compare two schemas; the resulting edits have no direction.
`combinators`, `group_forms`, `member_matching`, `member_splitting`, `member_names`
    compare combinators: bring both into a common form, match their members, and name them.
`renames`, `moved_operations`
    pair a removed name with the added name that replaces it, and guess where an operation is now.
`value_text`
    writes values into messages.
`lazy_references`
    compares the targets of two references once, and reports the edits wherever the references occur.
`operations`, `parameters`, `media_types`, `encoding`, `responses`, `security`, `servers`, `deprecation`
    compare everything that is not a schema.
`rules.toml`, `rules`, `change_log`, `changes`
    assess edits and changes by direction and area.
`place_log`, `places`
    tell each place of a change once, with the operations that reach it.
`scope`, `document_cache`
    extract the part under contract; cache the document that was compared last.

An edit has an effect on a set of values (`Effect`: widens, narrows, both, unclear, nothing). Only the change log knows
the direction of the values, and asks the rule. An edit whose location hides its effect (members of a `oneOf` that overlap
before and after, anything below `contains` with a maximum) is exactly a warning.

Run time is linear in the size of the documents and of the output. A pair of references is compared once, references to
unchanged schemas are not followed, and edits far away in a network of references are reported for one root only. The
same comparison checks if one schema is a subset of another. An open check in a cycle counts as True; if the result turns
out to be False, the results that relied on it are discarded.
"""

import datetime as dt
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract_watch.diff.document import operations
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import ApiChange, ChangeLevel, Comparison, Direction
from contract_watch.diff.document.place_log import PlaceLog

__all__ = ["ApiChange", "ChangeLevel", "Comparison", "Direction", "compare"]


def compare(
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    *,
    today: dt.date | None = None,
    with_servers: bool = True,
    with_uses: bool = False,
) -> Comparison:
    """Compare two OpenAPI documents (3.0, 3.1 or 3.2) whose references are all local.

    A change is told once for its place, with the operations that reach it; the level is that of its worst use.

    Args:
        base: the older document.
        revision: the newer document.
        today: the date that decides which sunset dates have passed; by default the current date in UTC.
        with_servers: False leaves the servers of both documents out.
        with_uses: True returns every use of every place instead, as the assessment of a client needs them. Documents
            whose schemas reach each other may have hundreds of thousands.
    """
    log = ChangeLog if with_uses else PlaceLog
    change_log = log(base, revision, today or dt.datetime.now(dt.UTC).date())
    with _pause_collection():
        operations.compare(change_log, with_servers=with_servers)
        return change_log.build_comparison()


@contextmanager
def _pause_collection() -> Iterator[None]:
    """Pause the collector of cycles: it walks both documents over and over, and a comparison leaves few cycles."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()
