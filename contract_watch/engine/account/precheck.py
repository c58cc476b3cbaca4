"""What a run on a real account does not even try: probes that its guard would hold back, each with the reason for the report."""

from contract_watch.contracts.openapi import build_path
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.guard import Guard, HeldBackError, over_http
from contract_watch.engine.account.object_names import spellings
from contract_watch.engine.planning.probe import Probe, Step, fill, places
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.protocol import as_request


class Permits:
    """Asks a run's own guard about requests that are only planned; nothing is sent."""

    def __init__(self, guard: Guard) -> None:
        self._contract, self._guard, self._base = guard.contract, guard, f"http://127.0.0.1{guard.base_path}"
        self._rehearsal = Rehearsal(guard.contract)
        self._name = guard.names.mint()

    def why_not(self, probe: Probe) -> str:
        """Why ``probe`` cannot be sent; empty where it can. One of parts can where one of them can."""
        if probe.mock_only:
            return probe.mock_only
        for step in probe.steps:
            if why := self._why_not(step):
                return why
        return ""

    def _why_not(self, step: Step) -> str:
        operation = self._contract.operations.get(step.operation or "")
        headers, body = self._credential(step)
        path = build_path(
            operation.path if operation is not None else step.path, fill(dict(step.parameters), self._give)
        )
        method = operation.method if operation is not None else step.method
        try:
            passage = self._guard.check(over_http(as_request(self._base, Call(operation, method, path, body, headers))))
        except HeldBackError as error:
            return f"not sent to a real account: {self._consenting(step.operation) or error}"
        if passage.holder and "stock" in places(step.arguments):
            return self._preparing(step)
        return ""

    def _credential(self, step: Step) -> tuple[dict[str, str], object]:
        account = step.account or self._contract.credentials[0].account
        key = self._guard.keys.get(account, "")
        usual = self._contract.credential_locations[0]
        body = step.body if step.body is MissingBody.ABSENT else fill(step.body, self._give)
        if step.credential is None:
            return usual.insert_key(usual.form.format(key), {}, body)
        value = step.credential(key)
        return (
            self._contract.credential_locations[step.place].insert_key(value, {}, body)
            if value is not None
            else ({}, body)
        )

    def _preparing(self, step: Step) -> str:
        """Why the shared object of a step cannot be got ready for it."""
        operation = self._contract.operations[step.operation or ""]
        for needed in self._rehearsal.needs(operation):
            if not self._guard.grants(needed):
                return f"not sent to a real account: it takes {needed} first: {self._consenting(needed)}"
        return ""

    def _consenting(self, operation: str | None) -> str:
        consent = self._contract.consents.get(operation or "")
        if consent is None or self._guard.grants(operation or ""):
            return ""
        return self._guard.refused or f"{consent.about}; {consent.variable}=1, with LIVE=mutate, consents to it"

    def _give(self, word: str, modifier: str) -> str:
        if word == "password":
            return "x" * int(modifier or 20)
        if word == "short":
            return "x" * int(modifier)
        name = self._name
        if modifier.isdigit() and word != "stock":
            return name + self._guard.names.padding(int(modifier) - len(name))
        return spellings(name).get(modifier, name)
