"""What a vendor publishes now, compared with what is stored: what changed, whom it breaks, what the overlay needs."""

import datetime as dt
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.overlay import read_overlay
from contract_watch.contracts.registry import Contract
from contract_watch.diff.client.impact import Impact
from contract_watch.diff.client.symbol_changes import told
from contract_watch.diff.document import Change, compare
from contract_watch.diff.document.document_cache import FOLDER, Kept
from contract_watch.diff.document.scope import cut, operations
from contract_watch.diff.document_findings import Compared, document_findings
from contract_watch.diff.overlay_check import Trouble, correct
from contract_watch.diff.published_document import CouldNotTellError, Published, address, published, shown
from contract_watch.report.escaping import plain
from contract_watch.report.record import Checked, Record
from scripts.judge_clients import judge_clients

_SYMBOLS = 200
"""Changes of symbols that a report lists."""
_ACTIONS = 8
"""Actions of the overlay that the notes tell one by one."""
_OTHERS = 5
"""Operations that are not under contract which a line names."""


def examine(contract: Contract, given: str) -> tuple[Record, Kept | None]:
    """What came of comparing what ``contract``'s vendor publishes (``given``: where, else its own address) with what is stored.

    With it what is to be kept of the document, once somebody has been told of it.

    Raises:
        UsageError: the contract itself, or what was given, cannot be read.
    """
    begun, started = time.monotonic(), dt.datetime.now(dt.UTC)
    target = shown(address(contract, given, os.environ)) or "nowhere"
    record = Record(contract.slug, contract.name, contract.digest, target, 0, started)
    record.requests = {"probes": 0, "client": 0, "explore": 0, "document": 0}
    record.documented = [f"document/{name}" for name in operations(contract.effective.raw).values()]
    record.document = {"address": record.target, "level": None}
    kept = None
    try:
        found = published(contract, given, contract.root / FOLDER, os.environ)
        record.target = found.address
        record.count("document", "rest") if found.asked else None
        _compare(contract, found, record)
        kept = found.kept
    except CouldNotTellError as error:
        record.reason = str(error)
        record.not_exercised = dict.fromkeys(record.documented, str(error))
    record.seconds = time.monotonic() - begun
    return record, kept


def _compare(contract: Contract, found: Published, record: Record) -> None:
    """Compare, and note in ``record`` what was found, before waivers."""
    # Those too that the overlay alone declares: the vendor may publish them one day.
    wanted = operations(contract.published.raw) | operations(contract.effective.raw)
    there = operations(found.document)
    if not wanted.keys() & there.keys() and _title(found.document) != _title(contract.published.raw):
        raise CouldNotTellError(f"{plain(found.address)}: holds none of the operations under contract, and has another title; "
                                "give the address of the vendor's document")  # fmt: skip
    base = contract.published.raw
    try:
        revision = cut(found.document, frozenset(wanted), found.address)
    except UsageError as error:
        raise CouldNotTellError(str(error)) from error
    stored = str(contract.settings["published"])
    comparison = compare(cut(base, frozenset(wanted), stored), revision)
    corrected = correct(read_overlay(contract.directory / "overlay.yaml"), base, revision)
    record.document |= {
        "address": found.address,
        "level": comparison.level.value,
        "published_digest": found.digest,
        "not_under_contract": sorted(plain(name) for key, name in there.items() if key not in wanted),
        "overlay": [{**asdict(one), "kind": one.kind.value} for one in corrected.troubles],
    }
    # Names of the client may change where the document's meaning does not: of parameters in a path, of classes.
    reworded = revision != base and corrected.document != contract.effective.raw
    impact = (
        _impact(contract, corrected.document, comparison.changes, record) if comparison.changes or reworded else None
    )
    joined = None if impact is None else dict(zip(comparison.changes, impact.joined, strict=True))
    compared = Compared(base, revision, stored, found.address)
    record.findings = document_findings(comparison.changes, compared, joined)
    for name in wanted.values():
        ids = [
            one.id
            for one in record.findings
            if name in (one.operation, one.operation.replace("ANY", name.split(" ")[0], 1))
        ]
        record.checked.append(Checked(f"document/{name}", "document", name, findings=ids))
    record.notes += _others(wanted, there)
    record.notes += _corrections(corrected.troubles)


def _impact(
    contract: Contract, revision: Mapping[str, Any], changes: Sequence[Change], record: Record
) -> Impact | None:
    """What becomes of the client; None, with a note, where the generator does not take the new document."""
    print(f"{contract.name}: {len(changes)} changes; generating the client of both documents …", file=sys.stderr)
    try:
        impact = judge_clients(contract, contract.effective.raw, revision, changes)
    except UsageError as error:
        record.notes.append(f"what becomes of the client cannot be told: {error}")
        return None
    version = impact.version
    record.document["client"] = {
        "current": version.current,
        "next": version.version,
        "why": version.why,
        "symbols": [one.text for one in impact.symbols[:_SYMBOLS]],
    }
    if impact.unaccounted:
        lines = "; ".join(told(impact.unaccounted))
        record.notes.append(
            f"no change of the document by itself, but of names that it gives to the client: {plain(lines, 1000)}"
        )
    record.notes.append(f"the client package needs version {version.version} (it is {version.current}): {version.why}")
    return impact


def _corrections(troubles: Sequence[Trouble]) -> list[str]:
    """What the overlay needs, a line for each action; where there are many, how many of each kind, and the first."""
    lines = [f"overlay.yaml, action {one.action} ({one.target}): {one.message}; {one.edit}" for one in troubles]
    if len(lines) <= _ACTIONS:
        return lines
    kinds = [one.kind.value for one in troubles]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    more = f"… and {len(lines) - _ACTIONS} more actions: findings.json has them all, under document.overlay"
    return [f"overlay.yaml: {len(lines)} actions do not fit the new document: {counted}", *lines[:_ACTIONS], more]


def _others(wanted: Mapping[tuple[str, str], str], there: Mapping[tuple[str, str], str]) -> list[str]:
    """What the vendor's document has beside the contract, and where an operation may be that is gone."""
    others = {key: plain(name) for key, name in there.items() if key not in wanted}
    lines = []
    for (method, path), name in wanted.items():
        alike = [
            other
            for (its, place), other in others.items()
            if place == path or (its == method and place.endswith(_end(path)))
        ]
        if (method, path) not in there and alike:
            lines.append(
                f"{plain(name)} is gone; it may be {_few(alike)} now, which is not under contract and was not compared"
            )
    if others:
        lines.append(f"not under contract, and not compared: {_few(sorted(others.values()))}")
    return lines


def _end(path: str) -> str:
    """The end of a path that stays when it moves: from its last name on that is no parameter."""
    names = path.split("/")
    last = max(number for number, name in enumerate(names) if not number or "{" not in name)
    return "/" + "/".join(names[last:]) if last else path


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _OTHERS} more" if len(names) > _OTHERS else ""
    return ", ".join(names[:_OTHERS]) + more


def _title(document: Mapping[str, Any]) -> Any:
    info = document.get("info")
    return info.get("title") if isinstance(info, dict) else None
