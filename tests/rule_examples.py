"""An example of each rule of the comparison of documents: how it is written, read and expanded.

`tests/rule_examples/schema/<kind>.yaml` is about a kind of edit of a schema, `tests/rule_examples/api/<rule>.yaml` about a
rule for anything else:

    in: operation
    positive:
      base: {}
      revision: {deprecated: true}
    negative:
      base: {}
      revision: {deprecated: false}
      why: False is what it is where nothing is said.

Of the positive two the rule speaks; of the negative two, which are close to them, it does not, for the reason in `why`
(others may). `in` says what they are a fragment of, as in the collection of pairs; a schema has none, as it is put into
every place that the rule is about. `malformed` says why the documents are not well formed, where the rule is about such.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.diff.document.rules import ChangeRule
from tests.document_pairs import PLACES, completed, load

JSON = Any
FOLDER = Path(__file__).parent / "rule_examples"
_VERSION = "3.1.0"
_PLACES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("request", "body"): ("request-body", "webhook-answer", "callback-answer"),
    ("request", "property"): ("request-property",),
    ("request", "parameter"): ("parameter-query", "parameter-path", "parameter-header", "parameter-cookie"),
    ("response", "body"): ("response-body", "error-body", "webhook-body", "callback-body"),
    ("response", "property"): ("response-property",),
    ("response", "header"): ("response-header",),
}
"""Where schemas are put, by the direction and the area of a rule."""

Documents = tuple[dict[str, Any], dict[str, Any]]
"""A base and its revision."""


@dataclass(frozen=True)
class Example:
    """One file. ``name`` is its folder and stem, ``place`` what its fragments are part of (none: they are schemas)."""

    name: str
    place: str
    positive: tuple[JSON, JSON]
    negative: tuple[JSON, JSON]
    why: str
    malformed: str

    def expanded(self, rule: ChangeRule, *, positive: bool) -> Iterator[tuple[str, Documents]]:
        """The documents of the positive or the negative example, in each place that ``rule`` is about, with its name."""
        for place in (self.place,) if self.place else _places(rule):
            yield place, self._documents(place, positive=positive)

    def turned(self) -> Documents:
        """The positive example with its paths as webhooks: the vendor is who calls."""
        base, revision = self._documents(self.place, positive=True)
        return _as_webhooks(base), _as_webhooks(revision)

    def _documents(self, place: str, *, positive: bool) -> Documents:
        base, revision = (_document(place, one) for one in (self.positive if positive else self.negative))
        return base, revision


def _places(rule: ChangeRule) -> tuple[str, ...]:
    """Every place where schemas stand that ``rule`` is about; what names a property itself is in all of its direction."""
    if rule.id == f"{rule.direction}-{rule.kind}":
        return tuple(place for (direction, _), all_ in _PLACES.items() if direction == rule.direction for place in all_)
    return _PLACES[rule.direction, rule.area]


def _document(place: str, fragment: JSON) -> dict[str, Any]:
    """A document of its own, that shares nothing with the fragment."""
    return completed(copy.deepcopy(PLACES[place].document(fragment)), _VERSION)


def _as_webhooks(document: dict[str, Any]) -> dict[str, Any]:
    return {**{key: said for key, said in document.items() if key != "paths"}, "webhooks": document["paths"]}


def read(folder: Path = FOLDER) -> dict[str, Example]:
    """Every example by its name.

    Raises:
        ValueError: a file is malformed, a key is written twice, or a text lacks its quotation marks.
    """
    files = sorted(folder.glob("*/*.yaml"))
    return {
        f"{file.parent.name}/{file.stem}": _example(f"{file.parent.name}/{file.stem}", load(file)) for file in files
    }


def _example(called: str, said: JSON) -> Example:
    of_schemas = called.startswith("schema/")
    known = {"positive", "negative"} | (set() if of_schemas else {"in", "malformed"})
    if set(said) - known or set(said["positive"]) != {"base", "revision"}:
        raise ValueError(f"{called}: unknown {sorted(set(said) - known)}; positive needs base and revision alone")
    if set(said["negative"]) != {"base", "revision", "why"} or (not of_schemas and said.get("in") not in PLACES):
        raise ValueError(f"{called}: negative needs base, revision and why; `in` a place")
    positive, negative = ((said[side]["base"], said[side]["revision"]) for side in ("positive", "negative"))
    why = said["negative"]["why"]
    return Example(called, said.get("in", ""), positive, negative, why, said.get("malformed", ""))
