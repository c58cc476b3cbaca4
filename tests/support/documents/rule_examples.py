"""Examples of the rules of the comparison of documents: their format, their parser and their documents.

The example of a rule of schemas is `tests/data/rule_examples/schema/<id>.yaml`, that of any other rule
`tests/data/rule_examples/api/<id>.yaml`:

    in: operation
    positive:
      base: {}
      revision: {deprecated: true}
    negative:
      base: {}
      revision: {deprecated: false}
      why: False is the default.

The rule applies to the positive pair. It does not apply to the negative pair, which is similar, for the reason in
`why`; other rules may. `in` is the kind of fragment, as in the collection of pairs; a schema has none, because it is put
into every kind that the rule covers. `openapi` is the version, `"3.1"` by default. `malformed` states why the documents are not well formed, for rules about such.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.diff.document import Direction
from contract_watch.diff.document.rules import ChangeRule
from tests.support.documents.pairs import FRAGMENT_KINDS, VERSIONS, complete_document, load_yaml

JSON = Any
DIRECTORY = Path(__file__).parents[2] / "data" / "rule_examples"
_FRAGMENT_KINDS: Mapping[tuple[Direction, str], tuple[str, ...]] = {
    ("request", "body"): ("request-body", "webhook-answer", "callback-answer"),
    ("request", "property"): ("request-property",),
    ("request", "parameter"): ("parameter-query", "parameter-path", "parameter-header", "parameter-cookie"),
    ("response", "body"): ("response-body", "error-body", "webhook-body", "callback-body"),
    ("response", "property"): ("response-property",),
    ("response", "header"): ("response-header",),
}
"""The kinds of fragment that schemas are put into, by direction and area."""

DocumentVersions = tuple[dict[str, Any], dict[str, Any]]
"""A base and its revision."""


@dataclass(frozen=True)
class ExampleDocuments:
    """The documents of an example in one kind of fragment, with the direction and the area of the change."""

    fragment_kind: str
    direction: Direction
    area: str
    base: dict[str, Any]
    revision: dict[str, Any]


@dataclass(frozen=True)
class RuleExample:
    """One file.

    ``name`` is its directory and stem, ``fragment_kind`` the kind of its fragments ("": they are schemas), ``version`` that
    of OpenAPI.
    """

    name: str
    fragment_kind: str
    positive: tuple[JSON, JSON]
    negative: tuple[JSON, JSON]
    why: str
    malformed: str
    version: str = VERSIONS["3.1"]

    def expand_documents(self, rule: ChangeRule, *, positive: bool) -> Iterator[ExampleDocuments]:
        """Yield the documents of the positive or the negative example for each kind of fragment that ``rule`` applies to."""
        if self.fragment_kind:
            base, revision = self._make_documents(self.fragment_kind, positive=positive)
            yield ExampleDocuments(self.fragment_kind, rule.direction, rule.area, base, revision)
            return
        for kind, direction, area in _list_fragment_kinds(rule):
            base, revision = self._make_documents(kind, positive=positive)
            yield ExampleDocuments(kind, direction, area, base, revision)

    def make_webhook_documents(self) -> DocumentVersions:
        """Return the positive example with its paths as webhooks, where the vendor sends the requests."""
        base, revision = self._make_documents(self.fragment_kind, positive=True)
        return _convert_to_webhooks(base), _convert_to_webhooks(revision)

    def _make_documents(self, location: str, *, positive: bool) -> DocumentVersions:
        base, revision = (
            _make_document(location, one, self.version) for one in (self.positive if positive else self.negative)
        )
        return base, revision


def _list_fragment_kinds(rule: ChangeRule) -> Iterator[tuple[str, Direction, str]]:
    """Yield each kind of fragment that a rule of schemas applies to, with the direction and the area of its changes.

    The example of an object rule is an object, so it fits every kind of fragment; its changes are those of a property.
    """
    for (direction, area), kinds in _FRAGMENT_KINDS.items():
        if rule.is_object_rule or area in rule.areas[direction]:
            for kind in kinds:
                yield kind, direction, "property" if rule.is_object_rule else area


def _make_document(location: str, fragment: JSON, version: str) -> dict[str, Any]:
    """Return a new document that shares nothing with the fragment."""
    return complete_document(copy.deepcopy(FRAGMENT_KINDS[location].wrap(fragment)), version)


def _convert_to_webhooks(document: dict[str, Any]) -> dict[str, Any]:
    return {**{key: spec for key, spec in document.items() if key != "paths"}, "webhooks": document["paths"]}


def get_example_name(rule: ChangeRule) -> str:
    """Return the name of a rule's example: its path below the directory of examples, without the suffix."""
    return f"schema/{rule.id}" if rule.is_schema_rule else f"api/{rule.id}"


def load_examples(directory: Path = DIRECTORY) -> dict[str, RuleExample]:
    """Return all examples by name.

    Raises:
        ValueError: a file is malformed, a key is duplicated, or a string lacks its quotation marks.
    """
    files = sorted(directory.glob("*/*.yaml"))
    return {
        f"{file.parent.name}/{file.stem}": _parse_example(f"{file.parent.name}/{file.stem}", load_yaml(file))
        for file in files
    }


def _parse_example(name: str, entry: JSON) -> RuleExample:
    of_schemas = name.startswith("schema/")
    known = {"positive", "negative", "malformed"} | (set() if of_schemas else {"in", "openapi"})
    if set(entry) - known or set(entry["positive"]) != {"base", "revision"}:
        raise ValueError(f"{name}: unknown {sorted(set(entry) - known)}; positive needs base and revision alone")
    if set(entry["negative"]) != {"base", "revision", "why"} or (
        not of_schemas and entry.get("in") not in FRAGMENT_KINDS
    ):
        raise ValueError(f"{name}: negative needs base, revision and why; `in` a place")
    positive, negative = ((entry[side]["base"], entry[side]["revision"]) for side in ("positive", "negative"))
    why = entry["negative"]["why"]
    version = VERSIONS[entry.get("openapi", "3.1")]
    return RuleExample(name, entry.get("in", ""), positive, negative, why, entry.get("malformed", ""), version)
