"""A contract's directory is loaded as written or refused in one line, and its digest depends on all its content."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, SLUG, Contract, choose_contracts, load_contracts
from contract_watch.errors import UsageError

PART_READERS: dict[str, Callable[[Contract], Any]] = {
    "name": lambda contract: contract.name,
    "places": lambda contract: contract.credential_locations,
    "credentials": lambda contract: contract.credentials,
    "lifecycle": lambda contract: contract.lifecycle,
    "identities": lambda contract: contract.identities,
    "rate": lambda contract: contract.rate,
    "operations": lambda contract: contract.operations,
    "hosts": lambda contract: contract.hosts,
    "model": lambda contract: contract.model,
}


def _read_refusal(root: Path, part: str) -> str:
    """Return the error of ``part`` of the contract below ``root``."""
    with pytest.raises(UsageError) as refusal:
        PART_READERS[part](Contract("jetemail", root))
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def _edit_config(root: Path, old: str, new: str) -> None:
    """Replace ``old``, a regular expression, in contract.toml."""
    file = root / "contracts" / "jetemail" / "contract.toml"
    text, count = re.subn(old, new, file.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
    assert count == 1
    file.write_text(text, encoding="utf-8")


def test_copy_of_the_contract_reads_as_the_original(root: Path, jetemail: Contract) -> None:
    """The contract that the tests below break is valid before they break it."""
    copied = Contract("jetemail", root)
    for part in PART_READERS.values():
        part(copied)
    assert copied.digest == jetemail.digest
    assert copied.name == "JetEmail"
    assert copied.hosts == {"api.jetemail.com"}
    assert copied.base_path == ""
    assert (copied.rate.requests, copied.rate.seconds) == (240, 60)
    assert [(c.account, c.variable, c.required) for c in copied.credentials] == [
        ("paid", "JETEMAIL_API_KEY", True), ("free", "JETEMAIL_FREE_API_KEY", False)]  # fmt: skip


KEYS = ["name", "published", "rate", "places", "credentials", "identities", "lifecycle"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("break_with", ["missing", "of another type"])
def test_malformed_setting_is_named(root: Path, key: str, break_with: str) -> None:
    """For a key that is absent or a number, the error names the file and the key."""
    new = f"{key} = 3\n" if break_with == "of another type" else ""
    tables = key not in ("name", "published")
    _edit_config(root, rf"\[+{key}\]+\n.*?\n(?=\n|\Z)" if tables else rf"\n{key} = [^\n]*\n", "\n")
    if key in ("places", "credentials"):
        while f"[[{key}]]" in (root / "contracts/jetemail/contract.toml").read_text(encoding="utf-8"):
            _edit_config(root, rf"\[\[{key}\]\]\n.*?\n(?=\n|\Z)", "\n")
    _edit_config(root, "^", new)
    line = _read_refusal(root, "name")
    assert str(root / "contracts/jetemail/contract.toml") in line
    assert f"`{key}`" in line


@pytest.mark.parametrize(
    ("old", "new", "part", "problem"),
    [
        ('name = "JetEmail"', 'name = "', "name", "is not TOML"),
        ('name = "JetEmail"', f"name = {'9' * 5000}", "name", "is not TOML"),
        (r'header = "Authorization"\n', "", "places", "must have one of `header`, `query` and `field`"),
        (r'form = "Bearer \{\}"\n', "", "places", "`places` lacks the key 'form'; add it"),
        (
            'variable = "JETEMAIL_API_KEY"',
            'varaible = "X"',
            "credentials",
            "`credentials` has the unknown key 'varaible'; use account, variable",
        ),
        ("required = true", "required = true\nplan = 1", "credentials", "plan"),
        ("seconds = 60", "second = 60", "rate", "second"),
        ('read = "listSmtpUsers"', "", "lifecycle", "read"),
        ('read = "listSmtpUsers"', 'read = "listThings"', "lifecycle", "'listThings'"),
        ("deleteSmtpUser = {", "deleteThing = {", "identities", "'deleteThing'"),
        ('deleteSmtpUser = {"/username" = "existing"', 'deleteSmtpUser = {"/username" = "old"', "identities", "'old'"),
        ('deleteSmtpUser = {"/username"', 'deleteSmtpUser = {"username"', "identities", "'username'"),
    ],
)
def test_malformed_contract_is_named(root: Path, old: str, new: str, part: str, problem: str) -> None:
    """Each value of contract.toml is checked on reading. The error names the file and the wrong value."""
    _edit_config(root, old, new)
    line = _read_refusal(root, part)
    assert line.startswith(f"{root / 'contracts/jetemail/contract.toml'}: ")
    assert problem in line


@pytest.mark.parametrize(
    ("old", "new", "part", "problem"),
    [
        ("requests = 240", 'requests = "240"', "rate", "`rate.requests` must be an integer, got '240'"),
        ("required = true", 'required = "no"', "credentials", "`credentials.required` must be a boolean, got 'no'"),
        ("header = .Authorization.", "header = 3", "places", "`places.header` must be a string, got 3"),
        (r"deleteSmtpUser = \{[^\n]*", 'deleteSmtpUser = "/username"', "identities",
         "`identities.deleteSmtpUser` must be a table of arguments and roles, got '/username'"),
        (r"\[resource\]", "[resource]\ninvalid = ['400']", "model",
         "`resource.invalid` must be a list of values that are each an integer, got ['400']"),
        (r"\[resource\]", "[resource]\nfilters = {'query:a' = 1}", "model",
         "`resource.filters` must be a table of values that are each a string, got {'query:a': 1}"),
        (r"(?s)\[\[places\]\].*?(?=\n\[\[credentials)", "", "name", "`places` is missing; add a list"),
        (r"servers = \[\]", "servers = [3]", "hosts", "`servers` must be a list of URLs, got [3]"),
    ],
)  # fmt: skip
def test_wrong_type_within_a_table_is_named(root: Path, old: str, new: str, part: str, problem: str) -> None:
    """The error for a nested value of the wrong type names the file, the key and the value."""
    _edit_config(root, old, new)
    assert _read_refusal(root, part) == f"{root / 'contracts/jetemail/contract.toml'}: {problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", ":1: is not JSON"), ("[]", ": is not an OpenAPI 3 document"), ('{"swagger": "2.0"}', ": is not an OpenAPI 3"),
     (None, ": cannot be read")],
)  # fmt: skip
def test_bad_published_document_is_named(root: Path, text: str | None, problem: str) -> None:
    """The error names a published document that is no JSON, no OpenAPI 3 or absent, and gives the reason."""
    file = root / "openapi.json"
    file.unlink()
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert f"{file}{problem}" in _read_refusal(root, "operations")


def test_bad_overlay_is_named_with_its_action(root: Path) -> None:
    """The vendor may fix its document: an action without a target is an error that names overlay, action and target."""
    document = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    del document["paths"]["/outbound/smarthost"]["delete"]
    (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    expected = "contracts/jetemail/overlay.yaml: action 4 ($.paths['/outbound/smarthost'].delete): matches nothing"
    assert _read_refusal(root, "operations").startswith(expected)


@pytest.mark.parametrize(
    ("servers", "hosts", "base"),
    [
        ('[{"url": "https://API.example.com/v3/"}, {"url": "https://eu.example.com/v3"}]',
         {"api.example.com", "eu.example.com", "test.example.com"}, "/v3"),
        ("[]", {"test.example.com"}, ""),
        ('[{"url": "/v3"}]', {"test.example.com"}, "/v3"),
    ],
)  # fmt: skip
def test_servers_tell_what_is_live(root: Path, servers: str, hosts: set[str], base: str) -> None:
    """The servers of the document and of contract.toml count as live; host names are in lower case.

    The base path is the first server's, even if a target replaces its host.
    """
    _edit_config(root, r"servers = \[\]", 'servers = ["https://test.example.com"]')
    document = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    (root / "openapi.json").write_text(json.dumps({**document, "servers": json.loads(servers)}), encoding="utf-8")
    contract = Contract("jetemail", root)
    assert (set(contract.hosts), contract.base_path) == (hosts, base)


def test_unknown_vendor_error_lists_vendors(root: Path) -> None:
    """The error is one line that lists the slugs. A slug or `all` selects contracts."""
    with pytest.raises(UsageError) as refusal:
        choose_contracts("nobody", root)
    assert str(refusal.value) == "--vendor: unknown vendor 'nobody'; choose from jetemail or all"
    assert [contract.slug for contract in choose_contracts("jetemail", root)] == ["jetemail"]
    assert [contract.slug for contract in choose_contracts("all")] == sorted(load_contracts())
    assert "jetemail" in load_contracts()


@pytest.mark.parametrize(
    ("directory", "counts"),
    [("a", True), ("mail2go", True), ("2go", False), ("Mail", False), ("a-b", False), ("a_b", False)],
)
def test_only_slugs_name_contracts(root: Path, directory: str, counts: bool) -> None:
    """A slug names a directory, a client package and an environment prefix.

    A directory is a contract only if its name is a slug and it contains contract.toml.
    """
    (root / "contracts" / directory).mkdir()
    assert list(load_contracts(root)) == ["jetemail"]
    (root / "contracts" / directory / "contract.toml").touch()
    assert list(load_contracts(root)) == sorted(["jetemail", *([directory] if counts else [])])
    assert (SLUG.fullmatch(directory) is not None) == counts


@pytest.mark.parametrize("file", ["openapi.json", "contracts/jetemail/overlay.yaml"])
def test_digest_changes_with_the_document(root: Path, jetemail: Contract, file: str) -> None:
    """The digest in a report identifies the contract: one word in document or overlay changes it."""
    text = (root / file).read_text(encoding="utf-8")
    assert "SMTP user" in text
    (root / file).write_text(text.replace("SMTP user", "SMTP person", 1), encoding="utf-8")
    digest = Contract("jetemail", root).digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert digest != jetemail.digest


MODULES = sorted(path.name for path in (ROOT / "contracts/zitadel").glob("*.py") if path.stem != "__init__")


_EDITS = {"contract.toml": ("requests = ", "requests = 1")}


@pytest.mark.parametrize("file", ["contract.toml", "rules.yaml", *MODULES])
def test_digest_changes_with_every_part_of_the_model(tmp_path: Path, file: str) -> None:
    """An edit to the configuration, the rules or any module of the model changes the digest."""
    zitadel = Contract("zitadel", ROOT)
    shutil.copytree(zitadel.directory, tmp_path / "contracts" / "zitadel")
    assert Contract("zitadel", tmp_path).digest == zitadel.digest
    path = tmp_path / "contracts" / "zitadel" / file
    text, old, new = path.read_text(encoding="utf-8"), *_EDITS.get(file, ("", "# changed\n"))
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
    assert Contract("zitadel", tmp_path).digest != zitadel.digest


def test_digest_is_the_same_for_another_layout_of_the_same_document(root: Path, jetemail: Contract) -> None:
    """The digest covers content, not white space: the document on one line has the same one."""
    document = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    assert Contract("jetemail", root).digest == jetemail.digest


def test_one_key_for_two_accounts_is_refused(jetemail: Contract) -> None:
    """Some rules need two accounts, so the keys must differ. The error names both variables."""
    assert jetemail.check_keys_differ({"paid": "one", "free": "two"}) == {"paid": "one", "free": "two"}
    with pytest.raises(UsageError, match=r"JETEMAIL_API_KEY and JETEMAIL_FREE_API_KEY"):
        jetemail.check_keys_differ({"paid": "one", "free": "one"})
