"""Stored values: predicted from what a request sent, and matched where a response shows them."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Any

from contract_watch.contracts.matchers import (
    EncodedJson,
    Matcher,
    OneOf,
    Satisfies,
    are_equal,
)
from contract_watch.contracts.resource.matchers import is_number
from contract_watch.contracts.resource.state import UNKNOWN, ResourceState
from contract_watch.contracts.resource.table import ResourceTable
from contract_watch.contracts.schema import find_kind, parse_foreign_json
from contract_watch.errors import UsageError

STORED_VALUES = "stored-values"
"""The interpretation that says if the vendor normalises values."""
SPACES = "spaces"
"""The interpretation that says if the vendor trims strings."""
SPACE = "space"
"""The normalisation that trims strings."""
_EMPTY_VALUES: tuple[Any, ...] = (None, "", [], {})
_MAX_EXACT = 2**53


class StoredSecret(str):
    """A stored secret, whose representation hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "StoredSecret(…)"


def is_ordinary(value: Any) -> bool:
    """Return True if no vendor changes ``value`` when it stores it.

    Strings with outer white space or control characters, or that another Unicode normalisation spells differently, may be
    stored otherwise, and so may numbers that a double cannot represent.
    """
    if isinstance(value, str):
        return value == value.strip() and value.isprintable() and value.isascii()
    if is_number(value):
        return bool(abs(value) < _MAX_EXACT)
    if isinstance(value, list):
        return all(is_ordinary(item) for item in value)
    if isinstance(value, dict):
        return all(is_ordinary(item) for item in value.values())
    return True


def is_storable(value: Any) -> bool:
    """Return True if every database can store ``value``: a string of valid UTF-8 without NUL, or no string."""
    return not isinstance(value, str) or not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value)


def normalise_domain(text: str) -> str:
    """Return a domain in lower case, without the root's dot."""
    return text.lower().rstrip(".")


def normalise_address(text: str) -> str:
    """Return an address in lower case, an IPv4 address without leading zeros."""
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return text.lower()


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "case": str.casefold,
    "domain": normalise_domain,
    "address": normalise_address,
    "number": str,
    SPACE: str.strip,
}


class StoredValues:
    """The stored values of one resource, as its table describes them."""

    def __init__(self, table: ResourceTable, label: str) -> None:
        self._table = table
        for name, how in table.normalised.items():
            if how not in NORMALISERS:
                raise UsageError(
                    f"{label}: resource.normalised.{name}: must be one of {', '.join(NORMALISERS)}, got {how!r}"
                )

    def is_unset(self, name: str, value: Any) -> bool:
        """Return True if ``value`` means that the request does not set the property ``name``."""
        if name not in self._table.unset:
            return False
        values = self._table.unset[name]
        return any(are_equal(value, one) for one in (values if isinstance(values, list) else [values]))

    def predict(self, state: ResourceState, name: str, value: Any) -> Any:
        """Return the value that the vendor stores, `UNKNOWN` if that is not certain."""
        if not is_storable(value):
            return UNKNOWN
        if name in self._table.secrets and isinstance(value, str):
            value = StoredSecret(value)
        if state.is_complete or name in self._table.normalised or is_ordinary(value):
            return value
        return UNKNOWN

    def match(self, state: ResourceState, name: str, value: Any, schema: Mapping[str, Any]) -> Matcher | None:
        """Build the matcher of a stored value in a response; None if any value is allowed.

        ``schema`` is the property's schema in the response. Its `x-client-type` names a form of the vendor's own: arrays
        as JSON in a string (`json-list`), booleans as integers (`flag`).
        """
        if value is UNKNOWN or name in self._table.uncertain:
            return None
        form = schema.get("x-client-type")
        if isinstance(value, list):
            return self._match_list(state, name, value, encoded=form == "json-list")
        if isinstance(value, bool):
            is_integer = form == "flag" and self.get_form(state, name) != "boolean"
            return _match_flag(value, is_integer=is_integer, is_flag=form == "flag")
        if is_number(value) and self._table.normalised.get(name) == "number":
            return _match_rounded(value, rounded=_is_normalised(state))
        if isinstance(value, str):
            return self._match_string(state, name, value)
        if value is None:
            return Satisfies(None, lambda one: any(are_equal(one, empty) for empty in _EMPTY_VALUES), "an empty value")
        if isinstance(value, dict):
            return _match_object(value)
        return Satisfies(value, lambda one: are_equal(one, value) or _is_close(one, value), _spell(value))

    def is_blank(self, name: str, value: Any) -> bool:
        """Return True if a stored value is empty, or a string that the vendor may have trimmed to an empty one."""
        is_trimmed = isinstance(value, str) and self._table.normalised.get(name) == SPACE
        return not (value.strip() if is_trimmed else value)

    def list_forms(self, state: ResourceState, name: str) -> tuple[str, ...]:
        """Return the forms in which responses can show a property; none if the documents have one only."""
        return state.interpretations.declared.get(self._table.forms.get(name, ""), ())

    def get_form(self, state: ResourceState, name: str) -> str:
        """Return the form in which the mock shows a property; empty if the documents have one only."""
        interpretation = self._table.forms.get(name, "")
        return state.get_choice(interpretation) if interpretation else ""

    def _match_string(self, state: ResourceState, name: str, value: str) -> Matcher:
        alike = state.interpretations.declared.get(self._table.alike.get(name, ""), ())
        if value in alike:
            sample = state.get_choice(self._table.alike[name])
            return Satisfies(sample, lambda one: one in alike, " or ".join(alike))
        how = self._table.normalised.get(name)
        if isinstance(value, StoredSecret):
            return Satisfies(str(value), lambda one: one == value, "the secret that was set")
        if how is None:
            return Satisfies(value, lambda one: one == value or (not value and one is None), _spell(value))
        normalise = NORMALISERS[how]
        wanted = normalise(value)
        is_normalised = trims_strings(state) if how == SPACE else _is_normalised(state)
        sample = wanted if is_normalised else value
        return Satisfies(sample, lambda one: isinstance(one, str) and normalise(one) == wanted, value)

    def _match_list(self, state: ResourceState, name: str, value: list[Any], *, encoded: bool) -> Matcher:
        how = self._table.normalised.get(name)
        normalise = NORMALISERS[how] if how is not None else None
        is_set = name in self._table.unordered

        def reduce(items: list[Any]) -> Any:
            plain = [normalise(one) if normalise is not None and isinstance(one, str) else one for one in items]
            return sorted({_spell(one) for one in plain}) if is_set else [_spell(one) for one in plain]

        sample: Any = list(value)
        if normalise is not None and _is_normalised(state):
            sample = sorted({normalise(one) for one in value}) if is_set else [normalise(one) for one in value]
        array = Satisfies(
            sample,
            lambda one: isinstance(one, list) and reduce(one) == reduce(value),
            f"the {len(value)} items that were set",
        )
        if not encoded:
            return array
        forms: list[Matcher] = [EncodedJson(array), array]
        return OneOf(forms if self.get_form(state, name) != "array" else forms[::-1])


