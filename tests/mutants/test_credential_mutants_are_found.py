"""Every lax check of a credential is found, in whatever form the key travels."""

from pathlib import Path

import pytest

from contract_watch.mock.server import run_in_thread
from contract_watch.mutants import mutant_runner
from contract_watch.mutants.credential_mutants import derive_credential_mutants
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.key_mutants import derive_key_mutants
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.mutants.mutant_runner import MutantRunner
from tests.support.credential_forms import FORMS

EXPECTED = {
    "madequery": {"all/not-needed", "all/any-value", "all/beginning", "all/any-case", "all/other-header"},
    "madeboth": {"all/no-scheme", "listThings/query-refused", "listThings/query-any-value"},
    "madebasic": {"all/any-scheme", "all/no-scheme", "all/beginning"},
    "madetoken": {"all/not-needed", "all/any-value", "all/wrong-secret"},
    "madebody": {"all/beginning", "all/wrong-secret", "all/secret-last-left-out"},
}
"""Some of the mutants of each form."""


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutant_runner, "run_client", lambda *_: [])
    monkeypatch.setattr(mutant_runner, "parse_recorded_responses", lambda *_: [])


@pytest.mark.parametrize("form", FORMS)
def test_every_mutant_of_a_form_is_found(tmp_path: Path, form: str) -> None:
    """Each mutant made a difference, and the suite found it."""
    contract = FORMS[form].write(tmp_path, form)
    mutants = [*derive_credential_mutants(contract), *derive_key_mutants(contract)]
    if contract.token is not None:  # a refused token may be one that ended early, and may not hide a refusal
        mutants += [one for one in derive_mutants(contract) if one.family == "status" and one.id.endswith("/401")]
    assert EXPECTED[form] <= {one.id.removeprefix("credentials/") for one in mutants}
    server = MutantServer()
    with run_in_thread(server) as base:
        runner = MutantRunner(contract, base, server)
        results = [runner.run_mutant(mutant) for mutant in mutants]
    assert [one.mutant for one in results if not (one.finding and one.activations)] == []
