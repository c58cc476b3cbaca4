"""Drifts of a response's text and of generated passwords are found, though no schema suggests them."""

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant_runner import start_mutant_runner

TEXTS = {
    "byte-order-mark": "body/byte-order-mark", "utf-16": "body/encoding", "latin-1": "body/encoding",
    "charset": "media-type/charset", "second-type": "media-type/malformed", "repeated-name": "repeated-name",
}  # fmt: skip
PASSWORDS = {"counter": "guessable", "counter-hex": "guessable", "clock": "guessable", "name-reversed": "contains-name"}


@pytest.mark.parametrize(("slug", "answer"), [
    ("jetemail", "createSmtpUser/200"), ("jetemail", "deleteSmtpUser/400"), ("smtp2go", "viewSmtpUsers/401"),
    ("zitadel", "getSMTPConfigById/200"),
])  # fmt: skip
def test_every_drift_of_a_text_is_found_on_its_operation(slug: str, answer: str) -> None:
    """Success and refusal alike: the first finding names operation, status and kind."""
    contract = Contract(slug)
    operation, status = answer.split("/")
    name = next(one for one in contract.operations if one.lower() == operation.lower())
    mutants = {mutant.id: mutant for mutant in derive_mutants(contract)}
    with start_mutant_runner(contract) as runner:
        for kind, found in TEXTS.items():
            result = runner.run_mutant(mutants[f"media/{name}/{status}/{kind}"])
            assert result.finding.startswith(f"{name}/{status}/"), (kind, result)
            assert result.finding.endswith(found), (kind, result)


@pytest.mark.parametrize("slug", ["jetemail", "smtp2go"])
def test_every_kind_of_guessable_password_is_found(slug: str) -> None:
    """Today's probes get enough generated passwords, at no request more."""
    contract = Contract(slug)
    mutants = {mutant.id: mutant for mutant in derive_mutants(contract)}
    with start_mutant_runner(contract) as runner:
        for kind, found in PASSWORDS.items():
            result = runner.run_mutant(mutants[f"state/passwords/{kind}"])
            assert result.finding.rpartition("/")[2] == found, (kind, result)
            assert "password" in result.finding


def test_a_password_of_another_object_is_found_where_responses_show_passwords_again() -> None:
    """Three passwords for all objects repeat, and are few enough to be guessed."""
    contract = Contract("smtp2go")
    pool = next(mutant for mutant in derive_mutants(contract) if mutant.id == "state/passwords/pool")
    with start_mutant_runner(contract) as runner:
        runner.load_mutation(pool.create_mutation())
        _record, found = runner.run_suite()
    assert {finding.id.rpartition("/")[2] for finding in found} & {"guessable", "repeated"}


def test_a_contract_without_shown_passwords_has_no_such_mutant() -> None:
    """No response of this vendor holds a password."""
    assert not any(mutant.id.startswith("state/passwords/") for mutant in derive_mutants(Contract("zitadel")))
