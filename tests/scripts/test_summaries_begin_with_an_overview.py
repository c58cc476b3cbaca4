"""Every summary begins with a table of vendors: a verdict, or the reason that nothing was checked; REQUIRE makes it fail."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from contract_watch.commands import check_accounts, join_overviews, list_vendors, watch_documents
from contract_watch.contracts.registry import Contract, choose_contracts, load_contracts
from contract_watch.engine.command.live_runs import list_matrix, list_variables
from contract_watch.report.overview import COLUMNS
from tests.support.contract_root import SLUG, copy_contract, make_document, write_document
from tests.support.loopback_server import serve_app
from tests.support.suite_process import PAID_KEY, check_target, start_suite
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

NOT_HERE = "not checked here"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for contract in choose_contracts("all"):
        for variable in [*list_variables(contract), f"{contract.slug.upper()}_PUBLISHED"]:
            monkeypatch.delenv(variable, raising=False)


def _read_table(page: str) -> dict[str, list[str]]:
    """Return the cells of each vendor in the table that a page begins with, after a line of history for each vendor."""
    past, *rest = re.split(r"(?m)^(?=## Overview$)", page)
    assert all(re.match(r"- .+ \((live|document|mock)\): ", line) for line in past.splitlines() if line)
    heading, empty, head, _, *lines = "".join(rest).splitlines()
    assert (heading, empty, head) == ("## Overview", "", f"| vendor | {' | '.join(COLUMNS)} |")
    rows = [line.strip("| ").split(" | ") for line in lines[: lines.index("")]]
    return {name: [cell.strip("*") for cell in cells] for name, *cells in rows}


def _read_printed_table(output: str) -> dict[str, list[str]]:
    """Return the same of what a command printed."""
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if re.match(r"vendor +live +document +mock$", line))
    rows = [re.split(" {2,}", line) for line in lines[start + 1 : lines.index("", start)]]
    return {name: cells for name, *cells in rows}


@pytest.mark.parametrize(
    ("arguments", "live"),
    [
        ([], ["no key in JETEMAIL_API_KEY", "no key in SMTP2GO_API_KEY", "no key in ZITADEL_TOKEN, no address in ZITADEL_URL"]),
        (["--vendor", "smtp2go"], ["not asked", "no key in SMTP2GO_API_KEY", "not asked"]),
    ],
)  # fmt: skip
def test_a_night_that_checks_no_account_is_not_green(
    arguments: list[str], live: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make live` without any key ends 2, with one line that names the variables."""
    assert check_accounts.main(["--out", str(tmp_path), *arguments]) == 2
    printed = capsys.readouterr()
    expected = {name: [reason, NOT_HERE, NOT_HERE] for name, reason in zip(_list_names(), live, strict=True)}
    assert _read_table((tmp_path / "report.md").read_text(encoding="utf-8")) == expected
    assert _read_printed_table(printed.out) == expected
    (line,) = printed.err.splitlines()
    assert line.startswith("error: no account was checked; set ")
    assert "SMTP2GO_API_KEY" in line
    assert ("ZITADEL_TOKEN and ZITADEL_URL" in line) == (not arguments)


def _list_names() -> list[str]:
    return [contract.name for contract in load_contracts().values()]


