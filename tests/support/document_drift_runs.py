"""`make drift` run on a root of its own, and what it reports."""

import json
from typing import Any

import jsonschema_rs

from contract_watch.commands.watch_documents import main
from contract_watch.contracts.registry import ROOT, Contract
from tests.support.contract_root import SLUG, write_document
from tests.support.reports import read_report, read_run

_SCHEMA = jsonschema_rs.validator_for(
    json.loads((ROOT / "contract_watch" / "report" / "findings.schema.json").read_text(encoding="utf-8"))
)


def run_drift(contract: Contract, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command; return its status and its report, which has the documented form."""
    out = contract.root.parent / "out"
    status = main(["--vendor", SLUG, "--out", str(out), *arguments], contract.root)
    _SCHEMA.validate(read_report(out))
    report = read_run(out)
    assert (out / "report.md").read_text(encoding="utf-8").startswith(("- ", "## "))
    return status, report


def run_drift_on(contract: Contract, document: Any) -> tuple[int, dict[str, Any]]:
    """Compare a file that holds ``document``; return status and report."""
    return run_drift(contract, "--published", write_document(contract.root.parent, document))
