"""`make drift`: what a vendor publishes now is compared with what is stored; what cannot be told is never drift."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.generator import outputs
from scripts import watch_documents
from scripts.watch_documents import main
from tests.support.contract_root import (
    ADDITIVE_CHANGE,
    BREAKING_CHANGE,
    SLUG,
    add_property,
    copy_contract,
    find_username_schema,
    make_document,
    shorten_names,
    write_document,
)
from tests.support.document_drift_runs import run_drift, run_drift_on
from tests.support.loopback_server import LoopbackResponse, serve_app

pytestmark = pytest.mark.usefixtures("remembered_clients")


@pytest.fixture(name="contract")
def _contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    monkeypatch.delenv("JETEMAIL_PUBLISHED", raising=False)
    (tmp_path / "root").mkdir()
    return copy_contract(tmp_path / "root")


def test_what_is_stored_is_no_drift(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: only operations under contract count.

    Situation: the vendor publishes what is stored, and other operations beside it. Expectation: none, 0; they are named.
    """
    status, report = run_drift_on(contract, make_document(contract))
    assert (status, report["verdict"], report["findings"]) == (0, "none", [])
    assert report["document"]["not_under_contract"] == ["GET /domains"]
    assert report["document"]["overlay"] == []
    assert report["notes"] == ["not under contract, and not compared: GET /domains"]
    assert "means what the stored one means" in capsys.readouterr().out


def test_a_change_is_a_finding_with_whom_it_breaks(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: a change is told with rule, location, operation, consumer's impact, symbols of the client, and next version.

    Situation: one breaking and one additive change. Expectation: 1; each a finding, the next client is a major.
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
    told = capsys.readouterr().out
    assert "make accept VENDOR=jetemail" in told
    assert "max-length changed from 64 to 5" in told


def test_an_addition_alone_does_not_fail(contract: Contract) -> None:
    """Claim: `compatible` is additive. Expectation: 0; with FAIL_ON=additive 1; a minor version."""
    status, report = run_drift_on(contract, make_document(contract, add_property))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (0, "additive", "1.1.0")
    file = write_document(contract.root.parent, make_document(contract, add_property))
    assert run_drift(contract, "--published", file, "--fail-on", "additive")[0] == 1


def test_an_operation_that_is_gone_breaks(contract: Contract) -> None:
    """Situation: the vendor has moved the path. Expectation: each operation is told as removed, and what the overlay lost."""

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
    """Claim: what is to be done next can be done. Situation: no change of meaning, a body is a component now.

    Expectation: none, 0; the next step is the overlay's, whose reach it has left, and not that nothing has happened.
    """

    def moved(document: dict[str, Any]) -> None:
        content = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]
        document["components"]["schemas"]["New"] = content["schema"]
        content["schema"] = {"$ref": "#/components/schemas/New"}

    status, report = run_drift_on(contract, make_document(contract, moved))
    assert (status, report["verdict"]) == (0, "none")
    assert report["document"]["overlay"]
    told = capsys.readouterr().out
    assert "Next: the overlay does not fit" in told
    assert "publishes what is stored" not in told


def test_names_of_the_client_change_without_the_meaning(contract: Contract) -> None:
    """Claim: the next version is the one that accepting gives. Situation: a class gets another name, nothing else changes.

    Expectation: none, and the next client is a major; with a new description alone it is the one there is.
    """

    def renamed(document: dict[str, Any]) -> None:
        operation = document["paths"]["/outbound/smarthost"]["post"]
        operation["requestBody"]["content"]["application/json"]["schema"]["title"] = "NewUser"

    def reworded(document: dict[str, Any]) -> None:
        document["paths"]["/outbound/smarthost"]["post"]["description"] = "Other words."

    status, report = run_drift_on(contract, make_document(contract, renamed))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (0, "none", "2.0.0")
    status, report = run_drift_on(contract, make_document(contract, reworded))
    assert (status, report["verdict"], report["document"]["client"]["next"]) == (0, "none", "1.0.0")


