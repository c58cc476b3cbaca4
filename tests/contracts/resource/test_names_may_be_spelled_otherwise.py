"""The mock follows an interpretation where no document says how names are compared, and the suite allows each."""

from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.crates import ADD, CHANGE, LIST, REMOVE, CrateDriver, write_contract

RULES = """
interpretations:
  names: [exact, folded]
  stored-names: [verbatim, lowered]
  odd-names: [accepted, refused]
  removed-name: [free, taken]
"""
PLAIN, ODD = {"name": "ct-aa"}, {"name": "CT-AA"}


@pytest.fixture(name="contract")
def _contract(tmp_path: Path) -> Contract:
    return write_contract(tmp_path, rules=RULES)


@pytest.mark.parametrize(("names", "status"), [("exact", 404), ("folded", 200)])
def test_mock_finds_a_name_by_its_interpretation(contract: Contract, names: str, status: int) -> None:
    """A vendor that folds names finds an object that is spelled otherwise."""
    mock = CrateDriver.start(contract, names=names)
    mock.send(ADD, PLAIN)
    assert mock.list_statuses(REMOVE, ODD)[0] == status


@pytest.mark.parametrize(("stored", "name"), [("verbatim", "CT-AA"), ("lowered", "ct-aa")])
def test_mock_stores_a_name_by_its_interpretation(contract: Contract, stored: str, name: str) -> None:
    """A vendor can lower a name that it stores."""
    assert CrateDriver.start(contract, stored_names=stored).send(ADD, ODD)["crates"][0]["name"] == name


@pytest.mark.parametrize(("odd", "status"), [("accepted", 200), ("refused", 400)])
def test_mock_takes_an_odd_name_by_its_interpretation(contract: Contract, odd: str, status: int) -> None:
    """A vendor can refuse a name that is not plain."""
    assert CrateDriver.start(contract, odd_names=odd).list_statuses(ADD, ODD)[0] == status


@pytest.mark.parametrize(("removed", "status"), [("free", 200), ("taken", 400)])
def test_mock_remembers_a_removed_name_by_its_interpretation(contract: Contract, removed: str, status: int) -> None:
    """The name of a removed object can stay taken."""
    mock = CrateDriver.start(contract, removed_name=removed)
    mock.send(ADD, PLAIN)
    mock.send(REMOVE, PLAIN)
    assert mock.list_statuses(ADD, PLAIN)[0] == status


def test_suite_leaves_a_plain_name_open_beside_a_similar_odd_one(contract: Contract) -> None:
    """A stored `CT-AA` can be found by `ct-aa`, or not; an exact name is always found."""
    suite = CrateDriver.start(contract, "ct-")
    suite.send(ADD, ODD)
    assert set(suite.list_statuses(CHANGE, PLAIN)) == {200, 404}
    assert set(suite.list_statuses(ADD, PLAIN)) == {200, 400}
    assert suite.list_statuses(CHANGE, ODD) == [200]
    assert suite.list_statuses(ADD, ODD) == [400]
    assert suite.list_statuses(CHANGE, {"name": "ct-bb"}) == [404]


def test_removal_by_another_spelling_forgets_the_object(contract: Contract) -> None:
    """A success tells neither that the vendor folds names nor that it ignores unknown ones."""
    suite = CrateDriver.start(contract, "ct-")
    row = suite.send(ADD, PLAIN)["crates"][0]
    suite.send(REMOVE, ODD)
    for rows in ([], [row]):
        assert suite.find_clauses(LIST, {}, {"id": "x", "crates": rows}) == []


def test_forgotten_name_is_unknown_in_every_spelling(contract: Contract) -> None:
    """After ` CT-AA ` is forgotten, `ct-aa` can exist, and nothing is known of an object with that name."""
    suite = CrateDriver.start(contract, "ct-")
    assert suite.state.is_known_absent("ct-aa", "main")
    suite.send(ADD, PLAIN)
    state = suite.state.forget_names([" CT-AA "])
    assert (state.items, state.is_known_absent("ct-aa", "main")) == ((), False)
