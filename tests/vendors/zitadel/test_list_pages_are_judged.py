"""The suite allows any page of the list from a faithful instance, and finds a page that drifted."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.matchers import Mismatch, collect_clauses, is_match
from contract_watch.contracts.request import MissingBody
from tests.vendors.zitadel.model_driver import (
    ACTIVATE,
    ADD,
    CONTRACT,
    DEACTIVATE,
    FULL,
    GET,
    LIST,
    NEW,
    NEW_PASSWORD,
    PASSWORD,
    REMOVE,
    UNKNOWN_ID,
    ZitadelModelDriver,
)

ALL = {"query": {"limit": 100}}
HISTORY = {"sequence": "7", "creationDate": "2020-01-01T00:00:00Z", "resourceOwner": "1"}
Rows = list[dict[str, Any]]


def _make_foreign_row(number: int, state: str = "INACTIVE") -> dict[str, Any]:
    """Somebody else's configuration; every other one is a provider that is no SMTP server."""
    server = {"senderAddress": "x@example.org", "senderName": "X", "host": "smtp.example.org:25", "tls": True}
    response = {"id": f"9{number}", "details": HISTORY, "state": f"SMTP_CONFIG_{state}"}
    return {**response, **(server if number % 2 else {"description": "web hook"})}


@pytest.fixture(name="three_configs")
def _three_configs() -> ZitadelModelDriver:
    """Start the suite's model with three configurations: the second is active, a fourth was removed."""
    return _add_three_configs(ZitadelModelDriver.start("ct-"))


def _add_three_configs(model: ZitadelModelDriver) -> ZitadelModelDriver:
    for number in range(4):
        model.send_accepted(ADD, {**FULL, "description": f"ct-mark-{number}"})
        model.send_accepted(GET)
        if number == 1:
            model.send_accepted(ACTIVATE)
            model.send_accepted(LIST, ALL)
    model.send_accepted(REMOVE)
    return model


def _list_own_rows(model: ZitadelModelDriver) -> Rows:
    """All rows of the run's own, as the mock says them."""
    rows: Rows = _find_list_matcher(model, ALL).render().get("result", [])
    return rows


def _find_list_matcher(model: ZitadelModelDriver, body: Any) -> Any:
    outcome = model.list_outcomes(LIST, body)[0]
    assert outcome.status == 200
    return outcome.body


def _list_mismatches(model: ZitadelModelDriver, response: Any, body: Any = ALL) -> list[Mismatch]:
    return list(_find_list_matcher(model, body).find_mismatches(response))


def _make_details(**values: Any) -> dict[str, Any]:
    return {"details": {"viewTimestamp": "2025-03-04T16:03:38.339Z", **values}}


@dataclass(frozen=True)
class FaithfulInstance:
    """A faithful instance's choices for pages: the order, the default limit, the total or none."""

    others: int
    active: bool
    seed: int
    default_limit: int
    has_total: bool

    def make_page(self, own: Rows, query: dict[str, Any]) -> dict[str, Any]:
        """Return the response with the page of ``query``."""
        foreign = [_make_foreign_row(number, "ACTIVE" if self.active and not number else "INACTIVE")
                   for number in range(self.others)]  # fmt: skip
        rows = random.Random(self.seed).sample([*own, *foreign], len(own) + self.others)
        first = int(query.get("offset", 0))
        response = rows[first : first + (query.get("limit") or self.default_limit)]
        details = _make_details(totalResult=str(len(rows))) if self.has_total and response else _make_details()
        return {**details, "result": response} if response else details


INSTANCES = st.builds(
    FaithfulInstance, st.integers(0, 4), st.booleans(), st.integers(), st.integers(1, 9), st.booleans()
)
QUERIES = st.fixed_dictionaries(
    {}, optional={"offset": st.integers(0, 9).map(str), "limit": st.integers(0, 9) | st.just(100) | st.just(5000)}
)


