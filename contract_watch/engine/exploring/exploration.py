"""The exploring stage: random requests, bounded and seeded, judged by the same model as the probes."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import httpx
from hypothesis.errors import FlakyFailure, FlakyStrategyDefinition, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test

from contract_watch.contracts.credential_locations import join_query_keys, split_query_keys
from contract_watch.contracts.openapi import join_arguments, split_arguments
from contract_watch.engine.account.guard import BlockedRequestError
from contract_watch.engine.account.restoration import confirm_removals
from contract_watch.engine.exploring.depth import DEFAULT_DEPTH, ExplorationDepth
from contract_watch.engine.exploring.drawn_case import Case, DrawnCase, UnportableCaseError
from contract_watch.engine.exploring.example_database import NamespacedDatabase, get_default_database
from contract_watch.engine.exploring.search_settings import apply_seed, build_settings
from contract_watch.engine.exploring.workflow import build_workflow
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.wire import TransportError, encode_library_request
from contract_watch.engine.running.cleanup import trim_objects
from contract_watch.engine.running.exploration_budget import ExplorationEndedError
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError
from contract_watch.report.finding import Finding
from contract_watch.report.record import SuiteCheck

MAX_SHRINK_SECONDS = 20.0
_MIN_SIGHTINGS = 2
_MAX_ROUNDS = 3
"""Rounds of a search: each one after the first follows a new finding."""


class _SearchTimeout(BaseException):
    """The time for a search is over."""


class _NotRepeatedError(Exception):
    """A disagreement was seen once, and not again by the search that drew the same data."""


class DriftFoundError(AssertionError):
    """A response disagrees in a way that no finding reports yet. The message is the disagreement's id."""


def explore_requests(
    session: Session,
    runner: Runner,
    operation: str,
    mode: str,
    seed_value: int,
    depth: ExplorationDepth = DEFAULT_DEPTH,
    drawn: Sequence[DrawnCase] | None = None,
) -> list[Finding]:
    """Send Schemathesis's cases for ``operation``, valid (``positive``) or not (``negative``).

    ``drawn`` are the cases of this search if another process drew them: if one of them fails, the search draws them
    again itself, which makes the failing one small.
    """
    state = SearchState(session, runner, depth)
    waiting = [] if drawn is None else [drawn]

    def check(case: Case) -> None:
        state.check_limits()
        trim_objects(session, runner)
        with session.record_attempt() as attempt:
            _send_case(session, runner, operation, case)
        state.raise_new_disagreement(attempt)

    def search() -> None:
        failed = None
        if waiting:
            if _pass_all(waiting.pop(), check):
                return
            failed = state.draw_again()
        from contract_watch.engine.exploring.cases import run_cases  # noqa: PLC0415 (loads slowly)

        settings = build_settings(depth.examples, depth, _open_database(session, f"{operation}/{mode}", depth))
        run_cases(session.contract, operation, mode, seed_value, settings, check, state.check_limits)
        if failed is not None:
            state.failed_attempt = failed
            raise _NotRepeatedError

    title = f"{session.contract.operations[operation].name} keeps its contract under {mode} random data."
    return _run_search(session, runner, state, f"explore/{operation}/{mode}", title, search)


def _pass_all(cases: Sequence[DrawnCase], check: Callable[[Case], None]) -> bool:
    """Return True if every case passes ``check``."""
    try:
        for case in cases:
            check(case)
    except (DriftFoundError, UnportableCaseError):
        return False
    return True


def explore_workflows(
    session: Session, runner: Runner, seed_value: int, depth: ExplorationDepth = DEFAULT_DEPTH
) -> list[Finding]:
    """Run random workflows through a Hypothesis state machine."""
    state = SearchState(session, runner, depth)

    def search() -> None:
        def report(attempt: Attempt) -> None:
            if session.gate is not None and session.gate.is_half_full:
                confirm_removals(session, session.gate)
            state.raise_new_disagreement(attempt)
            state.check_limits()

        kind = build_workflow(session, report)
        apply_seed(seed_value, "lives")(kind)
        shelf = _open_database(session, "lives", depth)
        run_state_machine_as_test(kind, settings=build_settings(depth.workflows, depth, shelf, steps=depth.steps))

    return _run_search(session, runner, state, "explore/lives", "Random lives of objects keep to the model.", search)


# -- searching


