"""Operations that are gone: they give one status to every request, while others answer well. Each is one finding."""

from collections.abc import Iterator

from contract_watch.contracts.openapi import Operation, join_arguments, split_arguments
from contract_watch.contracts.request import Request
from contract_watch.engine.judging.disagreement import BREAKING, Disagreement
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import OwnName, fill_placeholders, make_operation_request
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.confirmation import Confirmation
from contract_watch.engine.running.findings import make_finding
from contract_watch.engine.running.object_pool import ObjectPool
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding


class GoneCheck:
    """Finds out if an operation refuses everything, after the first wrong status of it is confirmed."""

    def __init__(self, session: Session, confirmation: Confirmation, pool: ObjectPool) -> None:
        self._session, self._confirmation, self._pool = session, confirmation, pool
        self._arguments, self._simulation = ArgumentBuilder(session.contract), Simulation(session.contract)
        self._checked: set[tuple[str, int]] = set()

    def condense(self, found: list[Finding], first: Attempt) -> list[Finding]:
        """Return ``found``, or the one finding that explains it: the operation is gone."""
        for finding in found:
            shown = self._confirmation.evidence.get(finding.id)
            if finding.flapping or shown is None or not shown[0].is_wrong_status:
                continue
            exchange = shown[1]
            operation, response = exchange.operation, exchange.response
            if operation is None or response is None or response.status < 300:
                continue
            if (operation, response.status) not in self._checked and self._can_check(operation):
                self._checked.add((operation, response.status))
                if gone := self._check_operation(operation, response.status):
                    return [gone]
        return found or self._find_gone(first)

    def _can_check(self, operation: str) -> bool:
        """Return True if the run may ask an operation about an object that exists: some refuse where there is none.

        Nothing is created on a real account before its objects were listed.
        """
        session = self._session
        if not session.may_mutate or operation == session.contract.lifecycle.create:
            return True
        if session.gate is None:
            self._pool.get_ready_object(session.contract.credentials[0].account)
        return bool(session.target.created_objects)

    def _find_gone(self, first: Attempt) -> list[Finding]:
        """Return the findings of operations that an attempt met and that are known to be gone."""
        gone = self._session.target.gone_operations
        met = {f"{exchange.operation}/gone" for exchange, _ in first.held_back if exchange.operation in gone}
        return [finding for finding in self._session.record.findings if finding.id in met]

    def _check_operation(self, operation: str, status: int) -> Finding | None:
        """Return the finding that an operation is gone; None if it answers otherwise to any request."""
        if self._has_answered_otherwise(operation, status):
            return None
        declared = self._session.contract.operations[operation]
        wrong: list[tuple[Exchange, bool]] = []
        for request, is_granted in self._build_requests(declared):
            with self._session.record_attempt() as attempt:
                exchange = self._session.send_request(request)
            if exchange.response is None or exchange.response.status != status:
                return None
            if any(found.is_wrong_status for found, _ in attempt.disagreements.values()):
                wrong.append((exchange, is_granted))
        granted = next((exchange for exchange, is_granted in wrong if is_granted), None)
        if granted is None or len(wrong) < (2 if declared.body is not None else 1):
            return None
        return self._report(declared, status, granted)

    def _has_answered_otherwise(self, operation: str, status: int) -> bool:
        """Return True if a request with a good key got another status."""
        seen = self._session.coverage.exchanges_by_status.items()
        headers = [self._session.build_credential_headers(account) for account in self._session.keys]
        good = [{name.lower(): value for name, value in one.items()} for one in headers]
        return any(
            name == operation
            and other != status
            and any(one.items() <= exchange.request.headers.items() for one in good)
            for (name, other), exchange in seen
        )

    def _build_requests(self, operation: Operation) -> Iterator[tuple[Request, bool]]:
        """Build a request that is granted, one with an empty body, and one without a key; say which is granted."""
        session = self._session
        account = session.contract.credentials[0].account
        if not session.may_mutate and not session.contract.is_read_only(operation.id):
            return
        if operation.id == session.contract.lifecycle.create:
            valid = fill_placeholders(self._arguments.build_baseline(operation), OwnName(session.names.create_name()))
        elif "existing" in session.contract.get_roles(operation.id).values():
            identity = self._pool.get_ready_object(account, operation.id)
            valid = self._simulation.build_arguments(operation, identity)
        else:
            valid = self._simulation.build_arguments(operation, session.names.create_name())
        parameters, body = split_arguments(valid)
        headers = session.build_credential_headers(account)
        without_body = join_arguments(parameters, {})
        candidates = [(valid, headers, True)]
        if operation.body is not None:
            candidates += [(without_body, headers, False)] if body else []
            candidates.append((valid, {}, False))
        for arguments, sent, is_granted in candidates:
            request = make_operation_request(session.contract, operation, arguments, account, sent)
            if session.may_send(request):
                yield request, is_granted

    def _report(self, operation: Operation, status: int, exchange: Exchange) -> Finding:
        session = self._session
        success = min((one for one in operation.responses if one < 300), default=200)
        found = redact_disagreement(
            Disagreement(
                id=f"{operation.id}/gone",
                severity=BREAKING,
                clause=f"{operation.id}/response/{success}",
                title=f"{operation.name} refuses every request: expected {success}, got {status}",
                why="Code that calls this operation will fail; other operations answer well.",
                operation=operation.id,
                is_wrong_status=True,
            ),
            session.redactor,
        )
        session.target.mark_as_gone(operation.id, status)
        session.coverage.add_clauses([found.clause])
        finding = make_finding(session, found, exchange)
        evidence = self._confirmation.evidence
        names = [
            name
            for name, (_, shown) in evidence.items()
            if shown.operation == operation.id and shown.response is not None and shown.response.status == status
        ]
        self._confirmation.replace_findings(names, finding, (found, exchange))
        return finding
