"""Every interpretation that the mock can take makes exactly the difference that it is named for."""

import copy
from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.model_driver import CREATE, DELETE, UPDATE, ModelDriver

Step = tuple[Any, ...]
A: dict[str, Any] = {"username": "a"}
SET = {"username": "a", "approvedDomains": ["B.io", "a.io"], "ipRestrictions": ["010.0.0.1"], "quota": 2.5}
ALL = {"username": "a", "allowAllDomains": True}
ANY = {"currentUsername": "a", "allowAnyDomain": True}
RENAME = {"currentUsername": "a", "newUsername": "a"}
INACTIVE = {"currentUsername": "a", "status": "inactive"}
SHORT = "\U0001f511" * 4
"""4 characters, 8 UTF-16 units, 16 bytes."""
LONG = "é" * 60
"""60 characters, 60 UTF-16 units, 120 bytes."""

# The interpretation, its value, other interpretations, earlier steps, the request with its status, properties of the row.
CASES: list[tuple[str, str, Mapping[str, str], list[Step], Step, int, Mapping[str, Any]]] = [
    ("names", "refused", {}, [], (CREATE, {"username": "FOO"}), 400, {}),
    ("names", "sanitised", {}, [], (CREATE, {"username": "Foo  Bar"}), 200, {"username": "foo--bar"}),
    ("names", "sanitised", {}, [], (CREATE, {"username": "A"}), 200, {"username": "a"}),
    ("names", "lowered", {}, [], (CREATE, {"username": "FOO"}), 200, {"username": "foo"}),
    ("names", "lowered", {}, [], (CREATE, {"username": "Foo Bar"}), 400, {}),
    ("names", "sanitised", {}, [(CREATE, {"username": "foo"})], (CREATE, {"username": "FOO"}), 409, {}),
    ("sanitiser", "hyphenate", {"names": "sanitised"}, [], (CREATE, {"username": "_a. b"}), 200, {"username": "-a--b"}),
    ("sanitiser", "drop", {"names": "sanitised"}, [], (CREATE, {"username": "_a. b"}), 200, {"username": "ab"}),
    ("sanitiser", "collapse", {"names": "sanitised"}, [], (CREATE, {"username": "_a. b"}), 200, {"username": "a-b"}),
    ("sanitiser", "drop", {"names": "sanitised"}, [], (CREATE, {"username": "!"}), 400, {}),
    ("sanitiser", "drop", {"names": "sanitised"}, [], (CREATE, {"username": "a" * 64 + " "}), 200, {"username": "a" * 64}),
    ("sanitiser", "hyphenate", {"names": "sanitised"}, [], (CREATE, {"username": "a" * 64 + " "}), 400, {}),
    ("lookup", "exact", {}, [(CREATE, A)], (DELETE, {"username": "A"}), 404, {}),
    ("lookup", "sanitised", {}, [(CREATE, A)], (DELETE, {"username": "A"}), 200, {}),
    ("lookup", "sanitised", {}, [(CREATE, A)], (UPDATE, {"currentUsername": "A", "quota": 7}), 200, {"quota": 7}),
    ("lookup", "sanitised", {}, [(CREATE, {"username": "a-b"})], (DELETE, {"username": "A B"}), 200, {}),
    ("lookup", "sanitised", {"sanitiser": "drop"}, [(CREATE, {"username": "a-b"})], (DELETE, {"username": "A B"}), 404, {}),
    ("unique", "account", {}, [(CREATE, A, "free")], (CREATE, A), 200, {"username": "a"}),
    ("unique", "global", {}, [(CREATE, A, "free")], (CREATE, A), 409, {}),
    ("unique", "global", {}, [(CREATE, A, "free"), (CREATE, {"username": "b"})],
     (UPDATE, {"currentUsername": "b", "newUsername": "a"}), 409, {"username": "b"}),
    ("unknown-properties", "ignored", {}, [], (CREATE, {**A, "note": 1}), 200, {"username": "a"}),
    ("unknown-properties", "refused", {}, [], (CREATE, {**A, "note": 1}), 400, {}),
    ("unknown-properties", "refused", {}, [(CREATE, A)], (DELETE, {**A, "note": 1}), 400, {"username": "a"}),
    ("unknown-only-update", "400", {}, [(CREATE, A)], (UPDATE, {"currentUsername": "a", "note": 1}), 400, {}),
    ("unknown-only-update", "200", {}, [(CREATE, A)], (UPDATE, {"currentUsername": "a", "note": 1}), 200, {"quota": 0}),
    ("unknown-only-update", "200", {}, [(CREATE, A)], (UPDATE, {"currentUsername": "a"}), 400, {}),
    ("rename-to-itself", "200", {}, [(CREATE, A)], (UPDATE, RENAME), 200, {"username": "a"}),
    ("rename-to-itself", "409", {}, [(CREATE, A)], (UPDATE, RENAME), 409, {"username": "a"}),
    ("rename-to-itself", "400", {}, [(CREATE, A)], (UPDATE, RENAME), 400, {"username": "a"}),
    ("impossible-name", "404", {}, [], (DELETE, {"username": "a b"}), 404, {}),
    ("impossible-name", "400", {}, [], (DELETE, {"username": "a b"}), 400, {}),
    ("impossible-name", "400", {}, [], (UPDATE, {"currentUsername": "a" * 65, "quota": 1}), 400, {}),
    ("stored-flag", "400", {}, [(CREATE, ALL)], (UPDATE, ANY), 400, {"allowAnyDomain": 0}),
    ("stored-flag", "200-clear", {"list-all-domains": "boolean"}, [(CREATE, ALL)], (UPDATE, ANY), 200,
     {"allowAnyDomain": 1, "allowAllDomains": False}),
    ("stored-flag", "200-keep", {"list-all-domains": "boolean"}, [(CREATE, ALL)], (UPDATE, ANY), 200,
     {"allowAnyDomain": 1, "allowAllDomains": True}),
    ("password-length", "characters", {}, [], (CREATE, {**A, "password": SHORT}), 400, {}),
    ("password-length", "utf16", {}, [], (CREATE, {**A, "password": SHORT}), 200, {"username": "a"}),
    ("password-length", "bytes", {}, [], (CREATE, {**A, "password": SHORT}), 200, {"username": "a"}),
    ("password-length", "characters", {}, [], (CREATE, {**A, "password": LONG}), 200, {"username": "a"}),
    ("password-length", "utf16", {}, [], (CREATE, {**A, "password": LONG}), 200, {"username": "a"}),
    ("password-length", "bytes", {}, [], (CREATE, {**A, "password": LONG}), 400, {}),
    ("password-length", "utf16", {}, [], (CREATE, {**A, "password": SHORT * 10}), 400, {}),
    ("patterns", "corrected", {}, [], (CREATE, {**A, "approvedDomains": ["a!io"]}), 400, {}),
    ("patterns", "published", {}, [], (CREATE, {**A, "approvedDomains": ["a!io"]}), 200, {"username": "a"}),
    ("patterns", "published", {}, [], (CREATE, {**A, "approvedDomains": ["!"]}), 400, {}),
    ("patterns", "published", {}, [], (CREATE, {**A, "ipRestrictions": ["1x2y3z4"]}), 200, {"username": "a"}),
    ("stored-values", "verbatim", {"list-texts": "array"}, [], (CREATE, SET), 200,
     {"approvedDomains": ["B.io", "a.io"], "ipRestrictions": ["010.0.0.1"], "quota": 2.5}),
    ("stored-values", "normalised", {"list-texts": "array"}, [], (CREATE, SET), 200,
     {"approvedDomains": ["a.io", "b.io"], "ipRestrictions": ["10.0.0.1"], "quota": 2}),
    *[("new-status", status, {}, [], (CREATE, A), 200, {"status": status})
      for status in ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked")],
    ("list-inactive", "inactive", {}, [(CREATE, A)], (UPDATE, INACTIVE), 200, {"status": "inactive"}),
    ("list-inactive", "disabled", {}, [(CREATE, A)], (UPDATE, INACTIVE), 200, {"status": "disabled"}),
    ("list-texts", "encoded", {}, [], (CREATE, SET), 200, {"approvedDomains": '["B.io","a.io"]'}),
    ("list-texts", "array", {}, [], (CREATE, SET), 200, {"approvedDomains": ["B.io", "a.io"]}),
    ("list-all-domains", "absent", {}, [], (CREATE, ALL), 200, {"allowAllDomains": None}),
    ("list-all-domains", "integer", {}, [], (CREATE, ALL), 200, {"allowAllDomains": 1}),
    ("list-all-domains", "boolean", {}, [], (CREATE, ALL), 200, {"allowAllDomains": True}),
]  # fmt: skip

TESTED_ELSEWHERE = {
    "order": "test_told_order_is_kept below",
    "bearer-case": "test_bearer_in_lower_case below",
    "head": "test_mock_server, over HTTP",
    "options": "test_mock_server, over HTTP",
}


@pytest.mark.parametrize(
    ("name", "value", "also", "before", "step", "status", "response"), CASES, ids=[f"{c[0]}={c[1]}" for c in CASES]
)
def test_chosen_interpretation_makes_its_difference(
    jetemail: Contract, name: str, value: str, also: Mapping[str, str], before: list[Step], step: Step, status: int,
    response: Mapping[str, Any],
) -> None:  # fmt: skip
    """The interpretation decides the status of one request and the row after it."""
    model = ModelDriver.start(jetemail, fresh="", interpretations={**also, name: value})
    for earlier in before:
        assert model.send_request(*earlier)[0] == 200
    assert model.send_request(*step)[0] == status
    if response:
        [row] = model.list_rows().values()
        for field, expected in response.items():
            assert (row.get(field), type(row.get(field))) == (expected, type(expected)), field


def test_every_value_of_every_interpretation_is_tested_above(jetemail: Contract) -> None:
    """The table has every value, except of the interpretations that other tests cover."""
    expected = {
        (n, v) for n, values in jetemail.model.interpretations.items() if n not in TESTED_ELSEWHERE for v in values
    }
    assert {(case[0], case[1]) for case in CASES} == expected
    assert set(TESTED_ELSEWHERE) < set(jetemail.model.interpretations)


@pytest.mark.parametrize("order", ["-".join(order) for order in permutations(("400", "403", "404", "409"))])
def test_chosen_order_is_used(jetemail: Contract, order: str) -> None:
    """The order of checks is open, and the mock can take any: one request fails all four checks."""
    model = ModelDriver.start(jetemail, fresh="", interpretations={"order": order})
    model.send_request(CREATE, {"username": "taken"}, "free")
    body = {"currentUsername": "nobody", "newUsername": "taken", "allowAnyDomain": True, "quota": -1}
    assert [str(outcome.status) for outcome in model.list_outcomes(UPDATE, body, "free")] == order.split("-")


@pytest.mark.parametrize(("interpretation", "status"), [("any", 200), ("exact", 401)])
def test_bearer_in_lower_case(jetemail: Contract, interpretation: str, status: int) -> None:
    """The documents leave open if the scheme's case counts. A wrong key is 401 either way."""
    model = ModelDriver.start(jetemail, fresh="", interpretations={"bearer-case": interpretation})
    assert model.list_outcomes(CREATE, A, authorization="bearer key-of-paid")[0].status == status
    assert {outcome.status for outcome in model.list_outcomes(CREATE, A, authorization="bearer wrong")} == {401}


def test_credential_is_judged_first_in_lower_case_too(jetemail: Contract) -> None:
    """Authentication comes first, even if the interpretation refuses the lower-case scheme and the body is invalid."""
    model = ModelDriver.start(jetemail, fresh="", interpretations={"bearer-case": "exact"})
    assert model.list_outcomes(CREATE, {}, authorization="bearer key-of-paid")[0].status == 401


@pytest.mark.parametrize("fresh", ["", "ct-"])
def test_outcomes_never_change_the_state(jetemail: Contract, fresh: str) -> None:
    """The model is pure: a second call gives the same outcomes, and neither state nor body changes.

    Every request above is tried in the mock's state and in the suite's.
    """
    for name, value, also, before, step, *_ in CASES:
        model = ModelDriver.start(jetemail, fresh, {**also, name: value})
        for earlier in before:
            model.follow_outcome(next(outcome for outcome in model.list_outcomes(*earlier) if outcome.status == 200))
        state = copy.deepcopy(model.state)
        request = copy.deepcopy(step)
        first, again = model.list_outcomes(*step), model.list_outcomes(*step)
        assert [(o.status, o.clause) for o in first] == [(o.status, o.clause) for o in again]
        for outcome in first:
            outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
        assert model.state == state
        assert step == request