def test_accounts_are_one_page_below_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One vendor is checked, two have no key: 0, and 2 if one of these is required; no old report counts as a result.

    The process of the run is the real one, on a server of another author instead of the vendor's.
    """
    monkeypatch.setenv("JETEMAIL_API_KEY", PAID_KEY)
    monkeypatch.setenv("LEDGER", str(tmp_path / "ledger"))
    out, program, real = tmp_path / "out", tmp_path / "python", sys.executable
    with serve_app(FaithfulJetEmail()) as server:
        program.write_text(
            f'#!/bin/sh\nfor one; do shift; [ "$one" = live ] && one={server.url}; set -- "$@" "$one"; done\n'
            f'exec {real} "$@" --explore 0\n',
            encoding="utf-8",
        )
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))
        assert check_accounts.main(["--out", str(out), "--require", "jetemail"]) == 0
    expected = {
        "JetEmail": ["none", NOT_HERE, NOT_HERE],
        "SMTP2GO": ["no key in SMTP2GO_API_KEY", NOT_HERE, NOT_HERE],
        "ZITADEL": ["no key in ZITADEL_TOKEN, no address in ZITADEL_URL", NOT_HERE, NOT_HERE],
    }
    page = (out / "report.md").read_text(encoding="utf-8")
    assert _read_table(page) == expected
    assert page.count("## Overview") == 1
    assert "JetEmail" in page.partition("\n\n")[2].partition("\n\n")[2].splitlines()[0]
    assert (out / "jetemail" / "findings.json").exists()
    program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")  # the run ends before it reports
    capsys.readouterr()
    assert check_accounts.main(["--out", str(out), "--require", "jetemail,smtp2go"]) == 1
    assert _read_table((out / "report.md").read_text(encoding="utf-8"))["JetEmail"][0] == "no report, status 1"
    assert [line.partition(":")[2] for line in capsys.readouterr().err.splitlines()] == [
        " --require jetemail: JetEmail was skipped: no report, status 1; provide it or leave jetemail out of REQUIRE",
        " --require smtp2go: SMTP2GO was skipped: no key in SMTP2GO_API_KEY; provide it or leave smtp2go out of REQUIRE",
    ]


@pytest.fixture(name="contract")
def _contract(tmp_path: Path) -> Contract:
    """Build a root with two vendors, of which one has no known address."""
    root = tmp_path / "root"
    root.mkdir()
    contract = copy_contract(root)
    other = root / "contracts" / "acme"
    other.mkdir()
    text = (
        contract.config_file.read_text(encoding="utf-8").replace("JetEmail", "Acme").replace("upstream = ", "pages = ")
    )
    (other / "contract.toml").write_text(text, encoding="utf-8")
    return contract


def test_known_names_whom_it_leaves_out(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """KNOWN=1 says which variable or key would give the address; a required vendor that it leaves out ends 2."""
    monkeypatch.setenv("JETEMAIL_PUBLISHED", write_document(contract.root.parent, make_document(contract)))
    out = contract.root.parent / "out"
    for required, status in (("", 0), ("jetemail", 0), ("acme", 2), ("all", 2)):
        given = ["--known", "1", "--out", str(out), "--require", required]
        assert watch_documents.main(given, contract.root) == status
        printed = capsys.readouterr()
        expected = {"Acme": [NOT_HERE, "no known address", NOT_HERE], "JetEmail": [NOT_HERE, "none", NOT_HERE]}
        assert _read_table((out / "report.md").read_text(encoding="utf-8")) == expected
        assert printed.out.startswith("vendor ")
        assert _read_printed_table(printed.out) == expected
        assert (
            "Acme: left out: no known address; set ACME_PUBLISHED, or set `upstream` in contracts/acme/contract.toml\n"
            in printed.out
        )
        assert ("error: --require acme: Acme was skipped: no known address;" in printed.err) == (status == 2)


def test_a_vendor_that_was_not_asked_for_is_no_result(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """VENDOR= leaves the others out, whatever an earlier command found; requiring one of them ends 2."""
    file = write_document(contract.root.parent, make_document(contract))
    given = ["--vendor", SLUG, "--published", file, "--out", str(contract.root.parent / "out"), "--require", "acme"]
    assert watch_documents.main(given, contract.root) == 2
    assert _read_printed_table(capsys.readouterr().out)["Acme"] == [NOT_HERE, "not asked", NOT_HERE]


def test_a_run_on_the_mock_has_a_table_and_knows_who_is_required(tmp_path: Path) -> None:
    """`make contract` skips a vendor that lacks the protocol: required, it ends 2 with a line."""
    given = ("--target", "mock", "--surface", "grpc", "--explore", "0", "--only", "listSmtpConfigs/response/200")
    result = start_suite(tmp_path, *given, "--require", "zitadel,jetemail").wait_for_exit()
    assert result.status == 2, result
    table = _read_table(result.markdown)
    assert table["JetEmail"] == [NOT_HERE, NOT_HERE, "has none of the protocols in SURFACE"]
    assert table["ZITADEL"][2] in ("none", "inconclusive")
    assert "error: --require jetemail: JetEmail was skipped: has none of the protocols in SURFACE" in result.err


def test_another_target_has_no_column(tmp_path: Path) -> None:
    """A server of one's own is neither the vendor's nor the mock."""
    with serve_app(FaithfulJetEmail()) as server:
        result = check_target(tmp_path, server.url, "--only", "listSmtpUsers/response/200")
    assert result.status == 0
    assert "Overview" not in result.markdown


@pytest.mark.parametrize("main", [check_accounts.main, watch_documents.main, list_vendors.main])
def test_an_unknown_required_vendor_is_wrong_usage(
    main: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelled slug would never be skipped: 3, with one line, before anything is checked."""
    assert callable(main)
    out = ["--out", str(tmp_path / "out")] if main is not list_vendors.main else []
    assert main([*out, "--require", "jetemail,smtp3go"]) == 3
    line = "error: --require: unknown vendor 'smtp3go'; choose from jetemail, smtp2go, zitadel or all\n"
    assert capsys.readouterr().err == line
    assert not (tmp_path / "out").exists()