def _run_search(
    session: Session, runner: Runner, state: "SearchState", name: str, title: str, search: Callable[[], None]
) -> list[Finding]:
    began = time.monotonic()
    checked = SuiteCheck(name, "explore", title, surface=session.protocol.name)
    session.record.suite_checks.append(checked)
    if runner.confirmation.silent_operations:
        checked.skip_reason = (
            f"{min(runner.confirmation.silent_operations)} gives no answer: exploring would wait for its time-outs"
        )
        return []
    if wide := runner.confirmation.find_wide_drift():
        checked.skip_reason = f"random requests would show little but this drift: {wide}"
        if not any(note.startswith("not explored") for note in session.record.notes):
            session.record.notes.append(f"not explored: {checked.skip_reason}")
        return []
    findings: list[Finding] = []
    try:
        with session.coverage.in_stage("explore"), state.begin_search():
            for _ in range(_MAX_ROUNDS):
                found = _search_once(runner, state, search)
                findings += found
                if not found or state.end_reason:
                    break
    except RunAbortedError as stop:
        checked.skip_reason = str(stop)
    except ExplorationEndedError:
        pass  # before the search began
    finally:
        checked.seconds = time.monotonic() - began
    if not findings:
        checked.skip_reason = checked.skip_reason or state.end_reason
    checked.finding_ids = [finding.id for finding in findings]
    return findings


def _search_once(runner: Runner, state: "SearchState", search: Callable[[], None]) -> list[Finding]:
    """Search once. Hypothesis ends on its smallest failing example, which it has then retried many times."""
    state.begin()
    is_flaky, failed = False, None
    try:
        search()
    except (DriftFoundError, Unsatisfiable):
        pass  # the second: no such request exists, as where a path parameter may be any string
    except _SearchTimeout:
        pass  # the smallest example so far is reported
    except ExplorationEndedError:
        is_flaky, failed = True, state.first_attempt  # not confirmed, unless it was seen more than once
    except (FlakyFailure, FlakyStrategyDefinition, _NotRepeatedError):
        is_flaky = True
    failed = state.failed_attempt or failed
    if failed is None:
        return []
    # Seen more than once, it is not flaky: the state in which Hypothesis retried was another.
    return runner.confirmation.add_repeated_findings(failed, flaky=is_flaky and not state.was_seen_again(failed))


class SearchState:
    """The state of one search: the attempt that failed last, and how often each disagreement was seen.

    ``first_attempt`` is the one that failed before the search drew the same data again.
    """

    def __init__(self, session: Session, runner: Runner, depth: ExplorationDepth) -> None:
        self._session, self._runner, self._depth = session, runner, depth
        self._known = _list_finding_ids(session)
        self.failed_attempt: Attempt | None = None
        self.first_attempt: Attempt | None = None
        self._shrink_until, self._max_requests = math.inf, math.inf
        self.sighting_counts: dict[str, int] = {}

    @property
    def end_reason(self) -> str:
        """Return the reason why the run explores no more; empty while it may."""
        return self._depth.budget.end_reason if self._depth.budget is not None else ""

    @contextmanager
    def begin_search(self) -> Iterator[None]:
        """Let the budget of the run bound the requests of the block."""
        if self._depth.budget is not None:
            self._depth.budget.begin_search(len(self._session.target.created_objects))
        with self._session.coverage.limit_requests(self._depth.budget):
            yield

    def begin(self) -> None:
        """Begin one round of the search."""
        self._forget_failure()
        self.first_attempt = None
        if self._depth.budget is not None:
            self._depth.budget.permit_reserve(permitted=False)

    def draw_again(self) -> Attempt | None:
        """Begin to draw the data of the round again; return the attempt that failed."""
        self.first_attempt = self.failed_attempt
        self._forget_failure()
        return self.first_attempt

    def _forget_failure(self) -> None:
        self.failed_attempt = None
        self._shrink_until, self._max_requests = math.inf, math.inf

    def check_limits(self) -> None:
        """Raise if the time for the search is over, or it has shrunk an example for long enough."""
        self._depth.raise_if_interrupted()
        self._session.coverage.check_budget(len(self._session.target.created_objects))
        failed, now = self.failed_attempt is not None, time.monotonic()
        if now > self._depth.until + (MAX_SHRINK_SECONDS if failed else 0) or now > self._shrink_until:
            raise _SearchTimeout
        if self._session.record.requests["explore"] > self._max_requests:
            raise _SearchTimeout

    def raise_new_disagreement(self, attempt: Attempt) -> None:
        """Raise `DriftFoundError` if an attempt disagrees in a way that no finding reports yet."""
        session, runner = self._session, self._runner
        self._known |= _list_finding_ids(session)
        new = [name for name in runner.confirmation.collect_disagreements(attempt) if name not in self._known]
        if not new:
            return
        try:
            if attempt.is_doubtful:
                self._require_control(attempt)
        finally:
            self._note_failure(attempt, new)
        raise DriftFoundError(new[0])

    def _require_control(self, attempt: Attempt) -> None:
        budget = self._depth.budget
        operation = attempt.exchanges[-1].operation or self._session.contract.lifecycle.read
        with budget.use_reserve() if budget is not None else nullcontext():
            self._runner.control.require_answer(attempt, operation)

    def _note_failure(self, attempt: Attempt, new: Sequence[str]) -> None:
        """Note an attempt with ``new`` disagreements, and limit what it takes to shrink it.

        The budget's share begins once they were seen again: until then the search may use the reserve.
        """
        for name in new:
            self.sighting_counts[name] = self.sighting_counts.get(name, 0) + 1
        depth, sent = self._depth, self._session.record.requests["explore"]
        if self.failed_attempt is None:
            self._max_requests = sent + depth.max_shrink_requests
        self.failed_attempt = attempt
        if depth.budget is None:
            return
        is_confirmed = self.was_seen_again(attempt)
        depth.budget.permit_reserve(permitted=not is_confirmed)
        if is_confirmed and math.isinf(self._shrink_until):
            requests, seconds = depth.budget.compute_shrink_limits()
            self._max_requests = min(self._max_requests, sent + requests)
            self._shrink_until = time.monotonic() + min(seconds, MAX_SHRINK_SECONDS)

    def was_seen_again(self, attempt: Attempt) -> bool:
        """Return True if a disagreement of ``attempt`` that no finding reports was seen more than once."""
        names = self._runner.confirmation.collect_disagreements(attempt).keys() - self._known
        return any(self.sighting_counts.get(name, 0) >= _MIN_SIGHTINGS for name in names)


