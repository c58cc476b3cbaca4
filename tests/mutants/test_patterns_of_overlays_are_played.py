"""A pattern that only the overlay states, for what the vendor's prose forbids, has mutants that act."""

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.mutant_runner import start_mutant_runner
from tests.support.mutant_lists import list_mutants

PROPERTY = "addSmtpUser/bounce_notifications"


@pytest.mark.parametrize("edit", ["no-start", "no-end"])
def test_a_looser_pattern_is_found(edit: str) -> None:
    """The document publishes no pattern, but says in words which values are taken."""
    mutants = {mutant.id: mutant for mutant in list_mutants("smtp2go")}
    with start_mutant_runner(Contract("smtp2go"), is_thorough=True) as runner:
        mutation = mutants[f"requests/{PROPERTY}/pattern-looser-{edit}"].create_mutation()
        runner.load_mutation(mutation)
        _, [found, *_] = runner.run_suite([probe for probe in runner.plan if f"{PROPERTY}/pattern" in probe.id])
    assert found.operation == "POST /users/smtp/add"
    assert found.clause == "addSmtpUser/request/bounce_notifications/pattern"
    assert mutation.activations > 0
