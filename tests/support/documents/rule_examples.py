"""An example of each rule of the comparison of documents: how it is written, read and expanded.

`tests/data/rule_examples/schema/<kind>.yaml` is about a kind of edit of a schema, `tests/data/rule_examples/api/<rule>.yaml` about a
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
from tests.support.documents.pairs import FRAGMENT_KINDS, complete_document, load_yaml

JSON = Any
DIRECTORY = Path(__file__).parents[2] / "data" / "rule_examples"
_VERSION = "3.1.0"
_FRAGMENT_KINDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("request", "body"): ("request-body", "webhook-answer", "callback-answer"),
    ("request", "property"): ("request-property",),
    ("request", "parameter"): ("parameter-query", "parameter-path", "parameter-header", "parameter-cookie"),
    ("response", "body"): ("response-body", "error-body", "webhook-body", "callback-body"),
    ("response", "property"): ("response-property",),
    ("response", "header"): ("response-header",),
}
"""Where schemas are put, by the direction and the area of a rule."""

DocumentVersions = tuple[dict[str, Any], dict[str, Any]]
"""A base and its revision."""


@dataclass(frozen=True)
class RuleExample:
    """One file. ``name`` is its folder and stem, ``place`` what its fragments are part of (none: they are schemas)."""

    name: str
    fragment_kind: str
    positive: tuple[JSON, JSON]
    negative: tuple[JSON, JSON]
    why: str
    malformed: str

    def expand_documents(self, rule: ChangeRule, *, positive: bool) -> Iterator[tuple[str, DocumentVersions]]:
        """The documents of the positive or the negative example, in each place that ``rule`` is about, with its name."""
        for place in (self.fragment_kind,) if self.fragment_kind else _list_fragment_kinds(rule):
            yield place, self._make_documents(place, positive=positive)

    def make_webhook_documents(self) -> DocumentVersions:
        """The positive example with its paths as webhooks: the vendor is who calls."""
        base, revision = self._make_documents(self.fragment_kind, positive=True)
        return _convert_to_webhooks(base), _convert_to_webhooks(revision)

    def _make_documents(self, place: str, *, positive: bool) -> DocumentVersions:
        base, revision = (_make_document(place, one) for one in (self.positive if positive else self.negative))
        return base, revision


def _list_fragment_kinds(rule: ChangeRule) -> tuple[str, ...]:
    """Every place where schemas stand that ``rule`` is about; what names a property itself is in all of its direction."""
    if rule.id == f"{rule.direction}-{rule.kind}":
        return tuple(
            place for (direction, _), all_ in _FRAGMENT_KINDS.items() if direction == rule.direction for place in all_
        )
    return _FRAGMENT_KINDS[rule.direction, rule.area]


def _make_document(place: str, fragment: JSON) -> dict[str, Any]:
    """A document of its own, that shares nothing with the fragment."""
    return complete_document(copy.deepcopy(FRAGMENT_KINDS[place].wrap(fragment)), _VERSION)


def _convert_to_webhooks(document: dict[str, Any]) -> dict[str, Any]:
    return {**{key: said for key, said in document.items() if key != "paths"}, "webhooks": document["paths"]}


def load_examples(folder: Path = DIRECTORY) -> dict[str, RuleExample]:
    """Every example by its name.

    Raises:
        ValueError: a file is malformed, a key is written twice, or a text lacks its quotation marks.
    """
    files = sorted(folder.glob("*/*.yaml"))
    return {
        f"{file.parent.name}/{file.stem}": _parse_example(f"{file.parent.name}/{file.stem}", load_yaml(file))
        for file in files
    }


def _parse_example(name: str, entry: JSON) -> RuleExample:
    of_schemas = name.startswith("schema/")
    known = {"positive", "negative"} | (set() if of_schemas else {"in", "malformed"})
    if set(entry) - known or set(entry["positive"]) != {"base", "revision"}:
        raise ValueError(f"{name}: unknown {sorted(set(entry) - known)}; positive needs base and revision alone")
    if set(entry["negative"]) != {"base", "revision", "why"} or (
        not of_schemas and entry.get("in") not in FRAGMENT_KINDS
    ):
        raise ValueError(f"{name}: negative needs base, revision and why; `in` a place")
    positive, negative = ((entry[side]["base"], entry[side]["revision"]) for side in ("positive", "negative"))
    why = entry["negative"]["why"]
    return RuleExample(name, entry.get("in", ""), positive, negative, why, entry.get("malformed", ""))