@settings(max_examples=300)
@given(INSTANCES, QUERIES, st.booleans())
def test_any_page_of_a_faithful_instance_is_allowed(
    instance: FaithfulInstance, query: dict[str, Any], ours: bool
) -> None:
    """The page fits the matcher and the document's schema.

    Rows may be foreign, in any order, one of either owner active. The default page size may be any, and the total may
    be absent. Offset and limit are optional.
    """
    model = _add_three_configs(ZitadelModelDriver.start("ct-"))
    if ours:
        instance = replace(instance, active=False)
    else:
        model.send_accepted(DEACTIVATE, None, model.state.configs[1].name)
    response = instance.make_page(_list_own_rows(model), query)
    assert _list_mismatches(model, response, {"query": query}) == []
    schema = CONTRACT.operations[LIST].responses[200].media["application/json"]
    assert schema is not None
    assert (schema.find_violations(response), list(schema.find_undocumented(response))) == ([], [])


def _remove_row(index: int) -> Callable[[Rows], Rows]:
    return lambda rows: rows[:index] + rows[index + 1 :]


def _edit_row(index: int, **changed: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:index], {**rows[index], **changed}, *rows[index + 1 :]]


INACTIVE, ACTIVE = "SMTP_CONFIG_INACTIVE", "SMTP_CONFIG_ACTIVE"
AS_READ, COMPLETE, OTHERS = f"{LIST}/effect/as-read", f"{LIST}/effect/complete", f"{ACTIVATE}/effect/others"

# What is done to the rows, and the first mismatch: its kind, its clause, and what is suspected instead.
DRIFTS: dict[str, tuple[Callable[[Rows], Rows], str, str | None, str | None]] = {
    "row-missing": (_remove_row(0), "row-missing", f"{REMOVE}/effect/untouched", COMPLETE),
    "row-twice": (lambda rows: [*rows, rows[0]], "repeated", f"{REMOVE}/effect/untouched", None),
    "removed-row": (lambda rows: [*rows, {**rows[0], "id": "gone"}], "unexpected", f"{REMOVE}/effect/removed", None),
    "stray-row": (lambda rows: [*rows, {**rows[0], "id": "5"}], "unexpected", f"{ADD}/effect/once", None),
    "wrong-state": (_edit_row(1, state=INACTIVE), "value", f"{ACTIVATE}/effect/state", f"{REMOVE}/effect/untouched"),
    "state-of-another": (_edit_row(0, state=ACTIVE), "value", f"{ADD}/effect/state", f"{REMOVE}/effect/untouched"),
    "two-active": (lambda rows: [*rows, _make_foreign_row(1, "ACTIVE")], "value", OTHERS, None),
    "text": (_edit_row(2, host="other.example.com:25"), "value", f"{ADD}/effect/host", f"{REMOVE}/effect/untouched"),
    "reply": (_edit_row(2, replyToAddress="x@example.com"), "value", f"{ADD}/effect/replyToAddress",
              f"{REMOVE}/effect/untouched"),
    "nothing": (lambda _rows: [], "row-missing", f"{REMOVE}/effect/untouched", COMPLETE),
}  # fmt: skip


@pytest.mark.parametrize("drift", list(DRIFTS))
def test_a_row_that_drifted_is_seen(three_configs: ZitadelModelDriver, drift: str) -> None:
    """One row is missing, extra or different.

    The mismatch has that kind, cites the violated clause and names the suspected one.
    """
    edit, *expected = DRIFTS[drift]
    removed = next(iter(three_configs.state.removed_names))
    rows = [{**row, "id": removed} if row["id"] == "gone" else row for row in edit(_list_own_rows(three_configs))]
    found = _list_mismatches(three_configs, {**_make_details(), "result": rows})[0]
    assert [found.kind, found.clause, found.suspected_clause] == expected


