"""``make drift``: whether vendors still publish the documents that are stored, and whom a change breaks.

0: none or additive; 1: breaking; 2: could not tell; 3: wrong usage, or a waiver that has expired or is not used.
"""

import argparse
import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contract_tests.harness.options import Parser
from contracts.catalogue import ROOT, Contract, choose
from contracts.errors import UsageError
from contracts.overlay import read_overlay
from drift.client.changes import told
from drift.client.impact import Impact
from drift.corrections import correct
from drift.document import Change, compare
from drift.document.kept import FOLDER
from drift.document.scope import cut, operations
from drift.document_findings import Compared, document_findings
from drift.record import Checked, Record
from drift.report_terminal import terminal
from drift.reports import write_reports
from drift.swap import restore
from drift.text import plain
from drift.verdict import exit_status
from drift.waivers import Waiver, read_waivers, waive
from scripts.judge_clients import judge_clients
from scripts.published import CouldNotTellError, Published, address, published, shown

_SYMBOLS = 200
"""Changes of symbols that a report lists."""
_OTHERS = 5
"""Operations that are not under contract which a line names."""


def examine(contract: Contract, given: str) -> Record:
    """What came of comparing what ``contract``'s vendor publishes (``given``: where, else its own address) with what is stored.

    Raises:
        UsageError: the contract itself, or what was given, cannot be read.
    """
    begun, started = time.monotonic(), dt.datetime.now(dt.UTC)
    target = shown(address(contract, given, os.environ)) or "nowhere"
    record = Record(contract.slug, contract.name, contract.digest, target, 0, started)
    record.requests = {"probes": 0, "client": 0, "explore": 0, "document": 0}
    record.documented = [f"document/{name}" for name in operations(contract.effective.raw).values()]
    record.document = {"address": record.target, "level": None}
    try:
        found = published(contract, given, contract.root / FOLDER, os.environ)
        record.target = found.address
        record.count("document", "rest") if found.asked else None
        _compare(contract, found, record)
    except CouldNotTellError as error:
        record.reason = str(error)
        record.not_exercised = dict.fromkeys(record.documented, str(error))
    record.seconds = time.monotonic() - begun
    return record


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
    corrected = correct(read_overlay(contract.folder / "overlay.yaml"), base, revision)
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
    record.notes += [
        f"overlay.yaml, action {one.action} ({one.target}): {one.message}; {one.edit}" for one in corrected.troubles
    ]


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


def settle(record: Record, waivers: Sequence[Waiver], today: dt.date) -> list[str]:
    """Take what is waived out of ``record``; a line for each waiver of changes that has expired, or that nothing needs."""
    mine = [one for one in waivers if one.rule]
    every = record.findings
    record.findings, record.waived, expired = waive(every, mine, today)
    if record.reason is not None:
        return expired  # what was not compared needs no waiver, as far as anybody knows
    unused = [one for one in mine if one.expires >= today and not any(one.holds_for(finding) for finding in every)]
    return [*expired, *(f"waiver {one.name} waives nothing that changed: delete it" for one in unused)]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The command; see the module for the statuses."""
    parser = Parser(prog="python -m scripts.watch_documents", description=__doc__)
    parser.add_argument("--vendor", default="all", help="a contract's slug, or all (all)")
    parser.add_argument(
        "--published", default="", help="the file or address of what the vendor publishes now (its own)"
    )
    parser.add_argument("--known", default="", help="1: leave out vendors of whom no address is known")
    parser.add_argument("--out", default="reports", help="the folder for the reports (reports)")
    parser.add_argument(
        "--fail-on", default="breaking", choices=("breaking", "additive"), help="from which severity on"
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(parser.parse_args(arguments), root)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"error: {error.filename or 'what was to be written'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: no report was written; run it again", file=sys.stderr)
        return 2


def _run(given: argparse.Namespace, root: Path) -> int:
    restore(root)  # what a killed `make accept` had replaced
    chosen = choose(given.vendor or "all", root)
    if given.published and len(chosen) != 1:
        raise UsageError("PUBLISHED is one vendor's document: name it, VENDOR=slug")
    if given.known not in ("", "0", "1"):
        raise UsageError(f"KNOWN is 1 or 0, not {given.known!r}")
    if given.known == "1":
        chosen = [one for one in chosen if address(one, given.published, os.environ)]
        if not chosen:
            raise UsageError("KNOWN=1: no vendor's address is known")
    waivers = {contract.slug: read_waivers(contract.folder / "waivers.toml") for contract in chosen}
    out = Path(given.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"OUT={out}: cannot be a folder for reports ({error.strerror})") from error
    records, lines = [], []
    for contract in chosen:
        record = examine(contract, given.published)
        lines += [f"{contract.slug}/waivers.toml: {line}" for line in settle(record, waivers[contract.slug], _today())]
        records.append(record)
    write_reports(records, out, single=len(chosen) == 1 and given.vendor not in ("", "all"))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for record in records:
        print(terminal(record, colour=colour))
        print()
    print(f"reports: {out}/findings.json, junit.xml, report.md")
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    status = exit_status([one.verdict for one in records], left_behind=False, fail_on=given.fail_on)
    return 3 if lines and status != 1 else status


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
