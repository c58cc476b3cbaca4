"""The simulation predicts from the model if a request will be granted, and prepares objects for it."""

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.simulation import Simulation

ZITADEL = Contract("zitadel")


def test_an_object_in_the_right_state_needs_nothing(jetemail: Contract) -> None:
    """Operations that accept any object need no preparation."""
    rehearsal = Simulation(jetemail)
    for name in ("updateSmtpUser", "deleteSmtpUser"):
        operation = jetemail.operations[name]
        state, identity = rehearsal.build_prepared_state(operation)
        assert rehearsal.find_preparation([state], operation, identity) == []


def test_the_model_knows_the_way() -> None:
    """A new configuration is inactive, and changing its password needs an active one.

    The simulation derives the activation from the model, no table lists it. It returns nothing if none is needed and
    None if nothing helps.
    """
    rehearsal = Simulation(ZITADEL)
    password, activate = (ZITADEL.operations[name] for name in ("updateSmtpConfigPassword", "activateSmtpConfig"))
    state, identity = rehearsal.build_prepared_state(activate)
    assert rehearsal.find_preparation([state], password, identity) == ["activateSmtpConfig"]
    ready, identity = rehearsal.build_prepared_state(password)
    assert rehearsal.find_preparation([ready], password, identity) == []
    assert rehearsal.find_preparation([ready], activate, identity) == ["deactivateSmtpConfig"]
    assert rehearsal.find_preparation([ready], password, "nothing-has-this-id") is None


def test_what_is_open_is_not_taken_for_granted() -> None:
    """Granted means granted under every interpretation.

    The vendor may refuse to remove an active configuration, so it is deactivated first.
    """
    rehearsal = Simulation(ZITADEL)
    remove = ZITADEL.operations["removeSmtpConfig"]
    ready, identity = rehearsal.build_prepared_state(ZITADEL.operations["updateSmtpConfigPassword"])
    assert not rehearsal.is_granted_in([ready], remove, rehearsal.build_arguments(remove, identity))
    assert rehearsal.find_preparation([ready], remove, identity) == ["deactivateSmtpConfig"]
