"""`make drift` tells what is strange in a new document, and `make accept` takes it over as text or refuses it in one line."""

import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from contract_watch.commands.accept_document import main
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.generator import client_trial
from tests.support.contract_root import SLUG, add_property, hash_files, make_document, write_document
from tests.support.document_drift_runs import run_drift_on

pytestmark = pytest.mark.usefixtures("remembered_clients")

CODE = "__import__('pathlib').Path('pwned').touch()"
IMAGE = "<img src=x onerror=y> [a](javascript:b)"


def _find_body(document: dict[str, Any]) -> dict[str, Any]:
    operation = document["paths"]["/outbound/smarthost"]["post"]
    body: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return body


def _make_hostile(document: dict[str, Any]) -> None:
    """Put quotes, markup and invisible characters into everything that the client's README or the changelog shows."""
    document["info"]["title"] = f'Jet"+{CODE}+"Email\n```python\n{CODE}\n```\n\u202e'
    document["servers"] = [{"url": f'https://api.jetemail.com/"+{CODE}+"'}, *document.get("servers", [])]
    document["paths"]["/outbound/smarthost"]["delete"]["summary"] = f"List `{CODE}` | {IMAGE} | \x1b[2J"
    body = _find_body(document)
    body["properties"] |= {IMAGE: {"type": "string", "example": f'"+{CODE}+"'}, "us\u0435rname": {"type": "string"}}
    body["required"] = [*body.get("required", []), IMAGE]


def test_a_hostile_document_is_reported_and_taken_over_as_text(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server, a title, a summary and a name hold code and markup; drift reports the texts and the misleading name.

    The client's README runs none of it, and the changelog shows markup as text.
    """
    document = make_document(contract, _make_hostile)
    _, report = run_drift_on(contract, document)
    reworded = {finding["id"] for finding in report["findings"] if finding["clause"] == "prose-changed"}
    assert reworded == {"document/prose-changed/info", "document/prose-changed/paths/~1outbound~1smarthost/delete"}
    assert any('looks like "username"' in note and "U+0435" in note for note in report["notes"])
    capsys.readouterr()
    file = write_document(contract.root.parent, document)
    assert main(["--vendor", SLUG, "--published", file], contract.root) == 0
    assert 'look at a name: the property "us\u0435rname" mixes Cyrillic and Latin letters' in capsys.readouterr().out
    readme = (contract.root / f"generated/{SLUG}/client/README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 3
    assert not any("import__" in block or "pwned" in block for block in blocks)
    changelog = (contract.root / "CHANGELOG.md").read_text(encoding="utf-8")
    for text in (readme, changelog):
        assert all(character.isprintable() for character in text if character != "\n")
        tokens = [
            child for token in MarkdownIt().enable("table").parse(text) for child in (token, *(token.children or []))
        ]
        assert not any(token.type in ("html_inline", "image") or "javascript:b" in str(token.attrs) for token in tokens)
    assert IMAGE in "".join(token.content for token in _list_text(changelog))


def _list_text(markdown: str) -> list[Any]:
    return [child for token in MarkdownIt().parse(markdown) for child in token.children or []]


def test_a_client_that_does_not_work_changes_nothing(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trial is before the swap: a client that fails it ends 3 with one line, and no file changes.

    tests/generator/test_difficult_names_give_working_clients.py has the clients that fail.
    """

    def fail(slug: str, document: Any, client: Path) -> None:
        assert (client / f"{slug}_client").is_dir()
        assert _find_body(document)["properties"]["note"]
        raise UsageError(f"{slug}: the client of the effective document does not work: x")

    monkeypatch.setattr(client_trial, "try_client", fail)
    before = hash_files(contract.root)
    file = write_document(contract.root.parent, make_document(contract, add_property))
    assert main(["--vendor", SLUG, "--published", file], contract.root) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert line.endswith("does not work: x; nothing was changed")
    assert hash_files(contract.root) == before
