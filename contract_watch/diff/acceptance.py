"""Take over the document that a vendor publishes now, with all that follows from it, or change nothing."""

import datetime as dt
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.openapi import read_json
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.registry import Contract
from contract_watch.diff.atomic_replacement import replace_atomically, staging_directory
from contract_watch.diff.changelog import insert_line
from contract_watch.diff.client.document_impact import assess_document_impact
from contract_watch.diff.client.impact import ClientImpact
from contract_watch.diff.contract_comparison import compare_under_contract
from contract_watch.diff.document import ChangeLevel, Comparison
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, compute_digest, load_entry
from contract_watch.diff.document.lookalikes import describe_deceptive_names
from contract_watch.diff.document.parameters import normalize_path
from contract_watch.diff.document.prose import describe_rewording
from contract_watch.diff.document.scope import extract_operations, list_operations
from contract_watch.diff.overlay_check import OverlayIssue, check_overlay
from contract_watch.diff.overlay_check.notes import format_overlay_notes, list_serious_issues
from contract_watch.diff.published_document import FetchError, PublishedDocument, read_published_document
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_markdown, escape_text, format_json, quote_toml
from contract_watch.generator import client_trial
from contract_watch.generator.outputs import generate_outputs

_CHANGELOG = "CHANGELOG.md"
_ACCEPTED_FILE = "accepted.toml"
_OPERATION = re.compile(r"\$\.paths\['([^']+)'\]\.(get|put|post|delete|options|head|patch|trace)\b")
"""The beginning of an overlay's target that names one operation."""
_MAX_BREAKING_CHANGES = 3
"""The number of breaking changes that the changelog names."""
_MAX_MESSAGE_LENGTH = 120
"""The characters of each."""


def accept_document(contract: Contract, given: str, *, anyway: bool = False) -> list[str]:
    """Take over the document that ``contract``'s vendor publishes; return a line for each thing done, none if it is stored.

    The document is the one that ``make drift`` compared last, so that users take over what they looked at; ``given``,
    a file or an address, names another one. It is stored as far as it is under contract, the overlay is applied, the
    client is generated anew with the version that it needs, the old document's digest is recorded, and the changelog
    gets a line. An overlay that would hide a change of the vendor is refused, unless ``anyway``.

    Raises:
        UsageError: the document cannot be taken over; nothing was changed.
        FetchError: the document cannot be fetched now; nothing was changed.
    """
    contract.accepted_documents  # noqa: B018 (an error names this file, not its copy)
    with staging_directory(contract.root) as scratch:
        found = _find_document(contract, given)
        stored = _get_stored_name(contract)
        base, current = contract.published.raw, _read_effective_document(contract)
        wanted = frozenset(list_operations(base) | list_operations(current) | _list_overlay_operations(contract))
        revision = extract_operations(found.document, wanted, found.address)
        if not revision["paths"]:
            raise UsageError(
                f"{escape_text(found.address)}: holds none of the operations under contract; nothing was changed"
            )
        if revision == base:
            return []
        stored_part = extract_operations(base, wanted, stored)
        comparison = compare_under_contract(stored_part, revision, current)
        issues = _check_overlay(contract, base, revision)
        effective = _apply_overlay(contract, revision, issues, anyway=anyway)
        impact = assess_document_impact(contract, current, effective, comparison.changes)
        fresh = _build_replacements(contract, scratch / "tree", revision, found, comparison, impact)
        replace_atomically(contract.root, fresh)
    return [
        f"{contract.name}: {stored} is what {escape_text(found.address)} says ({_format_counts(comparison)})",
        f"{contract.slug}-client {impact.version.current} -> {impact.version.version}: {impact.version.reason}",
        f"written: {', '.join(sorted(fresh))}",
        *(f"look at a name: {line}" for line in describe_deceptive_names(stored_part, revision)),
        *describe_rewording(stored_part, revision),
        *(f"note: {line}" for line in format_overlay_notes(issues)),
    ]


def _find_document(contract: Contract, given: str) -> PublishedDocument:
    """Return the document that ``given`` names, else the one that was compared last."""
    directory = contract.root / CACHE_DIRECTORY
    if given:
        try:
            return read_published_document(contract, given, directory, {})
        except FetchError as error:
            if given.lower().startswith(("http://", "https://")):
                raise
            raise UsageError(str(error)) from error  # a file is an argument like any other
    known = load_entry(directory, contract.slug)
    if known is None:
        raise UsageError(f"no document of {contract.name}'s was compared yet: run make drift VENDOR={contract.slug} and look "
                         "at what it says, or give PUBLISHED=file-or-url")  # fmt: skip
    return PublishedDocument(known.document, known.source, known.digest, False, known)


def _get_stored_name(contract: Contract) -> str:
    """Return the path of the stored document below the root."""
    return contract.published_file.relative_to(contract.root).as_posix()


def _list_overlay_operations(contract: Contract) -> dict[tuple[str, str], str]:
    """Return the operations that the overlay's targets name, which an edited overlay may know before the document does."""
    targets = [_OPERATION.match(action["target"]) for action in read_overlay(contract.directory / "overlay.yaml")]
    return {
        (found[2], normalize_path(found[1])): f"{found[2].upper()} {found[1]}" for found in targets if found is not None
    }


def _read_effective_document(contract: Contract) -> dict[str, Any]:
    """Return the effective document that the client was generated from; the overlay may have been edited since."""
    path = contract.output_directory / "openapi.json"
    found = read_json(path)
    if not isinstance(found, dict):
        raise UsageError(f"{path}: is not an OpenAPI 3 document; run `make generate`")
    return {key: value for key, value in found.items() if key != "x-generated"}


