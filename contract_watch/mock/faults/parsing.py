"""The reading of a fault from JSON: its fields, their schema, and combinations that contradict each other."""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import Schema
from contract_watch.errors import UsageError
from contract_watch.mock.faults.calls import Where
from contract_watch.mock.faults.catalog import FaultCatalog
from contract_watch.mock.faults.delays import DELAY_SCHEMA, MAX_DELAY, parse_delay
from contract_watch.mock.faults.fault import ALWAYS, LOST, REFUSED, Fault, FaultAction, Slow
from contract_watch.mock.faults.rate import CONTRACT_RATE, RATE_SCHEMA, AccountLimits
from contract_watch.mock.faults.values import check_json, quote
from contract_watch.suggestions import suggest_name

_MANY = 1_000_000
_STRING = {"type": "string"}
_HEADER_NAME = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_ID = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "id": {"type": "string", "pattern": _ID},
    "vendor": _STRING,
    "account": _STRING,
    "operation": _STRING,
    "method": _STRING,
    "path": _STRING,
    "where": {"type": "object"},
    "times": {"type": ["integer", "string"], "minimum": 1, "maximum": _MANY, "pattern": f"^{ALWAYS}$"},
    "nth": {"type": "integer", "minimum": 1, "maximum": _MANY},
    "one_in": {"type": "integer", "minimum": 2, "maximum": _MANY},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "optional": {"type": "boolean"},
    "status": {"type": "integer", "minimum": 200, "maximum": 599},
    "body": {},
    "headers": {
        "type": "object",
        "propertyNames": {"pattern": _HEADER_NAME},
        "additionalProperties": {"type": "string", "pattern": "^[ -~]*$", "maxLength": 8192},
        "maxProperties": 100,
    },
    "delay": DELAY_SCHEMA,
    "cut": {"type": "integer", "minimum": 0, "maximum": _MANY},
    "slow": {
        "type": ["integer", "object"],
        "minimum": 1,
        "maximum": 10**9,
        "properties": {
            "bytes": {"type": "integer", "minimum": 1, "maximum": _MANY},
            "pause": {"type": "number", "minimum": 0, "maximum": MAX_DELAY},
        },
        "required": ["bytes", "pause"],
        "additionalProperties": False,
    },
    "close": {"type": "boolean"},
    "lost": {"type": "boolean"},
    "refused": {"type": "boolean"},
    "rate": RATE_SCHEMA,
}
_WHERE_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "body": {},
    "header": {"type": "object", "propertyNames": {"pattern": _HEADER_NAME}, "additionalProperties": _STRING},
    "query": {"type": "object", "additionalProperties": _STRING},
}
_ENDINGS = ("close", "lost", "refused")
_EFFECTS = ("status", "headers", "delay", "cut", "slow", "rate", *_ENDINGS)
_NOT_WITH_RATE = ("operation", "method", "path", "where", "times", "nth", "one_in", "cut", "slow", *_ENDINGS)
_BODILESS = (204, 205, 304)
_FRAMING = ("connection", "content-length", "transfer-encoding")
_PARTS_A_SECOND = 10
"""Parts of a slow body in a second, if it is that long."""


@cache
def _compile(name: str) -> Schema:
    """Compile the schema of the fault, or of its ``where``."""
    fields = _WHERE_FIELDS if name == "where" else _FIELDS
    return Schema({}, {"type": "object", "properties": fields})


def parse_fault(raw: Any, catalog: FaultCatalog, label: str, fallback_id: str) -> Fault:
    """Build the fault that the JSON value ``raw`` describes.

    Args:
        raw: the fault; a field that is null counts as absent.
        catalog: the requests that a fault can be for.
        label: the begin of every error.
        fallback_id: the id of a fault that has none.

    Raises:
        UsageError: it is malformed, contradicts itself or can never play.
    """
    if isinstance(raw, MissingBody) or not isinstance(raw, dict):
        raise UsageError(f"{label}: must be a JSON object, or a list of objects; send one")
    check_json(label, raw)
    _check_names(label, "", raw, _FIELDS)
    given = {name: deepcopy(value) for name, value in raw.items() if value is not None or name == "times"}
    _check_schema(label, given)
    given = {name: _convert_integers(value, _FIELDS[name]) for name, value in given.items()}
    if "method" in given:
        given["method"] = given["method"].upper()
    for problem in _find_contradictions(given):
        raise UsageError(f"{label}: {problem}")
    action = _parse_action(label, given)
    where = _parse_where(label, given.get("where", {}))
    target = catalog.resolve_target(label, given, where, is_rest_only=action.is_for_rest_only)
    if given.get("rate") == CONTRACT_RATE:
        catalog.check_rates(label, sorted(target.vendors))
    one_in = given.get("one_in", 1)
    times = given.get("times", ALWAYS if one_in > 1 or "rate" in given else 1)
    return Fault(
        id=given.get("id", fallback_id),
        target=target,
        action=action,
        given=given,
        times=None if times == ALWAYS else times,
        nth=given.get("nth", 0),
        one_in=one_in,
        optional=given.get("optional", False),
        seed=given.get("seed", 0),
    )


