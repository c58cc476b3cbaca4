"""The record of a client's public API, `contracts/<slug>/client_api.txt`: what users of the package rely on.

A change that breaks them needs the next major version of the package (the next minor one below 1.0.0) and a line in the
changelog; only then is the record written anew.
"""

from pathlib import Path

from contract_watch.contracts.registry import Contract
from contract_watch.diff.changelog import has_entry
from contract_watch.diff.client.api_record import list_api, list_breaks
from contract_watch.diff.client.version import allows_breaks, read_current_version
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically

RECORD = "client_api.txt"
_CHANGELOG = "CHANGELOG.md"
_HEAD = "# Version {}; `make api` writes this file."
_FIRST, _LAST = _HEAD.split("{}")


def find_record_problems(contract: Contract) -> list[str]:
    """Return a line with the remedy for each difference between the record and the generated client."""
    breaks = list_unannounced_breaks(contract)
    if breaks:
        return breaks
    path = _get_path(contract)
    if not path.is_file():
        return [f"{_get_label(contract)}: is missing; run `make api VENDOR={contract.slug}`"]
    recorded, found = path.read_text(encoding="utf-8").splitlines(), _format_record(contract).splitlines()
    new = [line for line in found if line not in set(recorded)] + [line for line in recorded if line not in set(found)]
    if not new:
        return []
    more = f" and {len(new) - 1} more lines" if len(new) > 1 else ""
    return [f"{_get_label(contract)}: differs: {new[0]}{more}; run `make api VENDOR={contract.slug}`"]


def list_unannounced_breaks(contract: Contract) -> list[str]:
    """Return a line with the remedy for each recorded symbol whose users break, empty if version and changelog say so."""
    path = _get_path(contract)
    if not path.is_file():
        return []
    version, recorded = _read_record(contract)
    breaks = list_breaks(recorded, _list_api(contract))
    current = read_current_version(_get_client(contract))
    if not breaks:
        return []
    if not allows_breaks(version, current):
        remedy = f"it breaks users of {contract.slug}-client {version}; give it back, or raise the major version (info.version in the overlay)"
    elif not has_changelog_entry(contract, current):
        remedy = f"name `{contract.slug}-client` {current} in {_CHANGELOG}, with what changed"
    else:
        return []
    return [f"{_get_label(contract)}: {one}; {remedy}" for one in breaks]


def has_changelog_entry(contract: Contract, version: str) -> bool:
    """Return True if the changelog names this version of the contract's client."""
    path = contract.root / _CHANGELOG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return has_entry(text, f"{contract.slug}-client", version)


def write_record(contract: Contract) -> bool:
    """Record the API of the generated client; return False if the record is the same.

    Raises:
        UsageError: A recorded symbol breaks its users, and version or changelog do not say so.
    """
    breaks = list_unannounced_breaks(contract)
    if breaks:
        more = f" ({len(breaks)} such changes)" if len(breaks) > 1 else ""
        raise UsageError(f"{breaks[0]}{more}")
    path, text = _get_path(contract), _format_record(contract)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    write_atomically(path, text)
    return True


def _format_record(contract: Contract) -> str:
    head = _HEAD.format(read_current_version(_get_client(contract)))
    return "\n".join([head, *_list_api(contract)]) + "\n"


def _read_record(contract: Contract) -> tuple[str, list[str]]:
    """Return the recorded version and lines."""
    head, *lines = _get_path(contract).read_text(encoding="utf-8").splitlines() or [""]
    if not head.startswith(_FIRST) or not head.endswith(_LAST):
        raise UsageError(
            f"{_get_label(contract)}: must begin with a line such as {_HEAD.format('1.0.0')} Restore the file"
        )
    return head.removeprefix(_FIRST).removesuffix(_LAST), lines


def _list_api(contract: Contract) -> list[str]:
    return list_api(_get_client(contract), f"{contract.slug}_client")


def _get_client(contract: Contract) -> Path:
    return contract.output_directory / "client"


def _get_path(contract: Contract) -> Path:
    return contract.directory / RECORD


def _get_label(contract: Contract) -> str:
    return str(_get_path(contract).relative_to(contract.root))