def _apply_overlay(
    contract: Contract, revision: Mapping[str, Any], issues: Sequence[OverlayIssue], *, anyway: bool
) -> dict[str, Any]:
    """Return the new document with the overlay; a `UsageError` names the edit that each action needs which does not fit.

    With ``anyway`` the actions that apply may hide what the vendor serves now.
    """
    path = contract.directory / "overlay.yaml"
    source = str(path.relative_to(contract.root))
    lines = [f"  action {one.action} ({one.target}): {one.message}; {one.edit}" for one in issues]
    try:
        effective = apply_overlay(revision, read_overlay(path), source)
    except UsageError as error:
        raise UsageError("\n".join([f"{error}; nothing was changed", *lines])) from error
    if (serious := list_serious_issues(issues)) and not anyway:
        count = len({one.action for one in serious})
        problem = f"{source}: {count} action{'' if count == 1 else 's'} would hide what the vendor serves now or no longer fit"
        fix = "edit the overlay as below, or set ANYWAY=1 to keep it as it is"
        raise UsageError("\n".join([f"{problem}; {fix}; nothing was changed", *lines]))
    return effective


def _check_overlay(contract: Contract, base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[OverlayIssue]:
    """Return the issues of the overlay's actions, without those that were edited for the new document already.

    Such an action does not fit the old document, so that nothing tells how it should fit the new one.
    """
    kept, numbers, state = [], [], dict(base)
    for number, action in enumerate(read_overlay(contract.directory / "overlay.yaml"), 1):
        try:
            state = apply_overlay(state, [action], "")
        except UsageError:
            continue
        kept.append(action)
        numbers.append(number)
    return list(check_overlay(kept, base, revision, numbers=numbers).issues)


def _build_replacements(contract: Contract, tree: Path, revision: Mapping[str, Any], found: PublishedDocument, comparison: Comparison,
          impact: ClientImpact) -> dict[str, Path]:  # fmt: skip
    """Build every replacement below ``tree``, laid out as below the root; return their paths by name."""
    slug, stored = contract.slug, _get_stored_name(contract)
    directory = contract.directory.relative_to(contract.root).as_posix()
    shutil.copytree(contract.directory, tree / directory, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / stored).parent.mkdir(parents=True, exist_ok=True)
    (tree / stored).write_text(format_json(revision), encoding="utf-8", newline="\n")
    accepted = tree / directory / _ACCEPTED_FILE
    with accepted.open("a", encoding="utf-8", newline="\n") as file:
        file.write(_format_entry(contract, found, impact, first=file.tell() == 0))
    try:
        fresh_contract = Contract(slug, tree, contract.directory.parent.name)
        output = fresh_contract.output_directory
        generate_outputs(fresh_contract, output)
        client_trial.try_client(slug, fresh_contract.effective.raw, output / "client")
    except UsageError as error:
        raise UsageError(f"{error}; nothing was changed") from error
    except Exception as error:
        message = next(iter(str(error).splitlines()), "")
        raise UsageError(f"{directory}: does not fit the new document ({type(error).__name__}: {escape_text(message, 200)}): edit it, and "
                         "take the document over again; nothing was changed") from error  # fmt: skip
    fresh = [stored, f"{directory}/{_ACCEPTED_FILE}", f"generated/{slug}"]
    changelog = contract.root / _CHANGELOG
    if changelog.is_file():
        line = f"{_get_today()}: the vendor's document of that day: {_format_changes(comparison)}; `{slug}-client` {impact.version.version}."
        text = insert_line(changelog.read_text(encoding="utf-8"), contract.name, line)
        (tree / _CHANGELOG).write_text(text, encoding="utf-8", newline="\n")
        fresh.append(_CHANGELOG)
    return {name: tree / name for name in fresh}


def _format_entry(contract: Contract, found: PublishedDocument, impact: ClientImpact, *, first: bool) -> str:
    """Return the entry of `accepted.toml` for one document."""
    old = compute_digest((contract.published_file).read_bytes())
    head = (
        "# Documents of the vendor's that were taken over, the newest last; `make accept` writes here.\n"
        if first
        else ""
    )
    # Of a file only the name: its directory exists on one machine.
    source = found.address if found.address.startswith("http") else Path(found.address).name
    entry = {"date": _get_today(), "source": source, "digest": found.digest, "replaced": old,
            "client": impact.version.version}  # fmt: skip
    lines = [f"{key} = {quote_toml(value)}" for key, value in entry.items()]
    return "\n".join([f"{head}\n[[accepted]]", *lines]) + "\n"


def _format_counts(found: Comparison) -> str:
    words = [(sum(one.level is level for one in found.changes), level.value) for level in reversed(ChangeLevel)]
    return (
        ", ".join(f"{count} {word}" for count, word in words if count) + " changes"
        if found.changes
        else "no change of meaning"
    )


def _format_changes(found: Comparison) -> str:
    """Return the changelog's words for the changes: their number, and the first breaking ones."""
    broken = list(dict.fromkeys(one.message for one in found.changes if one.level is ChangeLevel.BREAKING))
    more = f" and {len(broken) - _MAX_BREAKING_CHANGES} more" if len(broken) > _MAX_BREAKING_CHANGES else ""
    named = "; ".join(escape_markdown(_shorten(one)) for one in broken[:_MAX_BREAKING_CHANGES])
    return _format_counts(found) + (f" ({named}{more})" if broken else "")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE_LENGTH else f"{text[:_MAX_MESSAGE_LENGTH]}…"


def _get_today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