def test_what_was_read_since_is_the_lists_own_fault(three_configs: ZitadelModelDriver) -> None:
    """A read by id after the last change was right, so the list itself is at fault.

    A missing row and a wrong value cite the list's clauses.
    """
    for config in three_configs.state.configs:
        three_configs.send_accepted(GET, None, config.name)
    rows = _list_own_rows(three_configs)
    [missing] = _list_mismatches(three_configs, {**_make_details(), "result": rows[1:]})
    [value] = _list_mismatches(
        three_configs, {**_make_details(), "result": _edit_row(0, host="other.example.com:25")(rows)}
    )
    assert (missing.clause, value.suspected_clause) == (COMPLETE, AS_READ)


# The query, the number of rows, the total in the response; the kind and clause of each mismatch.
LENGTHS: dict[str, tuple[dict[str, Any], int, str | None, list[tuple[str, str | None]]]] = {
    "fewer than the limit, and not all": ({"limit": 10}, 2, None, [("row-missing", f"{REMOVE}/effect/untouched")]),
    "fewer, whatever the total says": ({"limit": 10}, 2, "4", [("row-missing", f"{REMOVE}/effect/untouched")]),
    "fewer than the total and the limit": ({"limit": 10}, 3, "4", [("too-few", COMPLETE)]),
    "as many as the limit": ({"limit": 2}, 2, None, []),
    "more than the limit": ({"limit": 1}, 2, None, [("too-many", f"{LIST}/effect/limit")]),
    "none, though there are some": ({}, 0, None, [("too-few", COMPLETE)]),
    "none of so many": ({"limit": 2}, 0, None, [("row-missing", f"{REMOVE}/effect/untouched")]),
    "one left out": ({"offset": "1", "limit": 10}, 2, "3", []),
    "the offset forgotten": ({"offset": "1", "limit": 10}, 3, "3", [("too-many", f"{LIST}/effect/offset")]),
    "rows past the end": ({"offset": "9"}, 3, "3", [("too-many", f"{LIST}/effect/offset")]),
    "past the end": ({"offset": "9"}, 0, None, []),
    "a default that is short": ({}, 1, "3", []),
    "a total below what is there": ({"limit": 2}, 2, "2", [("value", None)]),
}  # fmt: skip


@pytest.mark.parametrize("case", list(LENGTHS))
def test_a_page_is_as_long_as_it_has_to_be(three_configs: ZitadelModelDriver, case: str) -> None:
    """A page's length is a mismatch only if no order and no foreign rows explain it.

    The page has some of the run's three rows.
    """
    query, count, total, expected = LENGTHS[case]
    rows = _list_own_rows(three_configs)[:count]
    response = {**_make_details(**({"totalResult": total} if total else {})), **({"result": rows} if rows else {})}
    kinds = dict.fromkeys((one.kind, one.clause) for one in _list_mismatches(three_configs, response, {"query": query}))
    assert [kind for kind in kinds if kind[0] != "row-missing" or kind in expected] == expected


def test_a_part_of_the_list_shows_no_promise_kept(three_configs: ZitadelModelDriver) -> None:
    """A page that may lack rows satisfies no clause about rows; only the whole list does."""
    assert f"{ADD}/effect/host" in set(collect_clauses(_find_list_matcher(three_configs, ALL)))
    for query in ({"limit": 3}, {"offset": "1", "limit": 100}, {}, {"limit": 101}):
        assert set(collect_clauses(_find_list_matcher(three_configs, {"query": query}))) == set()


