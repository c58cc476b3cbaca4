"""A waived finding does not count while its waiver is valid; each run uses a copy of the repository."""

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs

from tests.support.loopback_server import serve_app
from tests.support.patience import PATIENCE
from tests.support.suite_process import SuiteResult
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

ROOT = Path(__file__).resolve().parents[2]


def _run_with_waivers(root: Path, server: FaithfulJetEmail, *waivers: tuple[str, str]) -> SuiteResult:
    """Run in a copy of the repository whose contract has ``waivers``: ids and expiry dates."""
    for name in ("contracts", "contract_tests", "contract_watch", "generated"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "openapi.json", root)
    lines = [
        f'[[waivers]]\nid = "{name}"\nreason = "reported to the vendor"\nexpires = {date}\n' for name, date in waivers
    ]
    (root / "contracts" / "jetemail" / "waivers.toml").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "contract_tests", "--vendor", "jetemail", "--explore", "0", "--target"]
    with serve_app(server) as at:
        finished = subprocess.run(  # noqa: S603 (our own command)
            [*command, at.url], cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    return SuiteResult(finished.returncode, finished.stdout, finished.stderr, root / "reports")


def test_a_waived_finding_does_not_count(tmp_path: Path) -> None:
    """End with `none` and status 0 if the only finding is waived until today.

    The finding is listed among the waived, with reason and expiry date, and is printed.
    """
    name = "createSmtpUser/200/body/message/missing"
    today = dt.datetime.now(dt.UTC).date()
    result = _run_with_waivers(tmp_path, drifted.DropsMessage(), (name, today.isoformat()))
    assert (result.status, result.report["verdict"], result.findings) == (0, "none", {}), result
    (waived,) = result.report["waived"]
    assert (waived["id"], waived["waived"]) == (
        name,
        {"reason": "reported to the vendor", "expires": today.isoformat()},
    )
    schema = json.loads((ROOT / "contract_watch" / "report" / "findings.schema.json").read_text(encoding="utf-8"))
    assert jsonschema_rs.validator_for(schema).is_valid(result.full_report)
    assert name in result.out
    assert result.junit.find(".//failure") is None


def test_an_expired_waiver_no_longer_holds_and_says_so(tmp_path: Path) -> None:
    """Count a finding whose waiver expired yesterday, with one line that names it and its date."""
    waived_id, expired_id = "updateSmtpUser/400/body/error/missing", "updateSmtpUser/404/body/error/missing"
    yesterday = (dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)).isoformat()
    result = _run_with_waivers(tmp_path, drifted.RenamesError(), (waived_id, "2999-01-01"), (expired_id, yesterday))
    assert (result.status, result.report["verdict"]) == (1, "breaking")
    assert [finding["id"] for finding in result.report["waived"]] == [waived_id]
    assert expired_id in result.findings
    assert [line for line in result.out.split("\n") if expired_id in line and yesterday in line and "expired" in line]
