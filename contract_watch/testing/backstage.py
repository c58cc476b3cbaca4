"""The mock behind a played vendor: the one module of this package that knows its faults, journal and state.

Everything here runs on the thread that serves the mock; `played_vendor` sees to that.
"""

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from contract_watch.contracts.randomness import RandomStream
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.faults.fault import Fault
from contract_watch.mock.faults.values import quote as quote_value
from contract_watch.mock.journal import MAX_CALLS
from contract_watch.mock.preset import load_preset
from contract_watch.mock.vendor import MockVendor
from contract_watch.suggestions import suggest_name
from contract_watch.testing.calls import PlayedCall, RecordedArguments

_FORM = "application/x-www-form-urlencoded"


class Backstage:
    """One vendor of a mock of its own. ``restart`` brings back what a mutant has remembered."""

    def __init__(
        self, mock: Mock, vendor: MockVendor, restart: Callable[[MockVendor], None], seed: int | None = None
    ) -> None:
        self.mock, self.vendor, self.contract = mock, vendor, vendor.contract
        mock.journal.keeps_whole = True
        self._streams = {
            account.key: RandomStream(f"{seed}/{self.contract.slug}/{account.name}")
            for account in vendor.accounts
            if seed is not None
        }
        self._interpretations: dict[str, str] = {}
        self._preset: tuple[dict[str, Any], str] = {}, ""
        self._restart = restart
        self.was_called = False
        """True if a request arrived before the last reset."""

    # -- state

    def begin(self, interpretations: Mapping[str, str], preset: tuple[dict[str, Any], str]) -> None:
        """Start a new test: choose the interpretations and the objects that `reset` brings back, and reset.

        Raises:
            UsageError: an interpretation is unknown, or the preset breaks the contract.
        """
        declared = self.contract.model.interpretations
        self._interpretations = {name: values[0] for name, values in declared.items()}
        self._interpretations |= self.complete_names(interpretations)
        self._preset = preset
        self.reset()
        self.was_called = False

    def reset(self) -> None:
        """Bring back the beginning: its objects and interpretations, the real time, no call, fault, snapshot or token."""
        self.forget_calls()
        self.mock.faults.clear()
        self.mock.controls.state.snapshots.clear()
        self.vendor.clock.reset()
        if self.mock.session is not None:
            self.mock.session.rewind()
        self._restart(self.vendor)
        self.vendor.set_interpretations(self._interpretations)
        self.load(self._preset)

    def load(self, preset: tuple[dict[str, Any], str]) -> None:
        """Replace the objects by those of a preset; raise `UsageError` and change nothing if it breaks the contract."""
        load_preset(self.mock.vendors, *preset)

    def complete_names(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return interpretations by their true names: in Python ``_`` stands for ``-``.

        Raises:
            UsageError: the contract has no such interpretation.
        """
        declared = self.contract.model.interpretations
        found = {name if name in declared else name.replace("_", "-"): value for name, value in values.items()}
        if unknown := next((name for name in found if name not in declared), None):
            raise UsageError(f"interpret: unknown interpretation {unknown!r}; {suggest_name(unknown, [*declared])}")
        return found

    # -- requests

    def check_operation(self, operation: str) -> None:
        """Raise `UsageError` if the contract has no such operation."""
        if not isinstance(operation, str) or operation not in self.contract.operations:
            name = str(operation)
            raise UsageError(
                f"{self.contract.slug}: unknown operation {quote_value(name)}; "
                f"{suggest_name(name, [*self.contract.operations])}"
            )

    def list_calls(self) -> list[RecordedArguments]:
        """Return the recorded requests, oldest first."""
        return [self._read_call(one, raw) for one, raw in self.mock.journal.list_sent_calls()]

    def check_calls_are_whole(self, expectation: str) -> None:
        """Raise `UsageError` if the journal has dropped requests, among which those of ``expectation`` may be."""
        journal = self.mock.journal
        if journal.dropped:
            raise UsageError(
                f"{expectation}: only the last {MAX_CALLS} of {MAX_CALLS + journal.dropped} requests are recorded; check "
                "earlier, or call forget_calls() before the part to check"
            )

    def forget_calls(self) -> None:
        """Forget the recorded requests, but not that there were some."""
        self.was_called = self.was_called or not self.mock.journal.is_empty
        self.mock.journal.clear()

    def _read_call(self, entry: Mapping[str, Any], raw: Mapping[str, Any] | None) -> RecordedArguments:
        call = PlayedCall(
            operation=entry["operation"],
            method=entry["method"],
            path=entry["path"],
            arguments=_join_arguments(entry),
            body=entry["body"],
            status=entry["status"],
            answer=entry["answer"],
            query=entry["query"],
            headers=entry["headers"],
            protocol=entry["protocol"],
            at=entry["at"],
            reason=entry.get("reason", ""),
            nearest=entry.get("nearest"),
            fault=entry.get("fault", ""),
            mutant=entry.get("mutant", ""),
        )
        return RecordedArguments(call, _join_arguments(entry if raw is None else raw), is_cut=raw is None)

    def redact(self, value: Any) -> Any:
        """Return ``value`` without secrets."""
        return self.mock.journal.redact_json(value)

    # -- faults

    def add_fault(self, raw: Mapping[str, Any]) -> Fault:
        """Script a fault for this vendor; raise `UsageError` if it cannot play."""
        return self.mock.faults.add({"vendor": self.contract.slug, **raw})

    def remove_fault(self, fault: Fault) -> None:
        """Remove a fault, if it still waits."""
        with suppress(KeyError):
            self.mock.faults.remove(fault.id)

    def list_unplayed(self) -> list[str]:
        """Return a line for each fault that never played though it should have."""
        return [one.describe() for one in self.mock.faults.list_unplayed() if not one.played]

    # -- keys

    def build_credentials(self, account: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the query parameters with an account's key, or with a fresh access token for it."""
        key = next(one.key for one in self.vendor.accounts if one.name == account)
        location = self.contract.credential_locations[0]
        if self.vendor.issuer is not None:
            key = self._issue_token(key)
        value = location.build_value(key)
        return ({}, {location.query: value}) if location.query else ({location.header: value}, {})

    def _issue_token(self, key: str) -> str:
        issuer = self.vendor.issuer
        assert issuer is not None
        client, _, secret = key.partition(":")
        headers, form = {"content-type": _FORM}, "grant_type=client_credentials"
        if issuer.config.auth == "body":
            form += f"&client_id={quote(client, safe='')}&client_secret={quote(secret, safe='')}"
        else:
            headers["authorization"] = f"Basic {base64.b64encode(key.encode()).decode()}"
        # A stream of the account's own: a look at headers must not move what a seed decides for the vendor.
        stream = self._streams.get(key)
        draw = None
        if stream is not None:
            stream.restart()
            draw = stream.activate
        return str(issuer.issue(headers, form.encode(), self.vendor.find_client, draw)["access_token"])


def _join_arguments(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters and the body's properties by name; the body wins where both have one."""
    found: dict[str, Any] = {}
    for values in entry.get("parameters", {}).values():
        found |= values
    return found | (entry["body"] if isinstance(entry["body"], dict) else {})