def test_the_list_teaches_what_a_read_teaches() -> None:
    """Either of two configurations may be active, and the list decides it.

    A later read must have the sequence that the list showed.
    """
    model = ZitadelModelDriver.start("ct-")
    model.send_accepted(ADD, NEW)
    first = model.id
    model.send_accepted(ACTIVATE)
    model.send_accepted(ADD, NEW)
    model.send_accepted(PASSWORD, NEW_PASSWORD)
    assert model.list_statuses(ACTIVATE) == model.list_statuses(ACTIVATE, None, first) == {200, 400}
    rows = [{**row, "state": ACTIVE if row["id"] == model.id else INACTIVE} for row in _list_own_rows(model)]
    rows[1]["details"] = {**rows[1]["details"], "sequence": "40"}
    [outcome] = [one for one in model.list_outcomes(LIST, ALL) if one.status == 200]
    assert outcome.body is not None
    assert is_match(outcome.body, {**_make_details(), "result": rows})
    model.follow_outcome(outcome, {**_make_details(), "result": rows})
    assert (model.list_statuses(ACTIVATE), model.list_statuses(ACTIVATE, None, first)) == ({400}, {200})
    assert model.read_config()["details"]["sequence"] == "40"


def test_another_that_is_active_tells_that_ours_is_not() -> None:
    """A password may have activated the run's configuration, but the list shows a foreign one as active."""
    model = ZitadelModelDriver.start("ct-")
    model.send_accepted(ADD, NEW)
    model.send_accepted(PASSWORD, NEW_PASSWORD)
    outcome = model.list_outcomes(LIST, {})[0]
    model.follow_outcome(outcome, {**_make_details(), "result": [_make_foreign_row(1, "ACTIVE")]})
    assert model.list_statuses(ACTIVATE) == {200}


def test_what_may_have_been_added_is_no_stray(three_configs: ZitadelModelDriver) -> None:
    """Only a row that cannot exist is a mismatch.

    A creation may have had no response or no id, and a foreign row is always possible; a refused creation's row is not.
    """
    three_configs.state = CONTRACT.model.forget(three_configs.state, ["ct-unanswered"])
    outcome = three_configs.list_outcomes(ADD, {**NEW, "description": " ct-nameless "})[0]
    three_configs.follow_outcome(outcome, {"details": {"sequence": "9"}})
    rows = _list_own_rows(three_configs)
    for mark in ("ct-unanswered", "ct-nameless", "cu-other"):
        assert (
            _list_mismatches(
                three_configs, {**_make_details(), "result": [*rows, {**rows[0], "id": "5", "description": mark}]}
            )
            == []
        )
    three_configs.send_request(ADD, {**NEW, "description": "ct-refused"}, None, "unprivileged")
    [found] = _list_mismatches(
        three_configs, {**_make_details(), "result": [*rows, {**rows[0], "id": "5", "description": "ct-refused"}]}
    )
    assert (found.clause, found.object_name) == (f"{ADD}/effect/once", "5")


# A query as JSON says it, and the statuses that are allowed to the admin.
ENCODED_QUERIES: list[tuple[Any, set[int]]] = [
    ({}, {200}), ({"query": {}}, {200}), ({"query": None}, {200}), ({"note": 1}, {200}), (MissingBody.ABSENT, {200, 400}),
    ({"query": {"offset": 1, "limit": "2", "asc": True}}, {200}), ({"query": {"offset": None, "note": []}}, {200}),
    ({"query": {"offset": "18446744073709551615", "limit": 100}}, {200}), ({"query": {"limit": 0}}, {200}),
    ({"query": {"limit": 101}}, {200, 400}), ({"query": {"limit": 4294967295}}, {200, 400}),
    ({"query": {"limit": 10.0}}, {200, 400}), ({"query": {"offset": "1e1"}}, {200, 400}),
    ({"query": {"offset": "007"}}, {200, 400}), ({"query": []}, {400}), ({"query": "1"}, {400}), ([], {400}),
    ({"query": {"offset": "-1"}}, {400}), ({"query": {"offset": 18446744073709551616}}, {400}),
    ({"query": {"offset": "one"}}, {400}), ({"query": {"offset": ""}}, {400}), ({"query": {"offset": [1]}}, {400}),
    ({"query": {"limit": -1}}, {400}), ({"query": {"limit": 4294967296}}, {400}), ({"query": {"limit": 1.5}}, {400}),
    ({"query": {"limit": True}}, {400}), ({"query": {"limit": float("inf")}}, {400}), ({"query": {"asc": "true"}}, {400}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "statuses"), ENCODED_QUERIES, ids=[str(case[0]) for case in ENCODED_QUERIES])
