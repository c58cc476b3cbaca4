"""The code that an edit of a document breaks, on clients that the real generator makes for all three vendors."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.diff.client.correlation import NO_SYMBOL
from contract_watch.diff.client.document_impact import assess_document_impact
from contract_watch.diff.client.impact import ClientImpact, GeneratedClient, assess_impact
from contract_watch.generator.outputs import generate_comparison_client
from tests.support.clients.document_edits import (
    GENERATED,
    ClientEdit,
    DocumentLevel,
    StubDocumentChange,
    edit_document,
    load_effective_document,
    load_generated_client,
)
from tests.support.clients.vendor_edits import EDITS, PATH, ROW, SCHEMA

pytestmark = pytest.mark.usefixtures("remembered_clients")

EACH = pytest.mark.parametrize(
    ("slug", "edit"),
    [
        pytest.param(slug, edit, id=f"{slug}-{edit.id.replace(' ', '-')}")
        for slug, all_ in EDITS.items()
        for edit in all_
    ],
)


@dataclass(frozen=True)
class VendorImpact:
    """The impact of all edits of a vendor at once, and the new client."""

    impact: ClientImpact
    revision: GeneratedClient


@pytest.fixture(name="impacts", scope="module")
def _impacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, VendorImpact]:
    found = {}
    for slug, edits in EDITS.items():
        directory = tmp_path_factory.mktemp(slug) / "client"
        document = edit_document(slug, edits)
        generate_comparison_client(Contract(slug), document, directory)
        revision = GeneratedClient(directory, f"{slug}_client", document)
        changes = [change for edit in edits for change in edit.changes]
        found[slug] = VendorImpact(assess_impact(load_generated_client(slug), revision, changes, "1.2.3"), revision)
    return found


@EACH
def test_an_edit_is_joined_to_the_symbols_that_it_changes_and_no_others(
    slug: str, edit: ClientEdit, impacts: dict[str, VendorImpact]
) -> None:
    """Name exactly the symbols of one edit among many, and if each change breaks code."""
    mine = [joined for joined in impacts[slug].impact.correlated if joined.document_change in edit.changes]
    assert len(mine) == len(edit.locations)
    found = {
        (one.symbol.removeprefix(f"{slug}_client."), one.kind.value, one.is_breaking)
        for j in mine
        for one in j.symbol_changes
    }
    assert found == set(edit.symbols)
    for joined in mine:
        assert joined.description.startswith(NO_SYMBOL) == (not edit.symbols)
        assert all(one.symbol in joined.description or "also" in joined.description for one in joined.symbol_changes)


@pytest.mark.parametrize("slug", EDITS)
def test_every_change_of_a_symbol_has_its_cause(slug: str, impacts: dict[str, VendorImpact]) -> None:
    """Join every change of a symbol to an edit, and report no other change.

    All edits of a vendor together lead to the next major version.
    """
    impact = impacts[slug].impact
    assert impact.unaccounted == ()
    assert {
        (one.symbol.removeprefix(f"{slug}_client."), one.kind.value, one.is_breaking) for one in impact.symbol_changes
    } == {symbol for edit in EDITS[slug] for symbol in edit.symbols}
    assert impact.version.version == "2.0.0"


def test_where_no_symbol_changes_the_text_says_so_and_where(impacts: dict[str, VendorImpact]) -> None:
    """Report a change without a changed symbol with the symbols of its location."""
    assert impacts["jetemail"].impact.correlated[0].symbols == ("jetemail_client.models.SmtpUser.usage",)
    texts = {
        joined.document_change.location.rsplit("/", 1)[1]: joined.description
        for joined in impacts["jetemail"].impact.correlated
    }
    assert (
        texts["maxLength"] == "no symbol changes, only behaviour of jetemail_client.models.CreateSmtpUserBody.username"
    )
    assert texts["description"] == (
        "no symbol changes, only behaviour of jetemail_client.api.outbound.create_smtp_user.sync (also sync_detailed, asyncio_detailed, asyncio)"
    )
    assert texts["usage"] == "jetemail_client.models.SmtpUser.usage: attribute removed"
    assert texts["422"].startswith(
        "jetemail_client.api.outbound.create_smtp_user.sync (also asyncio, asyncio_detailed, sync_detailed): return type changed; "
    )


def test_a_type_checker_agrees_about_whom_it_breaks(impacts: dict[str, VendorImpact], tmp_path: Path) -> None:
    """Agree with mypy on the edits that break code.

    Each edit has a function that uses the changed symbol. The old client gives no error, the new one gives errors in the
    functions of the breaking edits alone.
    """
    edits = [edit for edit in EDITS["jetemail"] if edit.user]
    assert {edit.is_breaking for edit in edits} == {True, False}
    assert _run_mypy(edits, load_generated_client("jetemail"), tmp_path) == set()
    found = _run_mypy(edits, impacts["jetemail"].revision, tmp_path)
    assert found == {edit.id for edit in edits if edit.is_breaking}


def _run_mypy(edits: Sequence[ClientEdit], client: GeneratedClient, directory: Path) -> set[str]:
    """Return the edits whose function has a mypy error with ``client``."""
    head = [
        "from jetemail_client import AuthenticatedClient",
        "from jetemail_client.api.outbound import create_smtp_user, list_smtp_users",
        "from jetemail_client.models import (Acknowledgement, ApiError, CreateSmtpUserBody, SmtpUser, SmtpUserStatus,",
        "    UpdateSmtpUserBody, UpdateSmtpUserBodyStatus)",
    ]
    lines = list(head)
    owners: dict[int, str] = {}
    for edit in edits:
        owners |= dict.fromkeys(range(len(lines) + 1, len(lines) + 2 + edit.user.count("\n")), edit.id)
        lines += edit.user.split("\n")
    shutil.copytree(client.directory / client.package, directory / client.package, dirs_exist_ok=True)
    for gone in set((directory / client.package).rglob("*.py")):
        if not (client.directory / gone.relative_to(directory)).exists():
            gone.unlink()
    (directory / "user.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", "user.py"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    errors = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    assert {parts[0] for parts in errors} <= {"user.py"}, done.stdout
    assert done.returncode == bool(errors), done.stdout + done.stderr
    return {owners[int(parts[1])] for parts in errors}


def test_a_new_optional_property_calls_for_the_next_minor(tmp_path: Path) -> None:
    """Go from 1.0.0 to 1.1.0 for a new optional property of a response, and name its attribute."""
    document = load_effective_document("jetemail")
    document["components"]["schemas"]["SmtpUser"]["properties"]["note"] = {"type": "string"}
    generate_comparison_client(Contract("jetemail"), document, tmp_path / "client")
    revision = GeneratedClient(tmp_path / "client", "jetemail_client", document)
    impact = assess_impact(load_generated_client("jetemail"), revision, [StubDocumentChange(f"{ROW}/note")], "1.0.0")
    assert impact.version.version == "1.1.0"
    assert impact.correlated[0].description == "jetemail_client.models.SmtpUser.note: attribute added"


def test_what_no_change_of_the_document_accounts_for_is_separated() -> None:
    """Keep changes of names that come from titles, tags and ids.

    A new tag removes a module and adds one, without a change of the document as the cause. A new maximum length breaks
    callers and changes no symbol, so the version of the package in generated/ becomes the next major.
    """
    document = load_effective_document("jetemail")
    document["paths"]["/outbound/smarthost"]["get"]["tags"] = ["Users"]
    body = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["username"]["maxLength"] = 9
    change = StubDocumentChange(f"{PATH}/post/{SCHEMA}/username/maxLength", level=DocumentLevel.BREAKING)
    impact = assess_document_impact(Contract("jetemail"), load_effective_document("jetemail"), document, [change])
    assert [(one.symbol, one.is_breaking) for one in impact.unaccounted] == [
        ("jetemail_client.api.outbound.list_smtp_users", True),
        ("jetemail_client.api.users.list_smtp_users", False),
    ]
    assert impact.correlated[0].description.startswith(NO_SYMBOL)
    assert (impact.version.current, impact.version.version) == ("1.0.0", "2.0.0")


@pytest.mark.parametrize("slug", EDITS)
def test_the_client_made_for_comparison_is_the_one_that_is_published(slug: str, tmp_path: Path) -> None:
    """Generate the package of the repository, byte for byte."""
    generate_comparison_client(Contract(slug), Contract(slug).effective.raw, tmp_path / "client")
    package = f"{slug}_client"
    found, wanted = (
        {path.relative_to(directory): path.read_bytes() for path in (directory / package).rglob("*.py")}
        for directory in (tmp_path / "client", GENERATED / slug / "client")
    )
    assert found == wanted