def _check_names(label: str, below: str, raw: Mapping[str, Any], known: Collection[str]) -> None:
    for name in raw:
        if name not in known:
            raise UsageError(f"{label}: unknown field {quote(below + name)}; {suggest_name(name, known)}")


def _check_schema(label: str, given: Mapping[str, Any], name: str = "") -> None:
    violations = _compile(name).find_violations(given)
    if violations:
        pointer = "/".join(filter(None, (name, violations[0].pointer)))
        expected = f"; or {quote(ALWAYS)}" if pointer == "times" else ""
        raise UsageError(f"{label}: {quote(pointer)} is not valid; expected {violations[0].expected}{expected}")


def _convert_integers(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return ``value`` with an integer in place of each whole float, such as 5.0, that its schema takes for one."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {name: _convert_integers(inner, properties.get(name, {})) for name, inner in value.items()}
    return int(value) if isinstance(value, float) and "integer" in schema.get("type", ()) else value


def _find_contradictions(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the reasons why the fields of a fault do not go together."""
    if "rate" in given:
        yield from (
            f"`rate` counts all requests of an account and cannot go with {quote(name)}; remove one of them"
            for name in _NOT_WITH_RATE
            if _is_set(given, name) and given[name] != ALWAYS
        )
    elif "body" in given and "status" not in given:
        yield "`body` needs a `status`; add one"
    elif not any(_is_set(given, name) for name in _EFFECTS):
        yield f"has no effect; add one of {', '.join(_EFFECTS)}"
    if given.get("status") in _BODILESS and given.get("body") is not None:
        yield f"a response with the status {given['status']} has no body; remove `body`"
    if "nth" in given and "one_in" in given:
        yield "`nth` cannot go with `one_in`; keep one"
    ends = [name for name in (*_ENDINGS, "cut") if _is_set(given, name)]
    if len(ends) > 1:
        yield f"`{ends[0]}` cannot go with `{ends[1]}`; keep one"
    if ends and ends[0] != "cut":
        yield from (
            f"`{name}` never arrives with `{ends[0]}`; remove one of them"
            for name in ("status", "headers", "slow")
            if _is_set(given, name)
        )
    yield from (
        f"the header {quote(name)} is the server's own; use `cut` or `close` to break a response"
        for name in given.get("headers", {})
        if name.lower() in _FRAMING
    )


def _is_set(given: Mapping[str, Any], name: str) -> bool:
    """Return True if a field asks for something: 0 does, false and an empty object do not."""
    value = given.get(name)
    return value is not None and value is not False and value != {}


def _parse_action(label: str, given: Mapping[str, Any]) -> FaultAction:
    body = given.get("body")
    if isinstance(body, str):  # a lone surrogate cannot be sent
        body = body.encode("utf-8", "replace").decode()
    rate = given.get("rate")
    limits = None if rate is None else AccountLimits(rate if isinstance(rate, dict) else {})
    is_lost = given.get("close") or given.get("lost")
    return FaultAction(
        status=given.get("status"),
        body=body,
        has_body="body" in given,
        headers=given.get("headers", {}),
        delay=parse_delay(label, given.get("delay")),
        cut=given.get("cut"),
        slow=_parse_slow(given.get("slow")),
        ending=REFUSED if given.get("refused") else LOST if is_lost else "",
        limits=limits,
    )


def _parse_slow(raw: Any) -> Slow | None:
    """Return the pace: bytes a second, or an object."""
    if isinstance(raw, dict):
        return Slow(raw["bytes"], float(raw["pause"]))
    if raw is None:
        return None
    size = max(1, raw // _PARTS_A_SECOND)
    return Slow(size, size / raw)


def _parse_where(label: str, raw: Mapping[str, Any]) -> Where:
    _check_names(label, "where/", raw, _WHERE_FIELDS)
    _check_schema(label, {name: value for name, value in raw.items() if value is not None}, "where")
    header = {name.lower(): value for name, value in (raw.get("header") or {}).items()}
    return Where(raw.get("body"), header, raw.get("query") or {}, "body" in raw)