def test_queries_are_read_as_protojson_reads_them(body: Any, statuses: set[int]) -> None:
    """Protojson accepts unsigned numbers up to a maximum, quoted or not."""
    assert ZitadelModelDriver.start("ct-").list_statuses(LIST, body) == statuses


@pytest.mark.parametrize(("body", "authorization"), [({"query": {"limit": 10.0}}, "Bearer wrong"), ({"query": []}, "")])
def test_nobody_gets_a_list_without_a_token(body: Any, authorization: str) -> None:
    """Without a valid token a doubtful query and an invalid one are only refused; 401 is allowed."""
    allowed = ZitadelModelDriver.start("ct-").list_statuses(LIST, body, authorization=authorization)
    assert 401 in allowed <= {400, 401}


def test_the_mock_pages(mock_model: ZitadelModelDriver) -> None:
    """The mock's page follows limit and offset, and the total counts all rows."""
    assert mock_model.send_request(LIST, {}) == (200, _make_details(viewTimestamp="2025-11-21T08:00:00.000Z"))
    _add_three_configs(mock_model)
    marks = [row["description"] for row in _list_own_rows(mock_model)]
    assert marks == ["ct-mark-0", "ct-mark-1", "ct-mark-2"]
    for query, expected in (({"limit": 2}, marks[:2]), ({"offset": "1"}, marks[1:]), ({"offset": 1, "limit": 1}, marks[1:2]),
                          ({"offset": "3"}, [])):  # fmt: skip
        response = mock_model.send_request(LIST, {"query": query})[1]
        assert [row["description"] for row in response.get("result", [])] == expected
        assert response["details"]["totalResult"] == "3"
        assert ("result" in response) == bool(expected)


@pytest.mark.parametrize(("interpretation", "response"), [("omitted", None), ("shown", FULL["replyToAddress"])])
def test_the_list_may_leave_the_answer_address_out(
    three_configs: ZitadelModelDriver, interpretation: str, response: str | None
) -> None:
    """The message has a reply-to address, but the vendor's source does not fill it in. The suite allows both."""
    model = _add_three_configs(ZitadelModelDriver.start("", {"listed-reply-to": interpretation}))
    assert [row.get("replyToAddress") for row in _list_own_rows(model)] == [response] * 3
    ours = [{**row, "replyToAddress": response} if response else row for row in _list_own_rows(three_configs)]
    assert _list_mismatches(three_configs, {**_make_details(), "result": ours}) == []


def test_a_lagging_list_shows_what_was(mock_model: ZitadelModelDriver) -> None:
    """List and read use the same projection: a removed row is still listed at once, and not after the lag."""
    mock_model = ZitadelModelDriver.start("", {"projection": "lagging"})
    mock_model.send_request(ADD, NEW, at=10.0)
    mock_model.send_request(REMOVE, at=20.0)
    pages = [mock_model.send_request(LIST, {}, at=at)[1].get("result", []) for at in (20.1, 21.0)]
    assert [len(rows) for rows in pages] == [1, 0]


def test_the_list_names_nobodys_password(three_configs: ZitadelModelDriver) -> None:
    """The mock's rows contain neither the password nor a property for it."""
    text = json.dumps(_list_own_rows(_add_three_configs(ZitadelModelDriver.start(""))))
    assert FULL["password"] not in text
    assert "password" not in text
    assert UNKNOWN_ID not in json.dumps(_list_own_rows(three_configs))


def test_list_read_changes_nothing_though_it_is_a_post() -> None:
    """The engine treats the list as read-only, unlike every other POST."""
    assert [name for name in CONTRACT.operations if CONTRACT.is_read_only(name)] == [LIST, GET]
    assert CONTRACT.list_config is not None
    assert CONTRACT.list_config.operation == LIST
