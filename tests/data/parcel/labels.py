"""The model's state: Parcel's labels."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    Constant,
    ExpectedRow,
    ForClause,
    ListMatcher,
    Matcher,
    Mismatch,
    ObjectMatcher,
    ValuePath,
)
from contract_watch.contracts.outcomes import Interpretations

CREATE, CHANGE, REMOVE, LIST = "createLabel", "changeLabel", "removeLabel", "listLabels"
DEFAULTS = {"speed": "slow", "note": ""}
SETTINGS = ("weight", *DEFAULTS)


@dataclass(frozen=True)
class NewLabelId:
    """The matcher of an id that the server generates, none of ``used_ids``."""

    used_ids: frozenset[str]

    def render(self) -> JSON:
        return f"lb{secrets.token_hex(6)}"

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not value.isalnum():
            yield Mismatch(path, "value", "an id of letters and digits")
        elif value in self.used_ids:
            yield Mismatch(path, "repeated", "an id that was not used before")


@dataclass(frozen=True)
class Label:
    """A label; ``clause_by_property`` maps each property to the clause that determines its value."""

    id: str
    values: Mapping[str, Any]
    clause_by_property: Mapping[str, str]

    def make_row(self, suspected_clause: str | None = None) -> ObjectMatcher:
        """Build the matcher of the label's row; see `ForClause` for ``suspected_clause``."""
        values: dict[str, Matcher] = {
            name: ForClause(self.clause_by_property[name], Constant(value), suspected_clause)
            for name, value in self.values.items()
        }
        return ObjectMatcher({"id": Constant(self.id), **values})


@dataclass(frozen=True)
class LabelListMatcher(ListMatcher):
    """The matcher of the list, which contains no label with a reference for which ``is_impossible`` returns True."""

    is_impossible: Callable[[str], bool] = lambda _reference: False

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        for index, row in enumerate(value if isinstance(value, list) else ()):
            reference = row.get("reference") if isinstance(row, dict) else None
            if isinstance(reference, str) and row.get("id") not in self.known_rows and self.is_impossible(reference):
                expected = "no label that the run did not create"
                yield Mismatch((*path, index), "unexpected", expected, f"{CREATE}/effect/once")


@dataclass(frozen=True)
class ParcelState:
    """The known state of the account; ``own_prefix`` is described in `Model.start`.

    ``removed`` are the ids of removed labels, ``unknown_names`` the ids and references whose existence is unknown.
    ``last`` is the last change since the last list.
    """

    keys: frozenset[str]
    interpretations: Interpretations
    own_prefix: str
    labels: tuple[Label, ...] = ()
    removed: frozenset[str] = frozenset()
    unknown_names: frozenset[str] = frozenset()
    last: str = field(default="", compare=False)

    def find(self, name: str) -> Label | None:
        """Return the label with the id ``name``."""
        return next((label for label in self.labels if label.id == name), None)

    def find_by_reference(self, reference: str) -> Label | None:
        """Return the label with this reference."""
        return next((label for label in self.labels if label.values["reference"] == reference), None)

    def may_exist(self, name: str) -> bool:
        """Return True if an unknown label with the id or reference ``name`` can exist."""
        return name in self.unknown_names or not (name in self.removed or name.startswith(self.own_prefix))

    def with_label(self, label: Label) -> "ParcelState":
        """Return the state with ``label`` added or updated."""
        others = tuple(one for one in self.labels if one.id != label.id)
        names = {label.id, label.values["reference"]}
        return replace(
            self, labels=(*others, label), removed=self.removed - names, unknown_names=self.unknown_names - names
        )

    def without_label(self, name: str) -> "ParcelState":
        """Return the state after a removal of the id ``name``."""
        labels = tuple(label for label in self.labels if label.id != name)
        return replace(
            self, labels=labels, removed=self.removed | {name}, unknown_names=self.unknown_names - {name}, last=REMOVE
        )

    def forget_labels(self, names: Iterable[str]) -> "ParcelState":
        """Return the state in which the labels with these ids or references are unknown."""
        forgotten = set(names)
        dropped = [label for label in self.labels if forgotten & {label.id, label.values["reference"]}]
        forgotten |= {name for label in dropped for name in (label.id, label.values["reference"])}
        labels = tuple(label for label in self.labels if label not in dropped)
        unknown_names = self.unknown_names | forgotten
        return replace(self, labels=labels, removed=self.removed - forgotten, unknown_names=unknown_names)

    def make_list(self) -> ObjectMatcher:
        """Build the matcher of the list."""
        suspect = f"{self.last}/effect/untouched" if self.last else None
        known = {
            label.id: ExpectedRow(label.make_row(suspect), f"{CREATE}/effect/created", suspected_clause=suspect)
            for label in self.labels
        }
        removed = f"{REMOVE}/effect/removed"
        rows = LabelListMatcher(
            "id",
            known,
            get_absence_clause=lambda name: removed if name in self.removed else None,
            is_impossible=self.is_impossible,
        )
        return ObjectMatcher({"labels": rows})

    def is_impossible(self, reference: str) -> bool:
        """Return True if no label with this reference can exist: it is the run's own, and the run created none."""
        return bool(self.own_prefix) and not self.may_exist(reference)