def test_tables_of_several_jobs_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make overview` joins what the jobs of a night wrote: a verdict replaces a reason, a reason `not asked`."""
    assert join_overviews.main(["--out", str(tmp_path)]) == 3
    assert "holds no overview.json" in capsys.readouterr().err
    for job, (slug, column, cell) in enumerate(
        [
            ("jetemail", "live", {"verdict": "none"}),
            ("jetemail", "live", {"not_checked": "not asked"}),
            ("smtp2go", "live", {"not_checked": "not asked"}),
            ("smtp2go", "live", {"not_checked": "no key in SMTP2GO_API_KEY"}),
            ("jetemail", "document", {"verdict": "breaking"}),
            ("jetemail", "document", {"verdict": "warning"}),
        ]
    ):
        (tmp_path / str(job)).mkdir()
        table = {"format": 1, "vendors": [{"vendor": slug, "name": Contract(slug).name, column: cell}]}
        (tmp_path / str(job) / "overview.json").write_text(json.dumps(table), encoding="utf-8")
    assert join_overviews.main(["--out", str(tmp_path)]) == 0
    expected = {
        "JetEmail": ["none", "breaking", NOT_HERE],
        "SMTP2GO": ["no key in SMTP2GO_API_KEY", NOT_HERE, NOT_HERE],
        "ZITADEL": [NOT_HERE, NOT_HERE, NOT_HERE],
    }
    assert _read_printed_table(f"{capsys.readouterr().out}\n") == expected
    assert _read_table((tmp_path / "overview.md").read_text(encoding="utf-8")) == expected


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"vendors": [{"vendor": "jetemail", "name": "JetEmail", "live": {"verdict": 1}}]}',
        '{"vendors": [{"vendor": "jetemail", "name": "JetEmail", "live": 1}]}',
        " " * 1_000_001,
        "",
        None,
    ],
    ids=["nested", "a number", "no cell", "large", "empty", "a named pipe"],
)
def test_a_table_that_is_none_is_refused(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file; a pipe is not waited for."""
    (tmp_path / "job").mkdir()
    path = tmp_path / "job" / "overview.json"
    if content is None:
        os.mkfifo(path)
    else:
        path.write_text(content, encoding="utf-8")
    assert join_overviews.main(["--out", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert f"{path}: is no table of vendors" in error
    assert error.count("\n") == 1


def test_the_matrix_may_be_limited_to_required_vendors(capsys: pytest.CaptureFixture[str]) -> None:
    """A team without an account at a vendor has no job that fails for it every night."""
    assert list_vendors.main(["--require", "zitadel"]) == 0
    assert json.loads(capsys.readouterr().out) == {"include": list_matrix(["zitadel"])}
    assert [job["vendor"] for job in list_matrix()] == list(load_contracts())
