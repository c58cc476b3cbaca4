"""The first and the last of a run: is there a target that knows us, and is nothing of ours left there."""

import contextlib
import json
from typing import Any

import httpx

from contract_watch.contracts.openapi import join_arguments
from contract_watch.engine.account.gate import EndedError
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.restoration import confirm, leave, unsettled
from contract_watch.engine.judging.attempt import Attempt, Stop
from contract_watch.engine.planning.arguments import Bodies
from contract_watch.engine.planning.probe import Probe, Step, fill
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.engine.protocols.wire import tls
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session

_PATIENCE = 3


def preflight(session: Session, runner: Runner) -> None:
    """Find out whether the target answers and takes the keys; where not, the session stops with the reason.

    An account whose key is not taken is left out, unless it is the first: its clauses are then not exercised. The first
    answer is judged as any other: it may be the only one that shows an account with nothing in it.
    """
    session.is_mock = session.gate is None and health(session.base).get("mock") is True
    main = session.contract.credentials[0]
    with contextlib.suppress(Stop):
        first = _first_answer(session, main.account)
        reply = first.exchanges[-1].reply if first is not None else None
        if first is None or reply is None:
            return
        status = reply.status
        if status in (401, 403) and not _any_operation_knows(session, main.account):
            session.stopped = f"the target does not accept the key in {main.variable} ({status}): check the key"
            return
        if status in (502, 503, 504):
            session.stopped = f"the target answers {status}: an outage, not drift; run again later"
            return
        if first.disagreements and not first.outage:
            runner.confirm(first, lambda: _reading(session, main.account))
        for credential in session.contract.credentials[1:]:
            if credential.account in session.keys:
                exchange = _reading(session, credential.account).exchanges[-1]
                unknown = exchange.reply is not None and exchange.reply.status == 401
                if unknown and not _any_operation_knows(session, credential.account, (401,)):
                    del session.keys[credential.account]


def _reading(session: Session, account: str, identity: str = "") -> Attempt:
    """One reading: of the list, or of the object ``identity`` where objects are read one by one (empty: of one that is not)."""
    read = session.contract.operations[session.contract.lifecycle.read]
    arguments = Rehearsal(session.contract).about(read, identity or session.names.mint())
    with session.attempting() as attempt:
        session.send(read.id, arguments, account)
    return attempt


def _one_by_one(session: Session) -> bool:
    """Whether objects are read one by one, and not in a list."""
    read = session.contract.operations[session.contract.lifecycle.read]
    return any(name in read.get_required_arguments() for name in session.contract.get_roles(read.id))


def _first_answer(session: Session, account: str) -> Attempt | None:
    """The first request that is answered; None where the session was stopped."""
    words = ""
    for _ in range(_PATIENCE):
        attempt = _reading(session, account)
        if attempt.exchanges[-1].reply is not None:
            return attempt
        assert attempt.trouble is not None
        words = attempt.trouble.words
        if attempt.trouble.kind in ("refused", "not-http", "elsewhere"):
            break
    session.stopped = f"no answer from {session.base}: {words}"
    return None


def _any_operation_knows(session: Session, account: str, strangers: tuple[int, ...] = (401, 403)) -> bool:
    """Whether some other operation knows the key that reading refused: then reading has drifted, the key is good.

    ``strangers`` are the statuses that say it does not; of an account that may do little, 403 says that it does.
    """
    create = session.contract.operations[session.contract.lifecycle.create]
    if session.gate is not None:
        return False  # nothing is made on a real account before it is known what is there
    with session.attempting():
        body = fill(Bodies(session.contract).baseline(create), lambda _word, _how: session.names.mint())
        exchange = session.send(create.id, body, account)
    return exchange.reply is not None and exchange.reply.status not in strangers


def health(target: str) -> dict[str, Any]:
    """What the project's own mock says of itself, where it answers at ``target``; nothing elsewhere. It is not counted."""
    root = httpx.URL(target).copy_with(path="/__mock/health", query=None)
    try:
        with httpx.Client(verify=tls(), trust_env=False, timeout=httpx.Timeout(3.0)) as client:
            answer = client.get(root)
            shown = answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, ValueError):
        return {}
    return shown if isinstance(shown, dict) else {}


