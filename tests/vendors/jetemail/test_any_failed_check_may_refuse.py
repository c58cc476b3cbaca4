"""A request that is wrong in several ways may be refused for any of them, and for nothing else."""

from typing import Any

import pytest

from tests.support.model_driver import CREATE, DELETE, KEYS, LIST, UPDATE, ModelDriver

BOTH = {"allowAnyDomain": True, "allowAllDomains": True}
ANY = {"allowAnyDomain": True}
NEW = {"username": "ct-new"}
TAKEN = {"username": "ct-taken"}
HERE = {"currentUsername": "ct-here"}
NOBODY = {"currentUsername": "ct-nobody"}
TO_TAKEN = {"newUsername": "ct-taken"}
SHORT = {"password": "1234567"}

# Each account has ct-here and ct-taken; of names without ct- nothing is known.
CASES: list[tuple[str, str, Any, str, set[int]]] = [
    ("nothing wrong", CREATE, NEW, "paid", {200}),
    ("free", CREATE, {**NEW, **ANY}, "free", {403}),
    ("flags", CREATE, {**NEW, **BOTH}, "paid", {400}),
    ("flags, free", CREATE, {**NEW, **BOTH}, "free", {400, 403}),
    ("taken, flags", CREATE, {**TAKEN, **BOTH}, "paid", {400, 409}),
    ("taken, free", CREATE, {**TAKEN, **ANY}, "free", {403, 409}),
    ("taken, flags, free", CREATE, {**TAKEN, **BOTH}, "free", {400, 403, 409}),
    ("taken, short password", CREATE, {**TAKEN, **SHORT}, "paid", {400, 409}),
    ("taken, something unknown", CREATE, {**TAKEN, "note": 1}, "paid", {400, 409}),
    ("something unknown", CREATE, {**NEW, "note": 1}, "paid", {200, 400}),
    ("something unknown, free", CREATE, {**NEW, **ANY, "note": 1}, "free", {400, 403}),
    ("not known whether taken", CREATE, {"username": "other"}, "paid", {200, 409}),
    ("not known whether taken, flags", CREATE, {"username": "other", **BOTH}, "paid", {400, 409}),
    ("ill-formed", CREATE, {"username": "ct-New"}, "paid", {200, 400}),
    ("ill-formed with a space", CREATE, {"username": "ct-n ew"}, "paid", {200, 400}),
    ("ill-formed, flags", CREATE, {"username": "ct-New", **BOTH}, "paid", {400}),
    ("ill-formed, free", CREATE, {"username": "ct-New", **ANY}, "free", {400, 403}),
    ("ill-formed, too long however it is sanitised", CREATE, {"username": "ct-" + "A" * 63}, "paid", {400}),
    ("ill-formed, short enough if shortened", CREATE, {"username": "ct-" + "a " * 32}, "paid", {200, 400}),
    ("nothing to sanitise to", CREATE, {"username": "!"}, "paid", {200, 400, 409}),
    ("longest", CREATE, {"username": "ct-" + "a" * 61}, "paid", {200}),
    ("too long", CREATE, {"username": "ct-" + "a" * 62}, "paid", {400}),
    ("look-alike domain", CREATE, {**NEW, "approvedDomains": ["a!io"]}, "paid", {200, 400}),
    ("look-alike domain, taken", CREATE, {**TAKEN, "approvedDomains": ["a!io"]}, "paid", {400, 409}),
    ("body of another kind", CREATE, ["ct-taken"], "free", {400}),
    ("nothing wrong", UPDATE, {**HERE, "quota": 1}, "paid", {200}),
    ("unknown, short password", UPDATE, {**NOBODY, **SHORT}, "paid", {400, 404}),
    ("unknown, nothing to update", UPDATE, NOBODY, "paid", {400, 404}),
    ("unknown, free", UPDATE, {**NOBODY, **ANY}, "free", {403, 404}),
    ("unknown, flags, free", UPDATE, {**NOBODY, **BOTH}, "free", {400, 403, 404}),
    ("unknown, itself", UPDATE, {**NOBODY, "newUsername": "ct-nobody", "quota": 1}, "paid", {400, 404}),
    ("unknown, to a free name", UPDATE, {**NOBODY, "newUsername": "ct-free", "quota": 1}, "paid", {404}),
    ("unknown, taken", UPDATE, {**NOBODY, **TO_TAKEN}, "paid", {404, 409}),
    ("unknown, taken, free", UPDATE, {**NOBODY, **TO_TAKEN, **ANY}, "free", {403, 404, 409}),
    ("all four", UPDATE, {**NOBODY, **TO_TAKEN, **BOTH, **SHORT}, "free", {400, 403, 404, 409}),
    ("taken", UPDATE, {**HERE, **TO_TAKEN}, "paid", {409}),
    ("taken, free", UPDATE, {**HERE, **TO_TAKEN, **ANY}, "free", {403, 409}),
    ("itself", UPDATE, {**HERE, "newUsername": "ct-here"}, "paid", {200, 400, 409}),
    ("itself, free", UPDATE, {**HERE, "newUsername": "ct-here", **ANY}, "free", {400, 403, 409}),
    ("something unknown only", UPDATE, {**HERE, "note": 1}, "paid", {200, 400}),
    ("something unknown only, unknown", UPDATE, {**NOBODY, "note": 1}, "paid", {400, 404}),
    ("not known whether there", UPDATE, {"currentUsername": "other", "quota": 1}, "paid", {200, 404}),
    ("unknown", DELETE, {"username": "ct-nobody"}, "paid", {404}),
    ("unknown, longest", DELETE, {"username": "ct-" + "a" * 61}, "paid", {404}),
    ("unknown, something unknown", DELETE, {"username": "ct-nobody", "note": 1}, "paid", {400, 404}),
    ("not known whether there", DELETE, {"username": "other"}, "paid", {200, 404}),
    ("nameless, something unknown", DELETE, {"note": 1}, "paid", {400}),
    ("nothing wrong", LIST, None, "paid", {200}),
]


