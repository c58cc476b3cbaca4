"""Minimal reproductions: after a run, its findings are shown again with fewer requests and simpler values.

Most of the work costs no request: the recorded responses tell which requests and values cannot matter. The target then
has to show the finding again with the rest, on new objects; only that makes a reproduction. What is sent stays within
`MAX_REQUESTS` a run, the removal of its objects included.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.account.guard import BlockedRequestError
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.judging.recorded_judge import RecordedJudge, Replica
from contract_watch.engine.protocols.encoded_request import CannotEncodeError
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.shell_commands import select_headers
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.findings import make_finding_of, select_steps
from contract_watch.engine.running.fresh_names import FreshNames
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.engine.running.simplification import Assignment, Change, Simplifier, apply_changes, rename_arguments
from contract_watch.report.finding import Finding, Severity

MAX_REQUESTS = 20
"""Requests of one run for minimal reproductions, over all its protocols: 25 would take a wide drift past 250."""
_MAX_STEPS = 30
"""Recorded requests that are looked through for those that matter."""
_MAX_FINDINGS = 30
"""Findings that are looked at: more would take long, and the allowance is spent before."""
_MAX_REPLAYS = 6
"""Replays for one finding, so that others get their turn."""


def minimize_reproductions(
    runs: Iterable[tuple[Session, Runner]], reason: str | None, report: Callable[[str], None] = lambda _line: None
) -> str | None:
    """Minimise the reproductions of the findings of ``runs``; return the reason why the runs were cut short, if any.

    A run that was cut short is left as it is. An interruption keeps what is there and is a reason.
    """
    spent: dict[str, int] = {}
    for session, runner in runs:
        slug = session.contract.slug
        if reason is not None or session.stop_reason is not None or not session.may_mutate:
            continue
        minimizer = Minimizer(session, runner, MAX_REQUESTS - spent.get(slug, 0))
        try:
            if minimizer.has_work:
                report(f"{session.contract.name}: looking for shorter reproductions")
                minimizer.run()
        except KeyboardInterrupt:
            reason = "the run was interrupted while it looked for shorter reproductions"
        except Exception as error:  # noqa: BLE001 (whatever it is, the findings are there to be reported)
            reason = f"internal error while looking for shorter reproductions: {type(error).__name__}"
        spent[slug] = spent.get(slug, 0) + minimizer.spent
    return reason


class Minimizer:
    """A minimiser of one session's reproductions, which may cost ``allowance`` requests."""

    def __init__(self, session: Session, runner: Runner, allowance: int) -> None:
        self._session, self._runner, self._allowance = session, runner, allowance
        self.spent = 0
        self._password_count = 0
        self._simplifier = Simplifier(session.contract, self._make_password)
        self._has_cleaned_up = False

    @property
    def has_work(self) -> bool:
        """Return True if there is a finding that may be shown with less."""
        return bool(self._list_findings())

    def run(self) -> None:
        """Minimise one reproduction after another, the most important finding first, while the allowance lasts."""
        record = self._session.record
        left_behind = list(record.left_behind)
        with self._session.contain_stop(), self._session.coverage.in_stage("probes"):
            for finding in self._choose_findings():
                self._minimize(finding)
        record.left_behind = left_behind  # the last clean-up lists what remains

    def _choose_findings(self) -> list[Finding]:
        """Choose the findings to minimise: first the one that stands for each cause, as reports show it."""
        every = self._list_findings()
        ids = {finding.id for finding in every}
        shown = [cause.representative for cause in self._session.record.find_causes()]
        first = {one.id: one for one in shown if one.id in ids}
        return [*first.values(), *(one for one in choose_order(every) if one.id not in first)][:_MAX_FINDINGS]

    def _list_findings(self) -> list[Finding]:
        """List the findings that a request of this session shows."""
        evidence, surface = self._runner.confirmation.evidence, self._session.protocol.name
        return [
            finding
            for finding in self._session.record.findings
            if finding.surface == surface
            and not finding.flapping
            and finding.status is not None
            and finding.id in evidence
            and "/client/" not in finding.id
        ]

    def _make_password(self) -> str:
        """Make an ordinary password, of the same shape in every run."""
        self._password_count += 1
        return self._session.secrets.substitute(f"Password{self._password_count:04d}")

    def _minimize(self, finding: Finding) -> None:
        """Look for a shorter reproduction of ``finding``; one that is minimal already costs no request."""
        if self.spent >= self._allowance:
            return
        session = self._session
        found, exchange = self._runner.confirmation.evidence[finding.id]
        steps = [
            _drop_library_headers(step) for step in select_steps(session, found, exchange, max_exchanges=_MAX_STEPS)
        ]
        if any(step.response is None or step.request.body is MissingBody.MALFORMED for step in steps):
            return
        judge = self._create_judge()
        clauses: tuple[str, ...] = ()
        before = judge.judge_sequence(steps, clauses)
        if not _shows(before, found):
            clauses = (found.clause,)
            before = judge.judge_sequence(steps, clauses)
        if not _shows(before, found):
            return  # the run knew more than these exchanges tell

        def is_shown(candidate: Sequence[Exchange], names: Mapping[str, str]) -> bool:
            if not _has_culprit(candidate, found) and _has_culprit(steps, found):
                return False
            after = judge.judge_sequence(candidate, clauses)
            return after.wrong_statuses <= before.wrong_statuses and _shows(after, found, names)

        focus = _find_focus(found, steps[-1])
        changes = self._simplifier.find_changes(steps, focus, is_shown, shortens=not clauses)
        with contextlib.suppress(_AllowanceSpentError):
            if changes:
                self._search(finding.id, steps, changes, clauses)
            if f"/request/{focus}/*/" in found.clause:
                self._search_item(finding.id, focus, clauses)

    def _create_judge(self) -> RecordedJudge:
        session, contract = self._session, self._session.contract
        accounts = [Account(name, key) for name, key in session.keys.items()]
        interpretations = Interpretations(contract.model.interpretations)
        state = contract.model.start(accounts, interpretations, session.names.name_prefix)
        return RecordedJudge(contract, session.secrets, state, session.coverage.satisfied_clauses)

    def _search(self, name: str, steps: Sequence[Exchange], changes: Sequence[Change], clauses: Sequence[str]) -> None:
        """Replay ``steps`` with all ``changes``, or without the few that hide the finding: bisection finds them."""
        contract, replays = self._session.contract, 0

        def shows_without(undone: Sequence[Change]) -> bool:
            nonlocal replays
            replays += 1
            if replays > _MAX_REPLAYS:
                raise _AllowanceSpentError
            candidate = apply_changes(contract, steps, [change for change in changes if change not in undone])
            return self._replay(name, candidate, clauses)

        suspects = changes
        if shows_without(()):
            return
        while len(suspects) > 1:
            half = len(suspects) // 2
            suspects = next((part for part in (suspects[:half], suspects[half:]) if shows_without(part)), ())

    def _search_item(self, name: str, argument: str, clauses: Sequence[str]) -> None:
        """Look for the items of a list that show the finding ``name`` alone: by halves."""
        session = self._session
        steps = select_steps(session, *self._runner.confirmation.evidence[name])
        items = steps[-1].request.body.get(argument) if isinstance(steps[-1].request.body, dict) else None
        for _ in range(_MAX_REPLAYS):
            if not isinstance(items, list) or len(items) < 2:
                return
            half = len(items) // 2
            for part in (items[:half], items[half:]):
                assignment = Assignment(len(steps) - 1, argument, part)
                if self._replay(name, apply_changes(session.contract, steps, [assignment]), clauses):
                    items = part
                    break
            else:
                return

    # -- replaying

    def _replay(self, name: str, steps: Sequence[Exchange], clauses: Sequence[str]) -> bool:
        """Send ``steps`` with fresh names; return True if the last request shows the finding ``name`` again.

        Raises:
            _AllowanceSpentError: the requests may not be sent, or the target seems to be down.
        """
        self._reserve_requests(steps)
        session = self._session
        names, before = FreshNames(session.names), self._count_costs()
        session.protocol.start_attempt(name)
        try:
            with session.record_attempt(*clauses) as attempt:
                for step in steps:
                    if not self._send_step(step, names):
                        break
        except (BlockedRequestError, CannotEncodeError):
            return False
        finally:
            self.spent += self._count_costs() - before
        found, _ = self._runner.confirmation.evidence[name]
        if attempt.may_be_outage and not found.may_be_outage:
            self._allowance = 0
            raise _AllowanceSpentError
        self._keep_shorter_reproductions(attempt)
        return any(shown == name for shown, _ in attempt.occurrences)

    def _count_costs(self) -> int:
        """Count the requests of the run so far, with those that will remove its objects."""
        session = self._session
        # A control request follows each response to a removal that may be an outage.
        each = 2 if self._is_removal_suspect() else 1
        return sum(session.record.requests.values()) + each * len(session.target.list_owned())

    def _is_removal_suspect(self) -> bool:
        """Return True if a finding is about the removal of objects: they may remain, and be removed again."""
        remove = self._session.contract.operations[self._session.contract.lifecycle.remove].name
        return any(finding.operation == remove for finding in self._session.record.findings)

    def _send_step(self, step: Exchange, names: FreshNames) -> bool:
        """Send a recorded request with fresh names; return True if the next one makes sense then."""
        session, life = self._session, self._session.contract.lifecycle
        assert step.response is not None
        request = rename_arguments(session.contract, step, names.translate).request
        if session.gate is not None:
            session.gate.guard.check_request(session.protocol.encode(request))
        sent = session.send_request(request)
        if sent.response is None or sent.response.succeeded != step.response.succeeded:
            return False
        if step.operation == life.create:
            recorded, assigned = (life.extract_id(parse_json(one.body)) for one in (step.response, sent.response))
            if recorded is not None and assigned is not None:
                names.learn_id(recorded, assigned)
        return True

    def _reserve_requests(self, steps: Sequence[Exchange]) -> None:
        """Check that ``steps`` may be sent, with the removal of their objects; clean up before a list is read.

        The list then holds nothing of the run's, so only the replayed requests explain it.

        Raises:
            _AllowanceSpentError: they may not be sent.
        """
        session, life = self._session, self._session.contract.lifecycle
        is_permitted = session.gate is None or (
            not session.gate.is_full
            and all(session.may_perform(step.operation or "") for step in steps)
            and not any(step.operation in life.affects_others for step in steps)
        )
        if is_permitted and not self._has_cleaned_up and any(self._is_list(step) for step in steps):
            if self._is_removal_suspect():
                raise _AllowanceSpentError
            self._has_cleaned_up = True
            clean_up(session, self._runner)
            # The last clean-up reads each account once more, and removes again what may still exist.
            self.spent += len(session.keys) + len(session.target.list_owned())
        names = {name for step in steps for name in step.names}
        if not is_permitted or self.spent + len(steps) + len(names) > self._allowance:
            raise _AllowanceSpentError

    def _is_list(self, step: Exchange) -> bool:
        contract = self._session.contract
        return contract.is_read_only(step.operation) and not contract.get_roles(step.operation)

    def _keep_shorter_reproductions(self, attempt: Attempt) -> None:
        """Keep the exchanges of ``attempt`` as evidence of every finding that they show with less."""
        names = frozenset(name for exchange in attempt.exchanges for name in exchange.names)
        findings = {finding.id: finding for finding in self._list_findings()}
        for name, (found, exchange) in attempt.disagreements.items():
            known = findings.get(name)
            if known is None or (found.object_name is not None and found.object_name not in names):
                continue
            until = next(number for number, one in enumerate(attempt.exchanges) if one is exchange)
            if not _has_culprit(attempt.exchanges[: until + 1], found):
                continue
            other = make_finding_of(self._session, found, attempt.exchanges[: until + 1])
            if other.status == known.status and len(other.reproduce) < len(known.reproduce):
                self._runner.confirmation.replace_finding(other, found, exchange)


