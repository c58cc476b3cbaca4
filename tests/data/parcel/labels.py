"""What is known of Parcel's labels: what exists, what is gone, and of what nothing is known."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
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

CREATE, CHANGE, REMOVE, LIST = "createLabel", "changeLabel", "removeLabel", "listLabels"
DEFAULTS = {"speed": "slow", "note": ""}
SETTINGS = ("weight", *DEFAULTS)


@dataclass(frozen=True)
class NewLabelId:
    """An id that the server makes up, none of ``taken``."""

    taken: frozenset[str]

    def render(self) -> JSON:
        return f"lb{secrets.token_hex(6)}"

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not value.isalnum():
            yield Mismatch(path, "value", "an id of letters and digits")
        elif value in self.taken:
            yield Mismatch(path, "repeated", "an id that was never given before")


@dataclass(frozen=True)
class Label:
    """One label; ``owed`` has, by property, the clause by which it has its value."""

    id: str
    values: Mapping[str, Any]
    clause_by_property: Mapping[str, str]

    def make_row(self, otherwise: str | None = None) -> ObjectMatcher:
        """The label as it is shown; ``otherwise`` is suspected where a value is not what was seen to be set."""
        values: dict[str, Matcher] = {
            name: ForClause(self.clause_by_property[name], Constant(value), otherwise)
            for name, value in self.values.items()
        }
        return ObjectMatcher({"id": Constant(self.id), **values})


@dataclass(frozen=True)
class LabelListMatcher(ListMatcher):
    """The list of labels: none is there under a reference that ``strange`` knows to be nobody's."""

    is_unknown: Callable[[str], bool] = lambda _reference: False

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        for index, row in enumerate(value if isinstance(value, list) else ()):
            reference = row.get("reference") if isinstance(row, dict) else None
            if isinstance(reference, str) and row.get("id") not in self.known_rows and self.is_unknown(reference):
                yield Mismatch((*path, index), "unexpected", "no label that nobody made", f"{CREATE}/effect/once")


@dataclass(frozen=True)
class ParcelState:
    """Everything known. Ids and references beginning with ``own_prefix`` exist only if they are here: the mock's is empty.

    ``gone`` are ids that were removed, ``doubtful`` ids and references of which nothing is known, ``last`` is the last
    change since the list was read.
    """

    keys: frozenset[str]
    interpretations: Interpretations
    own_prefix: str
    labels: tuple[Label, ...] = ()
    removed: frozenset[str] = frozenset()
    unknown_names: frozenset[str] = frozenset()
    last: str = field(default="", compare=False)

    def find(self, name: str) -> Label | None:
        """The label with that id."""
        return next((label for label in self.labels if label.id == name), None)

    def find_by_reference(self, reference: str) -> Label | None:
        """The label with that reference."""
        return next((label for label in self.labels if label.values["reference"] == reference), None)

    def may_exist(self, name: str) -> bool:
        """Whether an id or a reference that is not here may be there all the same."""
        return name in self.unknown_names or not (name in self.removed or name.startswith(self.own_prefix))

    def with_label(self, label: Label) -> "ParcelState":
        """The state with one label more, or with a label as it is now."""
        others = tuple(one for one in self.labels if one.id != label.id)
        marks = {label.id, label.values["reference"]}
        return replace(
            self, labels=(*others, label), removed=self.removed - marks, unknown_names=self.unknown_names - marks
        )

    def without_label(self, name: str) -> "ParcelState":
        """The state in which no label has that id."""
        kept = tuple(label for label in self.labels if label.id != name)
        return replace(
            self, labels=kept, removed=self.removed | {name}, unknown_names=self.unknown_names - {name}, last=REMOVE
        )

    def forget_labels(self, names: Iterable[str]) -> "ParcelState":
        """The state in which nothing is known of the labels that have these ids or references."""
        lost = set(names)
        dropped = [label for label in self.labels if lost & {label.id, label.values["reference"]}]
        lost |= {text for label in dropped for text in (label.id, label.values["reference"])}
        kept = tuple(label for label in self.labels if label not in dropped)
        return replace(self, labels=kept, removed=self.removed - lost, unknown_names=self.unknown_names | lost)

    def make_list(self) -> ObjectMatcher:
        """All labels as the list shows them."""
        otherwise = f"{self.last}/effect/untouched" if self.last else None
        known = {
            label.id: ExpectedRow(label.make_row(otherwise), f"{CREATE}/effect/created", suspected_clause=otherwise)
            for label in self.labels
        }
        gone = f"{REMOVE}/effect/removed"
        rows = LabelListMatcher(
            "id",
            known,
            get_absence_clause=lambda name: gone if name in self.removed else None,
            is_unknown=self.is_impossible,
        )
        return ObjectMatcher({"labels": rows})

    def is_impossible(self, reference: str) -> bool:
        """Whether nobody but this run could have made a label under that reference, and it made none more."""
        return bool(self.own_prefix) and not self.may_exist(reference)
