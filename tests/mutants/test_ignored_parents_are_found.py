"""Mutants that ignore the object above a resource are derived for each operation, and found."""

from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants import mutant_runner
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.mutants.mutant_runner import MutantRunner
from tests.support.alcove import copy_alcove

OPERATIONS = ("createUser", "listUsers", "getUser", "updateUser", "deleteUser")
CLAUSES = [*(f"{operation}/rule/domain-unknown" for operation in OPERATIONS), "listUsers/rule/domain-only"]


@pytest.fixture(name="alcove", scope="module")
def _alcove(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contract]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutant_runner, "run_client", lambda *_: [])
        patch.setattr(mutant_runner, "parse_recorded_responses", lambda *_: [])
        yield copy_alcove(tmp_path_factory.mktemp("alcove"))


def _find_drifts(contract: Contract, mutation: Mutation) -> list[str]:
    server = MutantServer()
    server.app = MutantApp(contract, mutation)
    with run_in_thread(server) as address:
        record, found = MutantRunner(contract, address, server).run_suite()
    assert record.reason is None
    return [finding.clause for finding in found]


def test_faithful_vendor_has_no_finding(alcove: Contract) -> None:
    """The findings of the test below come from the mutants."""
    assert _find_drifts(alcove, Mutation()) == []


@pytest.mark.parametrize("clause", CLAUSES)
def test_ignored_parent_is_found(alcove: Contract, clause: str) -> None:
    """An operation that takes an unknown parent for the given one breaks its own clause, and that alone."""
    operation, _, rule = clause.partition("/rule/")
    mutant = next(one for one in derive_mutants(alcove) if one.id == f"state/{operation}/off/{rule}")
    mutation = mutant.create_mutation()
    assert _find_drifts(alcove, mutation) == [clause]
    assert mutation.activations
