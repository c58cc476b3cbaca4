"""The life of an object sets every optional property of an update and empties it again."""

from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.flow_values import FlowValues
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.mutants.mutant_runner import start_mutant_runner
from tests.support.mutant_lists import list_mutants

EXCLUSIVE = ("allowAnyDomain", "allowAllDomains")


def test_flags_that_exclude_each_other_are_both_emptied() -> None:
    """One update sets the flag that excludes the other, which it empties; a later one empties that flag as well."""
    life = next(one for one in plan_probes(Contract("jetemail")) if one.id == "rules/life")
    flags = [
        {name: step.body[name] for name in EXCLUSIVE if name in step.body}
        for step in life.steps
        if step.operation in ("createSmtpUser", "updateSmtpUser") and isinstance(step.body, dict)
    ]
    assert [one for one in flags if one] == [
        {"allowAnyDomain": True},
        {"allowAnyDomain": False, "allowAllDomains": True},
        {"allowAnyDomain": False, "allowAllDomains": False},
    ]


def test_a_removed_object_has_values_that_its_successor_must_not_have() -> None:
    """A vendor that gives them to a new object of the same name is found, and the creation is blamed."""
    for slug in ("jetemail", "smtp2go"):
        contract = Contract(slug)
        name = f"state/{contract.lifecycle.create}/resurrected"
        mutant = next(one for one in list_mutants(slug) if one.id == name)
        with start_mutant_runner(contract) as runner:
            assert runner.run_mutant(mutant).names_operation, slug


@pytest.mark.parametrize(
    ("slug", "operation", "swapped"),
    [
        ("jetemail", "updateSmtpUser", {"allowAnyDomain": False, "allowAllDomains": True}),
        ("jetemail", "createSmtpUser", {"allowAnyDomain": False, "allowAllDomains": True}),
        ("smtp2go", "editSmtpUser", {}),
    ],
)
def test_only_a_value_that_excludes_another_is_swapped(slug: str, operation: str, swapped: dict[str, Any]) -> None:
    """Without such a value the first update sets one property alone, as before."""
    contract = Contract(slug)
    values = FlowValues(contract, contract.model.spec, ArgumentBuilder(contract))  # type: ignore[attr-defined]
    chosen = values.choose(operation, varied=True)
    assert values.swap_exclusive(contract.operations[operation], chosen) == swapped
