"""A whole night below a directory, made by real runs: a vendor that drifts on two axes, and a year of nights before it.

``python -m tests.support.full_night`` writes the sample night that the tests of the page read, and the screenshots in docs.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.diff.document_watch import read_all_waivers, watch_documents
from contract_watch.history.entry import STEADY, CauseEntry, RunEntry
from contract_watch.history.remember import remember_runs
from contract_watch.history.store import History
from contract_watch.nights.build import build_night
from contract_watch.nights.night_file import write_night
from contract_watch.nights.page import render_page
from contract_watch.nights.run_files import prepare_axis, write_skipped
from contract_watch.report.report_files import write_reports
from tests.support.browser import open_browser, open_page
from tests.support.contract_root import make_document, shorten_names, write_document
from tests.support.live_runs import is_run_name
from tests.support.production.activity_log import PopulatedVendor
from tests.support.production.fake import FakeProduction
from tests.support.suite_process import start_suite

SLUG = "jetemail"
SAMPLE = ROOT / "tests" / "data" / "nights" / "night.json"
HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}} \u202egnp.exe"


def build_full_night(directory: Path) -> tuple[dict[str, Any], Path]:
    """Make the runs of a night below ``directory``; return its `night.json` and the directory of its results."""
    out, history = directory / "reports", directory / "reports" / "history.sqlite"
    contract = Contract(SLUG)
    _add_earlier_nights(history)
    _run_live(contract, prepare_axis(out, SLUG, "live"), history)
    mock = start_suite(directory, "--vendor", SLUG, "--explore", "0", "--history", str(history),
                       "--out", str(prepare_axis(out, SLUG, "mock")))  # fmt: skip
    assert mock.wait_for_exit().status == 0
    document = prepare_axis(out, SLUG, "document")
    result = watch_documents(
        [contract], read_all_waivers([contract]), write_document(directory, make_document(contract, shorten_names))
    )
    assert remember_runs(history, result.records, print)
    write_reports(result.records, document)
    other = Contract("smtp2go")
    for axis in ("live", "document", "mock"):
        write_skipped(prepare_axis(out, other.slug, axis), "no key in SMTP2GO_API_KEY")
    return build_night([contract, other], out, history, {}), out


def _run_live(contract: Contract, directory: Path, history: Path) -> None:
    """Run on a fake vendor whose updates lack their message, and whose list has a foreign object with a hostile status."""
    honest = PopulatedVendor.handle_request

    def spoilt(self: PopulatedVendor, operation: Operation, *more: Any) -> tuple[int, Any]:
        status, body = honest(self, operation, *more)
        if (operation.method, status) == ("PATCH", 200):
            body = {key: value for key, value in body.items() if key != "message"}
        if (operation.method, status) == ("GET", 200):
            body = {**body, HOSTILE: HOSTILE}
        return status, body

    with (
        patch.object(PopulatedVendor, "handle_request", spoilt),
        FakeProduction(contract, is_run_name=is_run_name, with_neighbours=False) as production,
    ):
        run = start_suite(directory.parent, "--vendor", SLUG, "--target", production.base, "--live", "mutate", "--out", str(directory),
                          "--history", str(history), environment={"LEDGER": str(directory.parent / "ledger")}, skip_waits=True)  # fmt: skip
        assert run.wait_for_exit().status == 1


def _add_earlier_nights(history: Path) -> None:
    """Remember a year of nights: an outage now and then, and an old drift that is gone tonight."""
    today = dt.datetime.now(dt.UTC).date()
    with History(history) as known:
        known.append(
            _make_entry(axis, today - dt.timedelta(days=days))
            for axis in ("live", "mock")
            for days in range(365, 0, -1)
        )


def _make_entry(axis: str, night: dt.date) -> RunEntry:
    is_down = axis == "live" and night.toordinal() % 17 == 0
    causes: tuple[CauseEntry, ...] = ()
    if axis == "live" and not is_down and night.toordinal() % 40 < 5:
        causes = (CauseEntry("old", "breaking", "POST /outbound/smarthost answers 202", STEADY, ("old",), ("old",)),)
    verdict = "inconclusive" if is_down else "breaking" if causes else "none"
    return RunEntry(
        f"{axis}-{night}",
        SLUG,
        axis,
        "",
        night.isoformat(),
        f"{night}T02:17:00Z",
        41.0,
        verdict,
        not is_down,
        "",
        181,
        causes,
    )


def main() -> None:
    """Write the sample night of the tests, and the screenshots of the documentation."""
    with tempfile.TemporaryDirectory() as directory:
        night, _ = build_full_night(Path(directory))
        night = json.loads(json.dumps(night).replace(f"{directory}/", ""))
        write_night(night, SAMPLE)
    with tempfile.TemporaryDirectory() as directory, open_browser() as browser:
        file = Path(directory) / "index.html"
        file.write_text(render_page(night), encoding="utf-8")
        for scheme in ("light", "dark"):
            with open_page(browser, file, color_scheme=scheme, viewport={"width": 1100, "height": 900}) as page:
                page.locator("details.cause").first.locator("summary").click()
                page.screenshot(path=ROOT / "docs" / f"night-{scheme}.png")


if __name__ == "__main__":
    main()
