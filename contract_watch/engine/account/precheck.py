"""The precheck: finds the probes that the guard would block, before a run begins, with the reason for the report."""

from contract_watch.contracts.openapi import build_path
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.guard import BlockedRequestError, Guard, to_outgoing_request
from contract_watch.engine.account.object_names import build_name_variants
from contract_watch.engine.planning.probe import Probe, ProbeStep, fill_placeholders, find_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.protocol import build_http_request


class ProbePrecheck:
    """Submits planned requests to a run's guard without sending them."""

    def __init__(self, guard: Guard) -> None:
        self._contract, self._guard, self._base = guard.contract, guard, f"http://127.0.0.1{guard.base_path}"
        self._simulation = Simulation(guard.contract)
        self._name = guard.names.create_name()

    def explain_block(self, probe: Probe) -> str:
        """Explain why the guard would block ``probe``; return an empty string if it would not."""
        if probe.mock_only_reason:
            return probe.mock_only_reason
        for step in probe.steps:
            if reason := self._explain_step_block(step):
                return reason
        return ""

    def _explain_step_block(self, step: ProbeStep) -> str:
        operation = self._contract.operations.get(step.operation or "")
        headers, body = self._apply_credential(step)
        path = build_path(
            operation.path if operation is not None else step.path,
            fill_placeholders(dict(step.parameters), self._resolve_placeholder),
        )
        method = operation.method if operation is not None else step.method
        try:
            decision = self._guard.check_request(
                to_outgoing_request(build_http_request(self._base, Call(operation, method, path, body, headers)))
            )
        except BlockedRequestError as error:
            return f"not sent to a real account: {self._explain_missing_consent(step.operation) or error}"
        if decision.holder and "stock" in find_placeholders(step.arguments):
            return self._explain_preparation_block(step)
        return ""

    def _apply_credential(self, step: ProbeStep) -> tuple[dict[str, str], object]:
        account = step.account or self._contract.credentials[0].account
        key = self._guard.keys.get(account, "")
        location = self._contract.credential_locations[0]
        body = step.body if step.body is MissingBody.ABSENT else fill_placeholders(step.body, self._resolve_placeholder)
        if step.credential is None:
            return location.insert_key(location.form.format(key), {}, body)
        value = step.credential(key)
        return (
            self._contract.credential_locations[step.location].insert_key(value, {}, body)
            if value is not None
            else ({}, body)
        )

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

    def _resolve_placeholder(self, word: str, modifier: str) -> str:
        if word == "password":
            return "x" * int(modifier or 20)
        if word == "short":
            return "x" * int(modifier)
        name = self._name
        if modifier.isdigit() and word != "stock":
            return name + self._guard.names.create_padding(int(modifier) - len(name))
        return build_name_variants(name).get(modifier, name)
