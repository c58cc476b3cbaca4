"""A vendor's published document compared with the stored one: changes, broken code, edits that the overlay needs."""

import datetime as dt
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from contract_watch.contracts.directories import find_cache_root
from contract_watch.contracts.overlay import read_overlay
from contract_watch.contracts.registry import Contract
from contract_watch.diff.client.document_impact import assess_document_impact
from contract_watch.diff.client.impact import ClientImpact
from contract_watch.diff.client.symbol_changes import describe_symbol_changes
from contract_watch.diff.contract_comparison import compare_under_contract
from contract_watch.diff.document import ApiChange
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, CachedDocument
from contract_watch.diff.document.lookalikes import describe_deceptive_names
from contract_watch.diff.document.moved_operations import OperationKey, SuccessorFinder, format_names
from contract_watch.diff.document.places import PlaceFinder
from contract_watch.diff.document.prose import describe_rewording
from contract_watch.diff.document.scope import extract_operations, list_operations
from contract_watch.diff.document_findings import ComparedDocuments, build_findings, format_finding_id, is_affected
from contract_watch.diff.overlay_check import check_overlay
from contract_watch.diff.overlay_check.notes import format_overlay_notes
from contract_watch.diff.published_document import (
    FetchError,
    PublishedDocument,
    find_address,
    read_published_document,
    redact_address,
)
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.report.record import Record, SuiteCheck

NOWHERE = "nowhere"
"""The target of a comparison without a known address."""
_MAX_SYMBOLS = 200
"""The number of symbol changes that a report lists."""


def check_document(contract: Contract, given: str) -> tuple[Record, CachedDocument | None]:
    """Compare the document that ``contract``'s vendor publishes with the stored one; ``given`` names another source.

    Return the record, and the document to store once a user has seen the report; None if it cannot be read.

    Raises:
        UsageError: the contract itself, or ``given``, cannot be read.
    """
    begun, started = time.monotonic(), dt.datetime.now(dt.UTC)
    target = redact_address(find_address(contract, given, os.environ)) or NOWHERE
    record = Record(contract.slug, contract.name, contract.digest, target, 0, started)
    record.requests = {"probes": 0, "client": 0, "explore": 0, "document": 0}
    record.documented = [f"document/{name}" for name in list_operations(contract.effective.raw).values()]
    record.document = {"address": record.target, "level": None}
    record.since = contract.describe_age()
    cached = None
    try:
        found = read_published_document(contract, given, find_cache_root(contract.root) / CACHE_DIRECTORY, os.environ)
        record.target = found.address
        record.count_request("document", "rest") if found.was_requested else None
        _compare_documents(contract, found, record)
        cached = found.cached
    except FetchError as error:
        record.reason = str(error)
        record.not_exercised = dict.fromkeys(record.documented, str(error))
    record.seconds = time.monotonic() - begun
    return record, cached


def _compare_documents(contract: Contract, found: PublishedDocument, record: Record) -> None:
    """Compare, and add the findings to ``record``, before waivers."""
    # Those too that the overlay alone declares: the vendor may publish them one day.
    wanted = list_operations(contract.published.raw) | list_operations(contract.effective.raw)
    there = list_operations(found.document)
    if not wanted.keys() & there.keys() and _get_title(found.document) != _get_title(contract.published.raw):
        raise FetchError(f"{escape_text(found.address)}: holds none of the operations under contract, and has another title; "
                                "give the address of the vendor's document")  # fmt: skip
    base = contract.published.raw
    try:
        revision = extract_operations(found.document, frozenset(wanted), found.address)
    except UsageError as error:
        raise FetchError(str(error)) from error
    stored = str(contract.settings["published"])
    stored_part = extract_operations(base, frozenset(wanted), stored)
    comparison = compare_under_contract(stored_part, revision, contract.effective.raw)
    corrected = check_overlay(read_overlay(contract.directory / "overlay.yaml"), base, revision)
    record.document |= {
        "address": found.address,
        "level": comparison.level.value,
        "published_digest": found.digest,
        "not_under_contract": sorted(escape_text(name) for key, name in there.items() if key not in wanted),
        "overlay": [{**asdict(one), "kind": one.kind.value} for one in corrected.issues],
    }
    # Names of the client may change where the document's meaning does not: of parameters in a path, of classes.
    reworded = revision != base and corrected.document != contract.effective.raw
    impact = (
        _assess_impact(contract, corrected.document, comparison.changes, record)
        if comparison.changes or reworded
        else None
    )
    joined = None if impact is None else dict(zip(comparison.changes, impact.correlated, strict=True))
    compared = ComparedDocuments(base, revision, stored, found.address)
    changes = PlaceFinder(base, revision).group(comparison.changes)
    record.findings = build_findings(changes, compared, joined)
    for name in wanted.values():
        affected = {format_finding_id(change) for change in changes if is_affected(name, change)}
        ids = [one.id for one in record.findings if one.id in affected]
        record.suite_checks.append(SuiteCheck(f"document/{name}", "document", name, finding_ids=ids))
    record.notes += describe_deceptive_names(stored_part, revision)
    record.notes += describe_rewording(stored_part, revision)
    record.notes += _describe_other_operations(wanted, there)
    record.notes += format_overlay_notes(corrected.issues)


def _assess_impact(
    contract: Contract, revision: Mapping[str, Any], changes: Sequence[ApiChange], record: Record
) -> ClientImpact | None:
    """Return the impact on the client; None, with a note, if the generator refuses the new document."""
    changed = f"{len(changes)} change{'s' if len(changes) != 1 else ''}"
    print(f"{contract.name}: {changed}; generating the client of both documents …", file=sys.stderr)
    try:
        impact = assess_document_impact(contract, contract.effective.raw, revision, changes)
    except UsageError as error:
        record.notes.append(f"the impact on the client is unknown: {error}")
        return None
    version = impact.version
    record.document["client"] = {
        "current": version.current,
        "next": version.version,
        "step": version.step.name.lower(),
        "why": version.reason,
        "breaks_alone": [one.description for one in impact.unaccounted[:_MAX_SYMBOLS] if one.is_breaking],
        "symbols": [one.description for one in impact.symbol_changes[:_MAX_SYMBOLS]],
    }
    if impact.unaccounted:
        lines = "; ".join(describe_symbol_changes(impact.unaccounted))
        record.notes.append(f"names of the client change without a change of the API: {escape_text(lines, 1000)}")
    record.notes.append(
        f"the client package needs version {version.version} (it is {version.current}): {version.reason}"
    )
    return impact


def _describe_other_operations(
    wanted: Mapping[tuple[str, str], str], there: Mapping[tuple[str, str], str]
) -> list[str]:
    """Return lines about operations outside the contract, and about where a removed operation may be now."""
    others = [
        OperationKey(method, path, escape_text(name))
        for (method, path), name in there.items()
        if (method, path) not in wanted
    ]
    lines, finder = [], SuccessorFinder(others)
    for (method, path), name in wanted.items():
        alike = finder.find_successors(OperationKey(method, path, name))
        if (method, path) not in there and alike:
            lines.append(
                f"{escape_text(name)} was removed; it may be {' or '.join(alike)} now, which is not under contract and was not compared"
            )
    if others:
        lines.append(f"not under contract, and not compared: {format_names(sorted(one.name for one in others))}")
    return lines


def _get_title(document: Mapping[str, Any]) -> Any:
    info = document.get("info")
    return info.get("title") if isinstance(info, dict) else None