def clean_up(session: Session, runner: Runner) -> None:
    """Delete every object that this run made, then look what is left; what is, goes to the record by name.

    Deletions are probes like all others: that an object can be deleted is what the contract promises. So is the look
    afterwards: where an object is still there, that is a finding.
    """
    reason, session.stopped = session.stopped, None
    before = list(session.record.left_behind)
    gate = session.gate
    if not session.makes:
        session.record.left_behind += sorted({name for _, name in session.made})
        session.stopped = reason
        return
    try:
        with gate.tidying() if gate is not None else contextlib.nullcontext():
            _clean_up(session, runner)
            if gate is not None:
                session.record.left_behind = sorted({*before, *leave(session, gate)})
    except (Stop, EndedError, LedgerError) as end:
        session.record.left_behind = sorted({*before, *session.record.left_behind, *may_be_left(session)})
        reason = reason or str(end)
    finally:
        session.stopped = reason or session.stopped


def may_be_left(session: Session) -> list[str]:
    """What may be there where cleaning up was cut short."""
    names = {name for _, name in session.made}
    if session.gate is not None:
        with contextlib.suppress(LedgerError):
            names |= set(unsettled(session.gate))
    return sorted(names)


def _clean_up(session: Session, runner: Runner) -> None:
    removed: dict[str, list[str]] = {account: [] for account in session.keys}
    for account, name in _ours(session):
        if account in removed and not _nameless(session, name):
            runner.run(_removal(session, account, name))
            removed[account].append(name)
    for account, names in removed.items():
        _look(session, runner, account, names)


def trim(session: Session, runner: Runner) -> None:
    """Where a run may have few objects at once, and has half of them: delete those that probes do not share."""
    gate = session.gate
    try:
        if gate is None or session.stopped is not None or not gate.crowded:
            return
        for account, name in _ours(session):
            if account in session.keys and not _nameless(session, name) and name not in runner.stock.shared:
                runner.run(_removal(session, account, name))
        confirm(session, gate)
    except (Stop, LedgerError) as end:
        session.stopped = session.stopped or str(end)


def _nameless(session: Session, name: str) -> bool:
    """Whether ``name`` is but the mark of an object whose id never came: it cannot be named, and so not removed."""
    return bool(session.contract.lifecycle.id) and name not in session.handed


def _look(session: Session, runner: Runner, account: str, removed: list[str]) -> None:
    """See whether anything of this run's is still there in ``account``; delete it once more, and note what stays.

    Where objects are read one by one, those are looked at whose removal was not confirmed, and one that was.
    """
    made = [name for held, name in session.made if held == account]
    wanted = [name for name in removed if name in made]
    session.record.left_behind += [name for name in made if _nameless(session, name)]
    for identity in (wanted or removed[:1]) if _one_by_one(session) else [""]:
        looked = _reading(session, account, identity)
        left = still = _listed(session, account, looked, identity)
        for name in sorted(left):
            with session.attempting():
                for step in _removal(session, account, name).steps:
                    session.send(step.operation or "", join_arguments(step.parameters, step.body), account)
        if left:
            still = _listed(session, account, _reading(session, account, identity), identity)
            if not looked.outage:
                runner.explored(looked, flapping=not still)
        session.record.left_behind += sorted(still)


def _ours(session: Session) -> list[tuple[str, str]]:
    model = session.contract.model
    known = {pair for world in session.worlds for pair in model.list_owned(world)}
    return sorted(known | set(session.made))


def _removal(session: Session, account: str, name: str) -> Probe:
    remove = session.contract.operations[session.contract.lifecycle.remove]
    clause = f"{remove.id}/response/{min(remove.responses, default=200)}"
    rehearsal = Rehearsal(session.contract)
    way = rehearsal.way(session.worlds, remove, name, session.keys[account]) or ()
    operations = [*(session.contract.operations[step] for step in way), remove]
    steps = tuple(Step.asking(one, rehearsal.about(one, name), account=account) for one in operations)
    session.removals += 1
    return Probe(
        f"clean-up/{session.removals}", "clean-up", remove.id, "What the run made can be deleted.", (clause,), steps
    )


def _listed(session: Session, account: str, looked: Attempt, identity: str) -> set[str]:
    """Which of the objects that this run made, or asked for, a reading shows to ``account``."""
    made = {name for held, name in session.made if held == account}
    exchange = looked.exchanges[-1]
    if exchange.reply is None:
        return {identity} if identity else made
    if identity:
        return {identity} if exchange.succeeded else set()
    try:
        shown = json.loads(exchange.reply.body)
    except (ValueError, RecursionError):
        return made
    return {text for text in _texts(shown) if session.made_it(text) or text in made}


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for inner in value.values() for text in _texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in _texts(inner)}
    return set()
