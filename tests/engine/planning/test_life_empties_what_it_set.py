"""The life of an object sets every optional property of an update and empties it again."""

from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.flow_values import FlowValues
from contract_watch.engine.planning.planner import plan_probes

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
