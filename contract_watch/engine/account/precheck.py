"""The precheck: finds the probes that the guard would block, before a run begins, with the reason for the report."""

from contract_watch.engine.account.guard import BlockedRequestError, Guard
from contract_watch.engine.account.object_names import build_name_variants
from contract_watch.engine.planning.probe import Probe, ProbeStep, find_placeholders, make_request
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.encoded_request import CannotEncodeError
from contract_watch.engine.protocols.wire import encode_as_rest


class ProbePrecheck:
    """Submits planned requests to a run's guard without sending them."""

    def __init__(self, guard: Guard) -> None:
        self._contract, self._guard, self._base = guard.contract, guard, f"http://127.0.0.1{guard.base_path}"
        self._simulation = Simulation(guard.contract)
        self._values = PlannedValues(guard)

    def explain_block(self, probe: Probe) -> str:
        """Explain why the guard would block ``probe``; return an empty string if it would not."""
        if probe.mock_only_reason:
            return probe.mock_only_reason
        for step in probe.steps:
            if reason := self._explain_step_block(step):
                return reason
        return ""

    def _explain_step_block(self, step: ProbeStep) -> str:
        request = make_request(self._contract, step, self._values)
        try:
            decision = self._guard.check_request(encode_as_rest(self._base, request, self._contract.operations))
        except CannotEncodeError as error:
            return f"cannot be sent: {error}"
        except BlockedRequestError as error:
            return f"not sent to a real account: {self._explain_missing_consent(step.operation) or error}"
        if decision.holder and "stock" in find_placeholders(step.arguments):
            return self._explain_preparation_block(step)
        return ""

    def _explain_preparation_block(self, step: ProbeStep) -> str:
        """Explain why a step's shared object cannot be prepared for it."""
        operation = self._contract.operations[step.operation or ""]
        for needed in self._simulation.find_preparation_for_new(operation):
            if not self._guard.allows_operation(needed):
                return f"not sent to a real account: it needs {needed} first: {self._explain_missing_consent(needed)}"
        return ""

    def _explain_missing_consent(self, operation: str | None) -> str:
        consent = self._contract.consents.get(operation or "")
        if consent is None or self._guard.allows_operation(operation or ""):
            return ""
        return self._guard.refusal_reason or f"{consent.about}; set {consent.variable}=1 with LIVE=mutate to consent"


class PlannedValues:
    """Values of the run's form, which nothing on the account has."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._name = guard, guard.names.create_name()

    def fill(self, word: str, modifier: str) -> str:
        """Implement `Values.fill`."""
        if word == "password":
            return "x" * int(modifier or 20)
        if word == "short":
            return "x" * int(modifier)
        name = self._name
        if modifier.isdigit() and word != "stock":
            return self._guard.names.pad_name(name, int(modifier))
        return build_name_variants(name).get(modifier, name)

    def get_identity(self, name: str) -> str:
        """Implement `Values.get_identity`."""
        return name

    def get_key(self, account: str) -> str:
        """Implement `Values.get_key`."""
        return self._guard.keys.get(account, "")
