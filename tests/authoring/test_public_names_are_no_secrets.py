"""A name that looks like a secret's and is none is declared in contract.toml; until then one line names the cause."""

import json
import re
import shutil
from pathlib import Path

import pytest

from contract_watch.authoring.completeness import find_gaps
from contract_watch.authoring.identity_checks import check_public_names
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.errors import UsageError
from contract_watch.generator.client_facts import format_banner
from contract_watch.mock.server import build_mock

NAME = "api_key_id"
SLUG = "parcelid"
_EDITS = {
    "published.json": ((r'"id": \{"type"', f'"{NAME}": {{"type"'),),
    "overlay.yaml": ((r"\[id,", f"[{NAME},"),),
    "model.py": ((r'get\("id"\) if', f'get("{NAME}") if'), (r'\{"id": NewLabelId', f'{{"{NAME}": NewLabelId')),
    "labels.py": ((r'\{"id": Constant', f'{{"{NAME}": Constant'), (r'row\.get\("id"\)', f'row.get("{NAME}")'),
                  (r'(?m)^(\s+)"id",$', rf'\1"{NAME}",')),
    "contract.toml": ((r'id = "/id"', f'id = "/{NAME}"'), ("contracts/parcel/", "")),
}  # fmt: skip
"""The made-up vendor's contract, whose labels get a property of this name as their id."""


@pytest.fixture(name="parcel")
def _parcel(tmp_path: Path) -> Contract:
    directory = tmp_path / "contracts" / SLUG
    shutil.copytree(ROOT / "tests" / "data" / "parcel", directory, ignore=shutil.ignore_patterns("__pycache__"))
    for file, edits in _EDITS.items():
        text = (directory / file).read_text(encoding="utf-8")
        for old, new in edits:
            text, count = re.subn(old, new, text)
            assert count, f"{old!r} is not in {file}"
        (directory / file).write_text(text, encoding="utf-8")
    made = Contract(SLUG, tmp_path)
    client = tmp_path / "generated" / SLUG / "client" / f"{SLUG}_client"
    client.mkdir(parents=True)
    (client / "__init__.py").touch()
    shown = {"x-generated": format_banner(made), **made.effective.raw}
    (client.parent.parent / "openapi.json").write_text(json.dumps(shown))
    return made


def _declare(contract: Contract, line: str) -> Contract:
    """Write ``line`` above the first table of ``contract.toml``."""
    text = contract.config_file.read_text(encoding="utf-8")
    contract.config_file.write_text(text.replace("[rate]", f"{line}\n\n[rate]", 1), encoding="utf-8")
    return Contract(SLUG, contract.root)


def test_an_id_under_a_name_of_secrets_is_a_line(parcel: Contract) -> None:
    """The line names the pointer and what to write; nothing else of the contract is wrong."""
    (line,) = find_gaps(parcel)
    assert line == (
        f"contracts/{SLUG}/contract.toml: lifecycle.id: '{NAME}' looks like a secret's name and would be redacted; "
        f'if it is none, add `public = ["{NAME}"]` above the first table'
    )


def test_declared_it_is_an_id_like_any_other(parcel: Contract) -> None:
    """The whole contract passes: probes find the ids in records, and the clean-up deletes what they made."""
    assert find_gaps(_declare(parcel, f'public = ["{NAME}"]')) == []


def test_declared_it_is_shown_in_records_and_in_the_journal(parcel: Contract) -> None:
    """Redaction honours the declaration everywhere, also after the session is copied; other names stay secret."""
    body = {NAME: "key-0123456789", "api_key": "secret-0123456789"}
    shown, hidden = {**body, "api_key": "[redacted, 17 characters]"}, "[redacted, 14 characters]"
    assert RunSecrets(parcel, {}).redactor.redact_json(body)[NAME] == hidden
    declared = _declare(parcel, f'public = ["{NAME.upper()}"]')
    redactor = RunSecrets(declared, {}).redactor
    redactor.add_secrets_from(body)
    assert redactor.redact_json(body) == shown
    assert redactor.copy_with([]).redact_json(body) == shown
    journal = build_mock([declared], {}).journal
    assert journal.redact_json(body) == shown


def test_a_name_that_one_vendor_keeps_secret_stays_secret_in_a_common_journal(
    parcel: Contract, jetemail: Contract
) -> None:
    """A mock of several vendors shows only what is public for each of them."""
    declared = _declare(parcel, f'public = ["{NAME}"]')
    journal = build_mock([declared, jetemail], {}).journal
    assert journal.redact_json({NAME: "key-0123456789"}) == {NAME: "[redacted, 14 characters]"}


def test_a_password_is_never_public(parcel: Contract) -> None:
    """The document's `format: password` wins, and a contract that says both has a gap."""
    path = parcel.directory / "published.json"
    text = path.read_text(encoding="utf-8").replace(f'"{NAME}": {{"type"', f'"{NAME}": {{"format": "password", "type"')
    path.write_text(text, encoding="utf-8")
    declared = _declare(parcel, f'public = ["{NAME}"]')
    assert RunSecrets(declared, {}).redactor.is_secret_name(NAME)
    first, second = check_public_names(declared)
    assert f"public: '{NAME}' has `format: password` in the document; remove one of them" in first
    assert "point to another property" in second


@pytest.mark.parametrize("line", ['public = "api_key_id"', "public = [1]", 'public = [""]'])
def test_a_malformed_declaration_is_one_line(parcel: Contract, line: str) -> None:
    """The key must be a list of names."""
    with pytest.raises(UsageError, match=r"contract\.toml: `public` must be a list of names"):
        _ = _declare(parcel, line).public_names