def trims_strings(state: ResourceState) -> bool:
    """Return True if the mock trims strings."""
    return state.get_choice(SPACES) == "trimmed"


def _is_normalised(state: ResourceState) -> bool:
    return STORED_VALUES in state.interpretations.declared and state.get_choice(STORED_VALUES) == "normalised"


def _match_flag(value: bool, *, is_integer: bool, is_flag: bool) -> Matcher:
    if not is_flag:
        return Satisfies(value, lambda one: one is value, _spell(value))
    sample = int(value) if is_integer else value
    return Satisfies(sample, lambda one: isinstance(one, int | float) and bool(one) == value, str(int(value)))


def _match_rounded(value: float, *, rounded: bool) -> Matcher:
    def is_equal(one: Any) -> bool:
        if not is_number(one):
            return False
        whole = isinstance(one, int) or float(one).is_integer()
        return _is_close(one, value) or bool(whole and abs(one - value) < 1)

    return Satisfies(int(value) if rounded else value, is_equal, f"{value}, possibly rounded")


def _match_object(value: dict[str, Any]) -> Matcher:
    """Build the matcher of a nested object: the properties that were set; an empty one may be missing."""

    def is_equal(one: Any) -> bool:
        if not isinstance(one, dict):
            return False
        return all(
            expected is UNKNOWN or are_equal(one.get(name), expected) or (expected in ("", None) and not one.get(name))
            for name, expected in value.items()
        )

    sample = {name: inner for name, inner in value.items() if inner is not UNKNOWN}
    return Satisfies(sample, is_equal, f"an object with {_spell(sample)}")


def _is_close(left: Any, right: Any) -> bool:
    if not (is_number(left) and is_number(right)):
        return False
    try:
        return left == right or math.isclose(left, right, rel_tol=1e-9)
    except OverflowError:  # an integer beyond every float is close to itself alone
        return False


def _spell(value: Any) -> str:
    return repr(value) if not isinstance(value, dict) else repr(sorted(value.items(), key=str))


def decode(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return the value of a request that a response shows as ``value``, in the form that its schema documents."""
    form = schema.get("x-client-type")
    if form == "flag" and isinstance(value, int | float):
        return bool(value)
    if form == "json-list" and isinstance(value, str):
        try:
            return parse_foreign_json(value)
        except ValueError:
            return value
    return value


def parse_time(value: Any, form: str) -> float:
    """Return a time in seconds since the epoch; ``form`` is an `x-client-type`, RFC 3339 by default.

    Raises:
        ValueError: it is no time of that form.
    """
    if form in ("seconds", "milliseconds"):
        number = float(value)
        return number / 1000 if form == "milliseconds" else number
    if is_number(value):
        return float(value) / 1000 if value > 10_000_000_000 else float(value)
    text = str(value).strip().replace(" ", "T", 1).replace("Z", "+00:00")
    if text[-3:-2] in "+-" and text.count(":") >= 2 and len(text) > 19:
        text += ":00"  # an offset of hours alone
    moment = dt.datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)).timestamp()


def format_time(moment: float, schema: Mapping[str, Any]) -> Any:
    """Return a time in the form that ``schema`` documents."""
    form = schema.get("x-client-type")
    if form == "milliseconds":
        return str(int(moment * 1000)) if find_kind(schema) == "string" else int(moment * 1000)
    if form == "seconds" or find_kind(schema) in ("integer", "number"):
        return int(moment)
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
