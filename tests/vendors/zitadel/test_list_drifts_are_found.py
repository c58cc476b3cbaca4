"""A run finds a list that drifted, and has no finding for one with many foreign rows."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant import Mutation, VendorRequest
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.mutants.mutant_runner import MutantRunner
from contract_watch.mutants.mutated_vendor import MutatedVendor
from tests.vendors.zitadel.model_driver import LIST

ZITADEL = Contract("zitadel")
HISTORY = {"sequence": "3", "creationDate": "2020-01-01T00:00:00Z", "changeDate": "2020-01-01T00:00:00Z",
           "resourceOwner": "1"}  # fmt: skip
WEBHOOK_ROW = {"id": "1", "details": HISTORY, "description": "a provider that is no SMTP server"}
SWAPPED = {"SMTP_CONFIG_ACTIVE": "SMTP_CONFIG_INACTIVE", "SMTP_CONFIG_INACTIVE": "SMTP_CONFIG_ACTIVE"}
Rows = list[dict[str, Any]]


class ListMutation(Mutation):
    """The mock, but for its list: `rows` makes another one of each."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        if request.operation.id != LIST:
            return super().respond(vendor, request)
        status, whole = super().respond(vendor, request.with_arguments({}))
        if status != 200 or not self.is_accepted(vendor, request):
            return super().respond(vendor, request)
        query = request.body.get("query") or {}
        rows = self.select_page(self.edit_rows(copy.deepcopy(whole.get("result", []))), query)
        return 200, {"details": self.edit_details(rows, whole["details"]), **({"result": rows} if rows else {})}

    @staticmethod
    def is_accepted(actor: MutatedVendor, requested: VendorRequest) -> bool:
        """Return True if the vendor accepts the request."""
        return actor.compute_outcome(requested).status == 200

    def edit_rows(self, rows: Rows) -> Rows:
        """Return the rows of the list in place of ``rows``."""
        return rows

    def select_page(self, rows: Rows, query: dict[str, Any]) -> Rows:
        """Return the page of ``rows`` that ``query`` selects."""
        first, limit = int(query.get("offset") or 0), int(query.get("limit") or 0)
        return rows[first : first + limit] if limit else rows[first:]

    def edit_details(self, rows: Rows, original: dict[str, Any]) -> dict[str, Any]:
        """Return the details of the list."""
        return original if rows else {}


class MissingRow(ListMutation):
    """The row that was made first is not there, and not counted."""

    def edit_rows(self, rows: Rows) -> Rows:
        return rows[1:]

    def edit_details(self, rows: Rows, original: dict[str, Any]) -> dict[str, Any]:
        return {**original, "totalResult": str(len(rows))} if rows else {}


class UndeletedRows(ListMutation):
    """Rows stay when their configurations are removed."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}

    def edit_rows(self, rows: Rows) -> Rows:
        removed = [row for name, row in self._seen.items() if name not in {row["id"] for row in rows}]
        self._seen |= {row["id"]: row for row in rows}
        return [*rows, *removed]

    def edit_details(self, rows: Rows, original: dict[str, Any]) -> dict[str, Any]:
        return {**original, "totalResult": str(len(rows))}


class WrongState(ListMutation):
    """Each row says the other state."""

    def edit_rows(self, rows: Rows) -> Rows:
        return [{**row, "state": SWAPPED[row["state"]]} for row in rows]


class WrongSender(ListMutation):
    """Each row says another sender."""

    def edit_rows(self, rows: Rows) -> Rows:
        return [{**row, "senderName": "Somebody else"} for row in rows]


class NoLimit(ListMutation):
    """The limit counts for nothing."""

    def select_page(self, rows: Rows, query: dict[str, Any]) -> Rows:
        return super().select_page(rows, {**query, "limit": 0})


class NoOffset(ListMutation):
    """The offset counts for nothing."""

    def select_page(self, rows: Rows, query: dict[str, Any]) -> Rows:
        return super().select_page(rows, {**query, "offset": 0})


class BusyInstance(ListMutation):
    """A faithful list with foreign rows, in random order, with short pages by default and without a total."""

    def edit_rows(self, rows: Rows) -> Rows:
        others = [{**WEBHOOK_ROW, "id": f"{number}"} for number in range(3)]
        return random.Random(len(rows)).sample([*rows, *others], len(rows) + 3)

    def select_page(self, rows: Rows, query: dict[str, Any]) -> Rows:
        return super().select_page(rows, {"limit": 2, **query})

    def edit_details(self, rows: Rows, original: dict[str, Any]) -> dict[str, Any]:
        del rows
        return {"viewTimestamp": original["viewTimestamp"]}


@pytest.fixture(name="runner", scope="module")
def _runner() -> Iterator[MutantRunner]:
    mutant_server = MutantServer()
    with run_in_thread(mutant_server) as base:
        yield MutantRunner(ZITADEL, base, mutant_server)


def _list_first_findings(runner: MutantRunner, mutation: Mutation) -> list[str]:
    """Return the ids of the first findings of the rules' scenarios."""
    runner.load_mutation(mutation)
    flows = [probe for probe in plan_probes(ZITADEL) if probe.family == "rules"]
    return [finding.id for finding in runner.run_suite(flows)[1]]


@pytest.mark.parametrize(("mutation", "finding"), [
    (MissingRow, f"{LIST}/effect/complete/row-missing"),
    (UndeletedRows, "listSmtpConfigs/200/body/result/*/id/unexpected"),
    (WrongState, f"{LIST}/effect/as-read/state/value"),
    (WrongSender, f"{LIST}/effect/as-read/senderName/value"),
    (NoLimit, f"{LIST}/effect/limit/too-many"),
    (NoOffset, f"{LIST}/effect/offset/too-many"),
])  # fmt: skip
def test_a_list_that_drifted_is_found(runner: MutantRunner, mutation: type[Mutation], finding: str) -> None:
    """One thing about the list is wrong, and the run has the finding for it."""
    assert finding in _list_first_findings(runner, mutation())


@pytest.mark.parametrize("mutation", [ListMutation, BusyInstance])
def test_a_faithful_list_is_no_finding(runner: MutantRunner, mutation: type[Mutation]) -> None:
    """The mock's own list and one with many foreign rows are both faithful."""
    assert _list_first_findings(runner, mutation()) == []