@pytest.fixture(name="model")
def _model(suite_model: ModelDriver) -> ModelDriver:
    for account in KEYS:
        for name in ("ct-here", "ct-taken"):
            suite_model.send_accepted(CREATE, {"username": name}, account)
    return suite_model


@pytest.mark.parametrize(
    ("operation", "body", "account", "allowed"), [case[1:] for case in CASES], ids=[f"{c[1]}: {c[0]}" for c in CASES]
)
def test_statuses_allowed(model: ModelDriver, operation: str, body: Any, account: str, allowed: set[int]) -> None:
    """No document orders the checks, so the status of each failed check is allowed.

    Success is allowed only if all failed checks are open.
    """
    assert model.list_statuses(operation, body, account) == allowed


@pytest.mark.parametrize("operation", [CREATE, UPDATE, DELETE, LIST])
def test_credential_comes_before_everything(model: ModelDriver, operation: str) -> None:
    """A caller without a valid key learns nothing: 401 is the only status, whatever else is wrong."""
    assert {found.status for found in model.list_outcomes(operation, {}, authorization="Bearer wrong")} == {401}


def test_look_alike_of_a_taken_name_is_refused_one_way_or_the_other(model: ModelDriver) -> None:
    """The documents say that a name "will be sanitized", which may give a name that is taken."""
    assert {400, 409} <= model.list_statuses(CREATE, {"username": "CT-Taken"}) <= {200, 400, 409}


@pytest.mark.parametrize("name", ["ct-no body", "ct-NOBODY", "ct-" + "a" * 62, ""])
def test_impossible_name_that_nobody_has_is_never_a_success(model: ModelDriver, name: str) -> None:
    """A name that no user can have matches none, so only 404 and 400 are allowed."""
    assert model.list_statuses(DELETE, {"username": name}) == {400, 404}
    assert model.list_statuses(UPDATE, {"currentUsername": name, "quota": 1}) == {400, 404}


def test_shown_interpretation_binds_the_answers_after_it(model: ModelDriver) -> None:
    """After a 400 or a 200 for an unknown property, later responses of the operation must agree.

    Another operation stays open.
    """
    open_state = model.state
    for status in (200, 400):
        model.state = open_state
        model.follow_outcome(
            next(
                found
                for found in model.list_outcomes(CREATE, {"username": f"ct-{status}", "note": 1})
                if found.status == status
            )
        )
        assert model.list_statuses(CREATE, {"username": "ct-next", "note": 1}) == {status}
        assert model.list_statuses(DELETE, {"username": "ct-here", "note": 1}) == {200, 400}


def test_name_that_another_may_have_become_is_open(model: ModelDriver) -> None:
    """Until a list shows the sanitized name, similar names are uncertain.

    After the creation of `ct-N ew` the name `ct-n-ew` may exist, `ct-other` does not.
    """
    model.send_accepted(CREATE, {"username": "ct-N ew"})
    assert model.list_statuses(CREATE, {"username": "ct-n-ew"}) == {200, 409}
    assert model.list_statuses(DELETE, {"username": "ct-n-ew"}) == {200, 404}
    assert model.list_statuses(CREATE, {"username": "ct-other"}) == {200}
    assert model.list_statuses(DELETE, {"username": "ct-other"}) == {404}


def test_rename_to_itself_alone_says_nothing_of_one_beside_others(model: ModelDriver) -> None:
    """An update that only repeats the name may count as empty.

    After a refusal of it alone, it is refused again; together with a quota it stays open.
    """
    alone = {**HERE, "newUsername": "ct-here"}
    model.follow_outcome(next(found for found in model.list_outcomes(UPDATE, alone) if found.status == 400))
    assert model.list_statuses(UPDATE, alone) == {400}
    assert model.list_statuses(UPDATE, {**alone, "quota": 1}) == {200, 400, 409}


def test_freed_name_is_free(model: ModelDriver) -> None:
    """Deletion and rename free a name: creating it must succeed, by the clause of the operation that freed it.

    The new name is taken.
    """
    model.send_accepted(DELETE, {"username": "ct-here"})
    model.send_accepted(UPDATE, {"currentUsername": "ct-taken", "newUsername": "ct-moved"})
    for name, clause in (("ct-here", f"{DELETE}/effect/removed"), ("ct-taken", f"{UPDATE}/effect/newUsername")):
        assert [(found.status, found.clause) for found in model.list_outcomes(CREATE, {"username": name})] == [
            (200, clause)
        ]
    assert model.list_statuses(CREATE, {"username": "ct-moved"}) == {409}


def test_other_accounts_name_may_be_taken_or_free(suite_model: ModelDriver) -> None:
    """The documents leave open if names are unique across accounts. One response decides the next."""
    suite_model.send_accepted(CREATE, {"username": "ct-a"}, "free")
    suite_model.send_accepted(CREATE, {"username": "ct-b"}, "free")
    outcomes = {found.status: found for found in suite_model.list_outcomes(CREATE, {"username": "ct-a"})}
    assert set(outcomes) == {200, 409}
    for status, outcome in outcomes.items():
        after = ModelDriver(suite_model.contract, outcome.resolve_next_state(None))
        assert after.list_statuses(CREATE, {"username": "ct-b"}) == {status}