def _list_finding_ids(session: Session) -> set[str]:
    return {finding.id for finding in session.record.findings}


def _open_database(session: Session, what: str, depth: ExplorationDepth) -> NamespacedDatabase:
    return NamespacedDatabase(
        depth.database or get_default_database(),
        f"{session.contract.slug}/{what}",
        lambda: bool(session.record.findings),
    )


# -- one case


def _send_case(session: Session, runner: Runner, operation: str, case: Case) -> None:
    """Send a case with the run's credential, and names that are the run's own."""
    drawn = session.redactor.replace_secrets(join_arguments(case.parameters, case.body), session.secrets.substitute)
    arguments = _replace_names(session, runner, operation, drawn)
    parameters, body = split_arguments(arguments)
    declared = session.contract.operations[operation].body
    if session.gate is not None and declared is not None and isinstance(body, dict) and not declared.accepts(body):
        return  # on a real account only what the schema accepts
    built = case.build_request(parameters, body, session.base)
    if not all(value.isascii() and value.isprintable() for value in built.headers.values()):
        return  # HTTP libraries disagree about other characters
    sent = {"Content-Type": built.media_type} if built.content else {}
    address, _, query = built.url.partition("?")
    query, _ = split_query_keys(session.contract.credential_locations, query)  # Schemathesis draws credentials too
    address += f"?{query}" if query else ""
    url, headers = join_query_keys(address, {**built.headers, **session.build_credential_headers(), **sent})
    request = httpx.Request(built.method, url, headers=headers, content=built.content)
    if _may_be_sent(session, request):
        with contextlib.suppress(TransportError):
            session.send_http_request(request)


def _may_be_sent(session: Session, request: httpx.Request) -> bool:
    """Return True if the guard permits a request: drawn data may name an object anywhere."""
    if session.gate is None:
        return True
    try:
        session.gate.guard.check_request(encode_library_request(request))
    except BlockedRequestError:
        return False
    return True


def _replace_names(session: Session, runner: Runner, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """``arguments`` with the names in them replaced by the run's own: new ones by fresh, existing ones mostly by real ones.

    On a real account nothing else is left in them that could name anything.
    """
    given = session.contract.given.get_values(session.contract.operations[operation])
    made = {**arguments, **given}
    if session.gate is not None:
        return _replace_all_names(session, runner, operation, made)
    for argument, role in session.contract.get_roles(operation).items():
        name = made.get(argument)
        if not isinstance(name, str) or not name:
            continue
        if role == "existing" and len(name) % 4:
            made[argument] = runner.pool.get_unchanged_object(session.contract.credentials[0].account)
        elif session.names.suffix or (name.isascii() and name.isalnum() and name == name.lower()):
            made[argument] = session.names.create_name(len(name))
        else:
            made[argument] = session.names.create_name() + name
    return made


def _replace_all_names(session: Session, runner: Runner, operation: str, made: dict[str, Any]) -> dict[str, Any]:
    """``made`` with a name of the run's own in every place of a name, and nothing in those that are somebody else's."""
    for argument, role in session.contract.get_roles(operation).items():
        marked = role == "new" and operation == session.contract.lifecycle.create
        if role == "foreign" or (argument not in made and not marked):
            made.pop(argument, None)
        elif role == "existing":
            made[argument] = runner.pool.get_unchanged_object(session.contract.credentials[0].account)
        else:
            made[argument] = session.names.create_name(len(str(made.get(argument, ""))) % 64)
    return made
