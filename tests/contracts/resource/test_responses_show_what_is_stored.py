"""Responses of the default model: lists of one object, shown secrets, echoes, and what stands around objects."""

import json
import uuid
from pathlib import Path

from contract_watch.contracts.matchers import collect_clauses
from contract_watch.contracts.request import MissingBody
from tests.support.crates import ADD, CHANGE, LIST, REMOVE, CrateDriver, write_contract

A, B = {"name": "ct-aa"}, {"name": "ct-bb"}


def test_list_of_one_object_shows_no_other(tmp_path: Path) -> None:
    """The clause exists only if an argument of the list selects by name; a part of a name may be searched for."""
    suite = CrateDriver.start(write_contract(tmp_path, 'filters = {name = "name"}'), "ct-")
    row, other = suite.send(ADD, A)["crates"][0], suite.send(ADD, B)["crates"][0]
    assert suite.find_clauses(LIST, A, {"id": "x", "crates": [row]}) == []
    assert suite.find_clauses(LIST, A, {"id": "x", "crates": [row, other]}) == [(f"{LIST}/rule/only-named", None)]
    assert suite.find_clauses(LIST, A, {"id": "x", "crates": []}) == [(f"{ADD}/effect/name", None)]
    assert suite.find_clauses(LIST, {"name": "ct-a"}, {"id": "x", "crates": [row]}) == []
    assert suite.find_clauses(LIST, {"name": "ct-cc"}, {"id": "x", "crates": [row]}) == [
        (f"{LIST}/rule/only-named", None)
    ]
    assert [one["name"] for one in suite.send(LIST, A)["crates"]] == ["ct-aa"]
    assert f"{LIST}/rule/only-named" not in CrateDriver.start(write_contract(tmp_path / "2")).model.rules


def test_shown_secret_is_compared_and_written_nowhere(tmp_path: Path) -> None:
    """A response must show the secret that was set; neither dump nor representation of a state has it."""
    suite = CrateDriver.start(write_contract(tmp_path, 'secrets = ["code"]'), "ct-")
    row = suite.send(ADD, {**A, "code": "s3cret-value"})["crates"][0]
    assert row["code"] == "s3cret-value"
    response = {"id": "x", "crates": [{**row, "code": "other"}]}
    assert suite.find_clauses(LIST, {}, response) == [(f"{ADD}/effect/code", None)]
    assert "s3cret-value" not in f"{json.dumps(suite.model.dump(suite.state))} {suite.state!r}"


def test_property_is_empty_by_default_if_the_table_says_so(tmp_path: Path) -> None:
    """Without the table, no document tells the default of a label."""
    for number, (table, expected) in enumerate([("", []), ('empty = ["label"]', [(f"{ADD}/effect/label", None)])]):
        suite = CrateDriver.start(write_contract(tmp_path / str(number), table), "ct-")
        suite.send(ADD, A)
        assert suite.find_clauses(LIST, {}, {"id": "x", "crates": [{**A, "label": ""}]}) == []
        fresh = CrateDriver.start(write_contract(tmp_path / f"{number}-fresh", table), "ct-")
        assert fresh.find_clauses(ADD, A, {"id": "x", "crates": [{**A, "label": "odd"}]}) == expected


def test_echo_of_an_update_suspects_the_update(tmp_path: Path) -> None:
    """A property that an update does not name and shows otherwise is the update's doing."""
    suite = CrateDriver.start(write_contract(tmp_path), "ct-")
    row = suite.send(ADD, {**A, "label": "one", "size": 2})["crates"][0]
    response = {"id": "x", "crates": [{**row, "label": "two", "size": 4}]}
    assert suite.find_clauses(CHANGE, {**A, "size": 3}, response) == [
        (f"{ADD}/effect/label", f"{CHANGE}/effect/untouched"),
        (f"{CHANGE}/effect/size", None),
    ]


def test_echo_covers_the_clauses_of_its_object(tmp_path: Path) -> None:
    """A response with a single object satisfies the clauses of its properties."""
    suite = CrateDriver.start(write_contract(tmp_path), "ct-")
    [outcome] = suite.ask(ADD, {**A, "label": "one"})
    assert outcome.body is not None
    assert f"{ADD}/effect/label" in set(collect_clauses(outcome.body))


def test_loose_response_may_show_any_objects(tmp_path: Path) -> None:
    """The suite allows any rows in the response of a loose operation, and the mock shows the object."""
    for number, (table, expected) in enumerate([("", 1), ('loose = ["removeCrate"]', 0)]):
        contract = write_contract(tmp_path / str(number), table)
        suite, mock = CrateDriver.start(contract, "ct-"), CrateDriver.start(contract)
        suite.send(ADD, A)
        mock.send(ADD, A)
        assert len(suite.find_clauses(REMOVE, A, {"id": "x", "crates": []})) == expected
        assert [row["name"] for row in mock.send(REMOVE, A)["crates"]] == ["ct-aa"]


def test_envelope_has_fresh_ids_and_what_the_documents_show(tmp_path: Path) -> None:
    """The mock renders a new UUID each time, and an optional property that has an example."""
    mock = CrateDriver.start(write_contract(tmp_path))
    first, second = mock.send(ADD, A), mock.send(LIST, {})
    assert uuid.UUID(first["id"]) != uuid.UUID(second["id"])
    assert (first["shelf"], "note" in first) == ("top", False)


def test_bad_body_may_be_reported_before_a_missing_key(tmp_path: Path) -> None:
    """A vendor that takes a key in the body reads the body first; without a key there is no success."""
    suite = CrateDriver.start(write_contract(tmp_path), "ct-")
    assert suite.list_statuses(ADD, MissingBody.MALFORMED, key="") == [401, 400]
    assert suite.list_statuses(ADD, A, key="") == [401]
    assert suite.list_statuses(ADD, {**A, "key": 7}) == [200, 401, 400]