class _AllowanceSpentError(Exception):
    """No further request may be sent for this finding."""


def choose_order(findings: Sequence[Finding]) -> list[Finding]:
    """Order ``findings`` by importance: breaking ones first, then one of each operation and kind, the longest first."""
    by_length = sorted(findings, key=lambda one: (one.severity is not Severity.BREAKING, -len(one.reproduce)))
    seen: set[tuple[str, str]] = set()
    first, rest = list[Finding](), list[Finding]()
    for finding in by_length:
        kind = finding.operation, finding.id.rpartition("/")[2]
        (rest if kind in seen else first).append(finding)
        seen.add(kind)
    return sorted([*first, *rest], key=lambda one: one.severity is not Severity.BREAKING)


def _shows(replica: Replica, found: Disagreement, names: Mapping[str, str] | None = None) -> bool:
    """Return True if a replica shows a disagreement; ``names`` are the new names of objects by their old ones."""
    name = (names or {}).get(found.object_name or "", found.object_name)
    shown = [form for one in replica.disagreements for form in (one, one.of_reader) if form is not None]
    return any(one.id == found.id and one.object_name == name for one in shown)


def _has_culprit(steps: Sequence[Exchange], found: Disagreement) -> bool:
    """Return True if a request of the operation at fault is among ``steps``, or if that is no declared operation."""
    return "/" in found.operation or any(one.operation == found.operation for one in steps)


def _find_focus(found: Disagreement, exchange: Exchange) -> str:
    """Return the argument of the request that a disagreement is about; an empty string if it is about none."""
    operation, _, argument = found.clause.partition("/request/")
    return argument.rpartition("/")[0].split("/")[0] if operation == exchange.operation else ""


def _drop_library_headers(exchange: Exchange) -> Exchange:
    """Drop the headers that an HTTP library added: some say how long the body is."""
    return replace(exchange, request=replace(exchange.request, headers=select_headers(exchange.request.headers)))
