"""A run of a draft against its own mock: it tells which documented refusals no request causes."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch.authoring.self_check import run_self_check
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError

_REASONS = {
    402: "the test account is paid for", 403: "the test key may do everything", 404: "the request names no object",
    409: "no conflict is known", 415: "a run sends the documented media type", 429: "a run keeps within the rate",
}  # fmt: skip
UNEXPLAINED = "no request of a run causes it"
"""The reason of a refusal for which no likely one is known: a person must decide."""


def find_unprovoked(slug: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the documented refusals that no request causes, each with the likeliest reason.

    A contract that cannot be run has none: its gaps are reported when it is checked.
    """
    with TemporaryDirectory(prefix="draft-") as scratch:
        directory = Path(scratch) / "contracts" / slug
        directory.mkdir(parents=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
        contract = Contract(slug, Path(scratch))
        try:
            unreached = run_self_check(contract).unreached
        except (UsageError, ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
            return {}
        return _summarize(contract, [clause for clause in unreached if "/response/" in clause])


def _summarize(contract: Contract, clauses: list[str]) -> dict[str, str]:
    """Return an entry for each refusal, one for all operations if none of them gives a status."""
    found: dict[int, list[str]] = defaultdict(list)
    for clause in clauses:
        operation, _, status = clause.partition("/response/")
        if status.isdigit() and 400 <= int(status) < 500:
            found[int(status)].append(operation)
    provoked: dict[str, str] = {}
    for code, operations in sorted(found.items()):
        reason = _REASONS.get(code, UNEXPLAINED)
        everywhere = [name for name, one in contract.operations.items() if code in one.responses]
        keys = [str(code)] if len(operations) == len(everywhere) else [f"{name}/{code}" for name in operations]
        provoked |= dict.fromkeys(keys, reason)
    return provoked
