"""Whom an edit of a document breaks, on clients that the real generator makes of the three vendors' documents."""

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
    """All edits of a vendor at once: what came of them, and the new client."""

    impact: ClientImpact
    revision: GeneratedClient


@pytest.fixture(name="impacts", scope="module")
def _impacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, VendorImpact]:
    found = {}
    for slug, edits in EDITS.items():
        folder = tmp_path_factory.mktemp(slug) / "client"
        document = edit_document(slug, edits)
        generate_comparison_client(Contract(slug), document, folder)
        revision = GeneratedClient(folder, f"{slug}_client", document)
        changes = [change for edit in edits for change in edit.changes]
        found[slug] = VendorImpact(assess_impact(load_generated_client(slug), revision, changes, "1.2.3"), revision)
    return found


@EACH
def test_an_edit_is_joined_to_the_symbols_that_it_changes_and_no_others(
    slug: str, edit: ClientEdit, impacts: dict[str, VendorImpact]
) -> None:
    """Claim: each change of the document names the symbols that it changes, and whether that breaks their users.

    Situation: one of many edits, all generated at once. Expectation: exactly the symbols of this edit.
    """
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
    """Claim: nothing is left unexplained and nothing is made up.

    Situation: all edits of a vendor. Expectation: the changes of symbols are those that the edits call for, together,
    each joined to one of them; the version is the next major.
    """
    impact = impacts[slug].impact
    assert impact.unaccounted == ()
    assert {
        (one.symbol.removeprefix(f"{slug}_client."), one.kind.value, one.is_breaking) for one in impact.symbol_changes
    } == {symbol for edit in EDITS[slug] for symbol in edit.symbols}
    assert impact.version.version == "2.0.0"


def test_where_no_symbol_changes_the_text_says_so_and_where(impacts: dict[str, VendorImpact]) -> None:
    """Claim: behaviour that no symbol shows is told as such.

    Situation: a length limited, a status described otherwise. Expectation: the words, and the symbols of the place.
    """
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
    """Claim: what is said to break breaks, and what is said not to does not.

    Situation: a user's function for each edit, checked by mypy against the old client and the new one.
    Expectation: no error with the old client; with the new one errors in the functions of the breaking edits alone.
    """
    edits = [edit for edit in EDITS["jetemail"] if edit.user]
    assert {edit.is_breaking for edit in edits} == {True, False}
    assert _run_mypy(edits, load_generated_client("jetemail"), tmp_path) == set()
    found = _run_mypy(edits, impacts["jetemail"].revision, tmp_path)
    assert found == {edit.id for edit in edits if edit.is_breaking}


def _run_mypy(edits: Sequence[ClientEdit], client: GeneratedClient, folder: Path) -> set[str]:
    """The edits in whose user's function mypy finds an error with ``client``."""
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
    shutil.copytree(client.directory / client.package, folder / client.package, dirs_exist_ok=True)
    for gone in set((folder / client.package).rglob("*.py")):
        if not (client.directory / gone.relative_to(folder)).exists():
            gone.unlink()
    (folder / "user.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", "user.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    errors = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    assert {parts[0] for parts in errors} <= {"user.py"}, done.stdout
    assert done.returncode == bool(errors), done.stdout + done.stderr
    return {owners[int(parts[1])] for parts in errors}


def test_a_new_optional_property_calls_for_the_next_minor(tmp_path: Path) -> None:
    """Claim: the verdict gives the version that the package needs next.

    Situation: an optional property more in an answer, the package at 1.0.0. Expectation: 1.1.0, and why.
    """
    document = load_effective_document("jetemail")
    document["components"]["schemas"]["SmtpUser"]["properties"]["note"] = {"type": "string"}
    generate_comparison_client(Contract("jetemail"), document, tmp_path / "client")
    revision = GeneratedClient(tmp_path / "client", "jetemail_client", document)
    impact = assess_impact(load_generated_client("jetemail"), revision, [StubDocumentChange(f"{ROW}/note")], "1.0.0")
    assert impact.version.version == "1.1.0"
    assert impact.correlated[0].description == "jetemail_client.models.SmtpUser.note: attribute added"


def test_what_no_change_of_the_document_accounts_for_is_separated() -> None:
    """Claim: names that the client takes from titles, tags and ids are not lost.

    Situation: another tag, a limit beside it that breaks callers. Expectation: a module gone and a new one, which no
    change accounts for; the limit has no symbol; what the package says in generated/ becomes the next major.
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
    """Claim: there is one way to generate.

    Situation: the effective document as it is. Expectation: the package in the repository, byte for byte.
    """
    generate_comparison_client(Contract(slug), Contract(slug).effective.raw, tmp_path / "client")
    package = f"{slug}_client"
    found, wanted = (
        {path.relative_to(folder): path.read_bytes() for path in (folder / package).rglob("*.py")}
        for folder in (tmp_path / "client", GENERATED / slug / "client")
    )
    assert found == wanted