def test_what_is_gone_is_reported_without_a_status(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Situation: an operation is gone. Expectation: now there is nothing, not the answer of some server."""

    def gone(document: dict[str, Any]) -> None:
        del document["paths"]["/outbound/smarthost"]["delete"]

    assert run_drift_on(contract, make_document(contract, gone))[0] == 1
    told = capsys.readouterr().out
    assert "after:   removed" in told
    assert "200 null" not in told


def test_a_file_may_have_any_name(contract: Contract) -> None:
    """Situation: a file's name that is no UTF-8. Expectation: it is compared."""
    file = contract.root.parent / os.fsdecode(b"now\xff.json")
    file.write_text(json.dumps(make_document(contract, shorten_names)), encoding="utf-8")
    assert run_drift(contract, "--published", str(file))[0] == 1


def test_a_client_that_takes_too_long_is_not_waited_for(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Situation: the generator comes to no end. Expectation: the changes are told, and that the client's are not known."""
    monkeypatch.setattr(outputs, "COMPARISON_TIMEOUT", 0)
    status, report = run_drift_on(contract, make_document(contract, shorten_names))
    assert (status, report["verdict"]) == (1, "breaking")
    assert any("did not finish within 0 s" in note for note in report["notes"])


def test_what_the_generator_says_is_the_same_each_time(contract: Contract) -> None:
    """Situation: components are gone, so that the generator refuses what is left. Expectation: no address of an object."""

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
    """Expectation: 3, one line that names the file."""
    (contract.directory / name).write_text(("a: " if name.endswith("yaml") else "a = ") + "[" * 5000, encoding="utf-8")
    file = write_document(contract.root.parent, make_document(contract, shorten_names))
    out = str(contract.root.parent / "out")
    assert main(["--vendor", SLUG, "--out", out, "--published", file], contract.root) == 3
    told = capsys.readouterr().err.strip()
    assert name in told
    assert len(told.splitlines()) == 1


def test_another_document_is_no_drift(contract: Contract) -> None:
    """Situation: a document with another title and none of the operations. Expectation: could not tell, 2."""
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
    """Claim: could not tell is never drift. Situation: an address that answers something else. Expectation: 2, a reason."""
    with serve_app(lambda _asked: answer) as server:
        status, report = run_drift(contract, "--published", f"{server.url}/openapi.json")
    assert (status, report["verdict"], report["findings"]) == (2, "inconclusive", [])
    assert "\n" not in report["reason"]
    assert server.url in report["reason"]
    assert report["clauses"]["exercised"] == 0


def test_an_unchanged_document_is_not_sent_again(contract: Contract) -> None:
    """Claim: the ETag is kept with the document. Situation: two runs, the server answers 304 to its ETag.

    Expectation: the second finds what the first found; once the kept copy is spoilt, all is asked for again.
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
        kept = contract.root / ".published" / f"{SLUG}.json"
        kept.write_text(kept.read_text(encoding="utf-8").replace("smarthost", "smarthosts"), encoding="utf-8")
        assert run_drift(contract, "--published", f"{server.url}/openapi.json")[0] == 1
        assert server.requests[-1].headers.get("if-none-match") is None
        assert run_drift(contract, "--published", f"{server.url}/other.json")[0] == 1
        assert server.requests[-1].headers.get("if-none-match") is None


def test_an_address_is_shown_without_secrets(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: credentials and queries of an address reach no artefact. Expectation: neither shows anywhere."""
    with serve_app(lambda _asked: LoopbackResponse(500)) as server:
        for secret in (f"{server.url}/openapi.json?key=hush", f"http://me:hush@{server.url.partition('//')[2]}/"):
            run_drift(contract, "--published", secret)
            told = capsys.readouterr()
            assert "hush" not in told.out + told.err
    everything = [path for path in contract.root.parent.rglob("*") if path.is_file()]
    assert not [path for path in everything if b"hush" in path.read_bytes()]


def test_no_address_is_inconclusive_in_one_line(contract: Contract) -> None:
    """Situation: the contract names no address. Expectation: 2, a line that says how to give one; a variable gives one."""
    text = contract.config_file.read_text(encoding="utf-8")
    contract.config_file.write_text(text.replace("upstream = ", "pages = "), encoding="utf-8")
    status, report = run_drift(contract)
    assert (status, report["verdict"]) == (2, "inconclusive")
    assert "PUBLISHED=file-or-url" in report["reason"]
    assert "JETEMAIL_PUBLISHED" in report["reason"]


def test_the_variable_gives_the_address(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expectation: where the variable is set, it is what is compared."""
    monkeypatch.setenv(
        "JETEMAIL_PUBLISHED", write_document(contract.root.parent, make_document(contract, shorten_names))
    )
    assert run_drift(contract)[0] == 1


def test_a_vendor_without_an_address_may_be_left_out(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: a nightly job is not red for what nobody knows. Situation: no address; then one among a job's variables.

    Expectation: with KNOWN=1 it is left out, and nothing is left; then it is compared.
    """
    text = contract.config_file.read_text(encoding="utf-8")
    contract.config_file.write_text(text.replace("upstream = ", "pages = "), encoding="utf-8")
    assert main(["--known", "1", "--out", str(contract.root.parent / "out")], contract.root) == 3
    file = write_document(contract.root.parent, make_document(contract, shorten_names))
    monkeypatch.setenv("VARS_JSON", json.dumps({"JETEMAIL_PUBLISHED": file}))
    assert run_drift(contract, "--known", "1")[0] == 1


def test_wrong_usage_is_one_line(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Expectation: a file that is not there, and one document for all vendors: 3, one line, no report."""
    for arguments in (["--vendor", SLUG, "--published", "nowhere.json"], ["--vendor", "nobody"],
                      ["--fail-on", "nothing"], ["--vendor", SLUG, "--out", str(contract.config_file)]):  # fmt: skip
        assert main(arguments, contract.root) == 3
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_documents_text_steers_nothing(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: text from a vendor is hostile. Situation: names with escapes, markup and line breaks. Expectation: made plain."""

    def hostile(document: dict[str, Any]) -> None:
        operation = document["paths"]["/outbound/smarthost"]["post"]
        operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["\x1b[2J</script>\n## x"] = {}
        find_username_schema(document)["maxLength"] = 5
        document["paths"]["/\x1b[31m"] = {"get": {}}

    status, _ = run_drift_on(contract, make_document(contract, hostile))
    assert status == 1
    told = capsys.readouterr().out
    page = (contract.root.parent / "out" / "report.md").read_text(encoding="utf-8")
    assert "\x1b" not in told + page
    assert "</script>" not in page
    assert "\n## x" not in page


def test_unreported_document_is_not_cached(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: what is taken over later is what somebody could see.

    Situation: a comparison that is interrupted before its reports. Expectation: nothing is kept for `make accept`.
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
