"""A waiver of a document's change has a rule and a location; one that is expired or unused is an error."""

import datetime as dt
from typing import Any

import pytest

from contract_watch.commands.watch_documents import main
from contract_watch.contracts.registry import Contract
from tests.support.contract_root import (
    ADDITIVE_CHANGE,
    BREAKING_CHANGE,
    SLUG,
    add_property,
    make_document,
    shorten_names,
)
from tests.support.document_drift_runs import run_drift_on

pytestmark = pytest.mark.usefixtures("remembered_clients")


def write_waiver(contract: Contract, rule: str, location: str, expires: str = "2099-01-31") -> None:
    """Waive changes of one rule at one location."""
    table = f'[[waivers]]\nrule = "{rule}"\nlocation = "{location}"\nreason = "known"\nexpires = {expires}\n'
    with (contract.directory / "waivers.toml").open("a", encoding="utf-8") as file:
        file.write(table)


def test_a_waiver_takes_a_change_out(contract: Contract) -> None:
    """In the location `*` matches one name. The report lists the waived change with its reason."""
    write_waiver(contract, BREAKING_CHANGE[0], BREAKING_CHANGE[1].replace("/post/", "/*/"))
    status, report = run_drift_on(contract, make_document(contract, shorten_names))
    assert (status, report["verdict"], report["findings"]) == (0, "none", [])
    assert [one["waived"]["reason"] for one in report["waived"]] == ["known"]


@pytest.mark.parametrize(("edit", "status"), [(add_property, 3), (shorten_names, 1)])
def test_an_expired_waiver_is_an_error(
    contract: Contract, edit: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A waiver of yesterday waives nothing and is an error that names it. Drift still counts as drift."""
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    write_waiver(contract, *(ADDITIVE_CHANGE if edit is add_property else BREAKING_CHANGE), expires=str(yesterday))
    found, report = run_drift_on(contract, make_document(contract, edit))
    assert found == status
    assert len(report["findings"]) == 1
    errors = capsys.readouterr().err
    assert "error: jetemail/waivers.toml" in errors
    assert f"expired on {yesterday}" in errors


def test_an_unused_waiver_is_an_error(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """A waiver of another location exits with 3 and is named, unless the comparison is inconclusive."""
    write_waiver(contract, BREAKING_CHANGE[0], BREAKING_CHANGE[1] + "x")
    assert run_drift_on(contract, make_document(contract, add_property))[0] == 3
    assert f"waiver {BREAKING_CHANGE[0]} at {BREAKING_CHANGE[1]}x waives nothing" in capsys.readouterr().err
    assert run_drift_on(contract, "no document")[0] == 2


@pytest.mark.parametrize(
    "table",
    [
        'rule = "a"',
        'rule = "a"\nlocation = "paths"',
        'rule = "a"\nlocation = "/x"\nid = "b"',
        'rule = ""\nlocation = "/x"',
    ],
)
def test_a_malformed_waiver_is_refused(contract: Contract, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the file and the waiver, and nothing is fetched."""
    text = f'[[waivers]]\n{table}\nreason = "known"\nexpires = 2099-01-31\n'
    (contract.directory / "waivers.toml").write_text(text, encoding="utf-8")
    assert main(["--vendor", SLUG, "--out", str(contract.root / "out")], contract.root) == 3
    assert "waivers.toml: waiver 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "fix"),
    [
        ("response-property-removed", 'use "property-removed"'),
        ("request-parameter-type-changed", 'use "type-changed"'),
        ("operation-remove", 'use "operation-removed"'),
        ("zzz", "see docs/rules.md"),
    ],
)
def test_an_unknown_rule_is_refused(
    contract: Contract, rule: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A waiver of a rule that does not exist ends the run with 3 and one line that suggests a rule; nothing is fetched."""
    write_waiver(contract, *BREAKING_CHANGE)
    write_waiver(contract, rule, "/paths")
    assert main(["--vendor", SLUG, "--out", str(contract.root / "out")], contract.root) == 3
    error = capsys.readouterr().err
    assert f'waivers.toml: waiver 2: unknown rule "{rule}"; {fix}\n' in error
    assert not (contract.root / "out").exists()
