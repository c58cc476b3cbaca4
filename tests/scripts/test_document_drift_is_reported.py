"""`make drift` compares a vendor's current document with the stored one; an unreadable one is never drift."""

import json
import os
from typing import Any

import pytest

from contract_watch.commands import watch_documents
from contract_watch.commands.watch_documents import main
from contract_watch.contracts.registry import Contract
from contract_watch.generator import outputs
from tests.support.contract_root import (
    ADDITIVE_CHANGE,
    BREAKING_CHANGE,
    SLUG,
    add_property,
    find_username_schema,
    make_document,
    shorten_names,
    write_document,
)
from tests.support.document_drift_runs import run_drift, run_drift_on
from tests.support.loopback_server import LoopbackResponse, serve_app

pytestmark = pytest.mark.usefixtures("remembered_clients")


def test_what_is_stored_is_no_drift(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Only operations under contract count: the report names the others in the document."""
    status, report = run_drift_on(contract, make_document(contract))
    assert (status, report["verdict"], report["findings"]) == (0, "none", [])
    assert report["document"]["not_under_contract"] == ["GET /domains"]
    assert report["document"]["overlay"] == []
    assert report["notes"] == ["not under contract, and not compared: GET /domains"]
    assert "means what the stored one means" in capsys.readouterr().out


def test_a_change_is_a_finding_with_whom_it_breaks(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding has a rule, a location, an operation, its consequence and the client's symbols.

    One change is breaking and one additive, so the next client is a major version.
    """
    status, report = run_drift_on(contract, make_document(contract, shorten_names, add_property))
    assert (status, report["verdict"]) == (1, "breaking")
    found = {one["clause"]: one for one in report["findings"]}
    assert found.keys() == {BREAKING_CHANGE[0], ADDITIVE_CHANGE[0]}
    one = found[BREAKING_CHANGE[0]]
    assert one["id"] == f"document/{BREAKING_CHANGE[0]}{BREAKING_CHANGE[1]}"
    assert (one["severity"], one["operation"], one["status"]) == ("breaking", "POST /outbound/smarthost", None)
    assert "CreateSmtpUserBody.username" in one["why"]
    assert "CreateSmtpUserBody.note: attribute added" in found[ADDITIVE_CHANGE[0]]["why"]
    assert one["symbols"] == []
    assert found[ADDITIVE_CHANGE[0]]["symbols"] == ["jetemail_client.models.CreateSmtpUserBody.note: attribute added"]
    assert one["exchange"]["response"]["body"]["maxLength"] == 5
    assert report["document"]["client"]["next"] == "2.0.0"
    output = capsys.readouterr().out
    assert "make accept VENDOR=jetemail" in output
    assert "maxLength changed from 64 to 5" in output


def test_an_addition_alone_does_not_fail(contract: Contract) -> None:
    """A compatible change is additive and a minor version: status 0, or 1 with FAIL_ON=additive."""
    status, report = run_drift_on(contract, make_document(contract, add_property))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (0, "additive", "1.1.0")
    file = write_document(contract.root.parent, make_document(contract, add_property))
    assert run_drift(contract, "--published", file, "--fail-on", "additive")[0] == 1


@pytest.mark.parametrize(
    ("servers", "rule"),
    [
        (["https://api.jetemail.com", "https://evil.example"], "server-added"),
        (["https://evil.example", "https://api.jetemail.com"], "server-added"),
    ],
)
def test_an_added_server_is_a_warning(contract: Contract, servers: list[str], rule: str) -> None:
    """A new server breaks nobody, but tools may send a key there: the finding says so."""

    def set_servers(document: dict[str, Any]) -> None:
        document["servers"] = [{"url": url} for url in servers]

    status, report = run_drift_on(contract, make_document(contract, set_servers))
    assert (status, report["verdict"], report["document"]["level"]) == (1, "warning", "warning")
    (finding,) = report["findings"]
    assert finding["clause"] == rule
    assert finding["why"].startswith(
        "This change may break code. Tools that choose the new server send requests and keys"
    )
    assert "https://evil.example" in finding["title"]


def test_an_operation_that_is_gone_breaks(contract: Contract) -> None:
    """The vendor moved the path: each operation is reported as removed, with the overlay's lost targets."""

    def moved(document: dict[str, Any]) -> None:
        document["paths"]["/v2/smarthost"] = document["paths"].pop("/outbound/smarthost")

    status, report = run_drift_on(contract, make_document(contract, moved))
    assert status == 1
    assert {one["clause"] for one in report["findings"]} == {"path-removed"}
    assert {one["kind"] for one in report["document"]["overlay"]} >= {"lost"}
    assert all(one["edit"] for one in report["document"]["overlay"])
    assert (
        "POST /outbound/smarthost was removed; it may be POST /v2/smarthost now, which is not under contract and was not compared"
        in report["notes"]
    )


def test_an_overlay_that_does_not_fit_comes_before_accepting(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    """A body became a component without a change of meaning: the class of the client has another name, a warning.

    The overlay no longer matches, so the next step is to edit it.
    """

    def moved(document: dict[str, Any]) -> None:
        content = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]
        document["components"]["schemas"]["New"] = content["schema"]
        content["schema"] = {"$ref": "#/components/schemas/New"}

    status, report = run_drift_on(contract, make_document(contract, moved))
    assert (status, report["verdict"], report["findings"]) == (1, "warning", [])
    assert report["document"]["overlay"]
    output = capsys.readouterr().out
    assert "JetEmail: warning: the client needs a major version" in output
    assert "apply the edits in the notes on overlay.yaml" in output
    assert "publishes what is stored" not in output


def test_names_of_the_client_change_without_the_meaning(contract: Contract) -> None:
    """The predicted version is the one that accepting gives.

    A new title renames a class: it is additive for the API, and a major version of the client, so the verdict is a
    warning. A new description alone is a note and no new version.
    """

    def renamed(document: dict[str, Any]) -> None:
        operation = document["paths"]["/outbound/smarthost"]["post"]
        operation["requestBody"]["content"]["application/json"]["schema"]["title"] = "NewUser"

    def reworded(document: dict[str, Any]) -> None:
        document["paths"]["/outbound/smarthost"]["post"]["description"] = "Other words."

    status, report = run_drift_on(contract, make_document(contract, renamed))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (1, "warning", "2.0.0")
    assert report["document"]["client"]["step"] == "major"
    (finding,) = report["findings"]
    assert (finding["clause"], finding["severity"]) == ("prose-changed", "additive")
    assert 'schema/title "NewUser" added' in finding["title"]
    status, report = run_drift_on(contract, make_document(contract, reworded))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (0, "none", "1.0.0")
    assert any('to "Other words."' in note for note in report["notes"])


def test_what_is_gone_is_reported_without_a_status(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """The report shows a removed operation as removed, not as an empty response."""

    def gone(document: dict[str, Any]) -> None:
        del document["paths"]["/outbound/smarthost"]["delete"]

    assert run_drift_on(contract, make_document(contract, gone))[0] == 1
    output = capsys.readouterr().out
    assert "after:   removed" in output
    assert "200 null" not in output


def test_a_file_may_have_any_name(contract: Contract) -> None:
    """A file whose name is not UTF-8 is compared."""
    file = contract.root.parent / os.fsdecode(b"now\xff.json")
    file.write_text(json.dumps(make_document(contract, shorten_names, add_property)), encoding="utf-8")
    assert run_drift(contract, "--published", str(file))[0] == 1


def test_a_client_that_takes_too_long_is_not_waited_for(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator never ends: the report has the changes and a note that the client's are unknown."""
    monkeypatch.setattr(outputs, "COMPARISON_TIMEOUT", 0)
    status, report = run_drift_on(contract, make_document(contract, shorten_names))
    assert (status, report["verdict"]) == (1, "breaking")
    assert any("did not finish within 0 s" in note for note in report["notes"])


def test_what_the_generator_says_is_the_same_each_time(contract: Contract) -> None:
    """The generator refuses a document without its components; its message must not contain an object's address."""

    def bare(document: dict[str, Any]) -> None:
        document["components"] = {}
        document["security"] = []
        for operation in document["paths"]["/outbound/smarthost"].values():
            operation.pop("security", None)

    del_domain = make_document(contract, bare)
    del del_domain["paths"]["/domains"], del_domain["components"]
    _, report = run_drift_on(contract, del_domain)
    (note,) = [one for one in report["notes"] if "generator refuses" in one]
    assert " object at 0x" not in note


@pytest.mark.parametrize("name", ["waivers.toml", "accepted.toml", "overlay.yaml"])
def test_a_file_nested_too_deep_is_one_line(contract: Contract, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error exits with 3 and names the file."""
    (contract.directory / name).write_text(("a: " if name.endswith("yaml") else "a = ") + "[" * 5000, encoding="utf-8")
    file = write_document(contract.root.parent, make_document(contract, shorten_names))
    out = str(contract.root.parent / "out")
    assert main(["--vendor", SLUG, "--out", out, "--published", file], contract.root) == 3
    error = capsys.readouterr().err.strip()
    assert name in error
    assert len(error.splitlines()) == 1


def test_another_document_is_no_drift(contract: Contract) -> None:
    """A document with another title and none of the operations is inconclusive."""
    other = {"openapi": "3.1.0", "info": {"title": "Petstore", "version": "1"}, "paths": {"/pets": {"get": {}}}}
    status, report = run_drift_on(contract, other)
    assert (status, report["verdict"], report["findings"]) == (2, "inconclusive", [])
    assert "none of the operations" in report["reason"]


@pytest.mark.parametrize(
    "answer",
    [
        LoopbackResponse(200, content=b"<!doctype html><html>sorry", media_type="text/html"),
        LoopbackResponse(200, content=b"<!doctype html><html>sorry", media_type="application/json"),
        LoopbackResponse(500, content=b"{}", media_type="application/json"),
        LoopbackResponse(404, content=b"{}", media_type="application/json"),
        LoopbackResponse(200, content=b'{"openapi": "3.1.0", "paths": {', media_type="application/json"),
        LoopbackResponse(200, content=b'{"swagger": "2.0", "paths": {}}', media_type="application/json"),
        LoopbackResponse(200, content=b"a: &a [*a, *a]", media_type="application/yaml"),
        LoopbackResponse(200, content=b"", media_type="application/json"),
    ],
    ids=["page", "page as JSON", "500", "404", "cut", "Swagger", "alias", "nothing"],
)
def test_what_is_no_document_is_no_drift(contract: Contract, answer: LoopbackResponse) -> None:
    """An address that serves something else is inconclusive with a reason, and never drift."""
    with serve_app(lambda _asked: answer) as server:
        status, report = run_drift(contract, "--published", f"{server.url}/openapi.json")
    assert (status, report["verdict"], report["findings"]) == (2, "inconclusive", [])
    assert "\n" not in report["reason"]
    assert server.url in report["reason"]
    assert report["clauses"]["exercised"] == 0


def test_an_unchanged_document_is_not_sent_again(contract: Contract) -> None:
    """The ETag is cached with the document, so a second run gets a 304 and has the same findings.

    A damaged cache or another address is fetched anew.
    """
    content = json.dumps(make_document(contract, shorten_names)).encode()

    def answer(asked: Any) -> LoopbackResponse:
        if asked.headers.get("if-none-match") == '"one"':
            return LoopbackResponse(304, headers={"ETag": '"one"'})
        return LoopbackResponse(200, content=content, media_type="application/json", headers={"ETag": '"one"'})

    with serve_app(answer) as server:
        first, second = (run_drift(contract, "--published", f"{server.url}/openapi.json") for _ in range(2))
        assert [asked.headers.get("if-none-match") for asked in server.requests] == [None, '"one"']
        assert first[0] == second[0] == 1
        assert [one["id"] for one in first[1]["findings"]] == [one["id"] for one in second[1]["findings"]]
        assert first[1]["document"]["published_digest"] == second[1]["document"]["published_digest"]
        cached = contract.root / ".published" / f"{SLUG}.json"
        whole = json.loads(cached.read_text(encoding="utf-8"))
        for text in (whole["content"].replace("smarthost", "smarthosts"), "\ud800", None):
            cached.write_text(json.dumps({**whole, "content": text}), encoding="utf-8")
            assert run_drift(contract, "--published", f"{server.url}/openapi.json")[0] == 1
            assert server.requests[-1].headers.get("if-none-match") is None
        assert run_drift(contract, "--published", f"{server.url}/other.json")[0] == 1
        assert server.requests[-1].headers.get("if-none-match") is None


def test_an_address_is_shown_without_secrets(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Credentials and queries of an address reach neither the output nor a file."""
    with serve_app(lambda _asked: LoopbackResponse(500)) as server:
        for secret in (f"{server.url}/openapi.json?key=hush", f"http://me:hush@{server.url.partition('//')[2]}/"):
            run_drift(contract, "--published", secret)
            printed = capsys.readouterr()
            assert "hush" not in printed.out + printed.err
    everything = [path for path in contract.root.parent.rglob("*") if path.is_file()]
    assert not [path for path in everything if b"hush" in path.read_bytes()]


def test_no_address_is_inconclusive_in_one_line(contract: Contract) -> None:
    """The contract has no address: the reason names the option and the variable that give one."""
    text = contract.config_file.read_text(encoding="utf-8")
    contract.config_file.write_text(text.replace("upstream = ", "pages = "), encoding="utf-8")
    status, report = run_drift(contract)
    assert (status, report["verdict"]) == (2, "inconclusive")
    assert "PUBLISHED=file-or-url" in report["reason"]
    assert "JETEMAIL_PUBLISHED" in report["reason"]


def test_the_variable_gives_the_address(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document at the variable's address is compared."""
    monkeypatch.setenv(
        "JETEMAIL_PUBLISHED", write_document(contract.root.parent, make_document(contract, shorten_names))
    )
    assert run_drift(contract)[0] == 1


def test_a_vendor_without_an_address_may_be_left_out(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nightly job does not fail for an unknown address: KNOWN=1 skips the vendor.

    An address among the job's variables is used.
    """
    text = contract.config_file.read_text(encoding="utf-8")
    contract.config_file.write_text(text.replace("upstream = ", "pages = "), encoding="utf-8")
    assert main(["--known", "1", "--out", str(contract.root.parent / "out")], contract.root) == 3
    file = write_document(contract.root.parent, make_document(contract, shorten_names))
    monkeypatch.setenv("VARS_JSON", json.dumps({"JETEMAIL_PUBLISHED": file}))
    assert run_drift(contract, "--known", "1")[0] == 1


def test_wrong_usage_is_one_line(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file, an unknown vendor or severity and an unusable directory exit with 3 and without a report."""
    for arguments in (["--vendor", SLUG, "--published", "nowhere.json"], ["--vendor", "nobody"],
                      ["--fail-on", "nothing"], ["--vendor", SLUG, "--out", str(contract.config_file)]):  # fmt: skip
        assert main(arguments, contract.root) == 3
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_documents_text_steers_nothing(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """A vendor's document may be hostile: escapes, markup and line breaks in names are neutralized."""

    def hostile(document: dict[str, Any]) -> None:
        operation = document["paths"]["/outbound/smarthost"]["post"]
        operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["\x1b[2J</script>\n## x"] = {}
        find_username_schema(document)["maxLength"] = 5
        document["paths"]["/\x1b[31m"] = {"get": {}}

    status, _ = run_drift_on(contract, make_document(contract, hostile))
    assert status == 1
    output = capsys.readouterr().out
    page = (contract.root.parent / "out" / "report.md").read_text(encoding="utf-8")
    assert "\x1b" not in output + page
    assert "</script>" not in page
    assert "\n## x" not in page


def test_unreported_document_is_not_cached(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make accept` takes only a document that somebody could see.

    A comparison that is interrupted before its reports caches nothing.
    """

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch_documents, "write_reports", interrupted)
    file = write_document(contract.root.parent, make_document(contract))
    assert main(["--vendor", SLUG, "--out", str(contract.root.parent / "out"), "--published", file], contract.root) == 2
    assert not (contract.root / ".published").exists()


def test_a_full_disk_is_one_line(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk ends 2 with one line that names the report, though the system names no file."""

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    file = write_document(contract.root.parent, make_document(contract))
    monkeypatch.setattr(os, "fsync", full)
    out = str(contract.root.parent / "out")
    assert main(["--vendor", SLUG, "--out", out, "--published", file], contract.root) == 2
    assert capsys.readouterr().err == f"error: {out}/findings.json: No space left on device\n"
