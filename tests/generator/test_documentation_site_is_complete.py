"""`make docs` builds a site that shows everything public of the clients, and needs no network."""

import copy
import html
import re
from pathlib import Path

import pytest

from contract_watch.commands.generate_clients import main as generate
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from scripts.build_docs import main
from scripts.release.example_program import list_blocks
from tests.support.clients.sample_client import DOCUMENT, write_sample_contract

EVERY = pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())
_OTHERS = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=["'](https?:)?//""")


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs") / "site"
    assert main(["--out", str(out)]) == 0
    return out


def _read_page(site: Path, name: str) -> tuple[str, str]:
    """Return the source and the text of a page."""
    source = (site / name).read_text(encoding="utf-8")
    body = re.sub(r"<(style|script).*?</\1>", "", source, flags=re.DOTALL)
    return source, html.unescape(re.sub(r"<[^>]+>", "", body))


@EVERY
def test_every_operation_has_its_entry(contract: Contract, site: Path) -> None:
    """Each operation is a method of Api, AsyncApi and their raw forms, with arguments, errors and an example."""
    source, _ = _read_page(site, f"{contract.slug}_client.html")
    examples = {}
    for owner in ("Api", "AsyncApi", "RawApi", "AsyncRawApi"):
        for name in contract.operations.values():
            method = _get_method_name(contract, name.id)
            start = source.index(f'<div id="{owner}.{method}"')
            entry = (
                source[start : source.index("</section>", start)].partition('<div id="')[2].partition('<div id="')[0]
            )
            if "Raw" not in owner:
                assert all(f">{word}:</h6>" in entry for word in ("Arguments", "Raises", "Example")), method
                assert "<strong>timeout:</strong>" in entry
                examples[owner, method] = html.unescape(
                    re.sub(r"<[^>]+>", "", entry.partition("<pre>")[2].partition("</pre>")[0])
                )
    assert all(f"api.{method}(" in text for (_, method), text in examples.items())
    assert all("await" in text for (owner, _), text in examples.items() if owner == "AsyncApi")


def _get_method_name(contract: Contract, operation: str) -> str:
    text = (ROOT / "generated" / contract.slug / "client" / f"{contract.slug}_client" / "_connect.py").read_text()
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    assert f"    def {words}(" in text
    return words


@EVERY
def test_the_readme_is_the_front_page(contract: Contract, site: Path) -> None:
    """The page of a package begins with its README, blocks of code included."""
    source, text = _read_page(site, f"{contract.slug}_client.html")
    readme = (ROOT / "generated" / contract.slug / "client" / "README.md").read_text(encoding="utf-8")
    assert [line for block in list_blocks(readme) for line in block.splitlines() if line not in text] == []
    headings = re.findall(r"(?m)^## (.+)$", readme)
    assert len(headings) > 5
    assert 0 < source.index('<h2 id="install"') < source.index('<section id="Api"')


@EVERY
def test_models_and_errors_are_documented(contract: Contract, site: Path) -> None:
    """Every exported model and every error has its section."""
    package = ROOT / "generated" / contract.slug / "client" / f"{contract.slug}_client"
    for module in ("errors", "models/__init__"):
        name = module.partition("/")[0]
        source, _ = _read_page(site, f"{contract.slug}_client/{name}.html")
        names = re.findall(r'(?m)^    "(\w+)",$', (package / f"{module}.py").read_text(encoding="utf-8"))
        assert len(names) > 5
        assert [one for one in names if f'<section id="{one}"' not in source] == []


@EVERY
def test_what_is_private_is_not_shown(contract: Contract, site: Path) -> None:
    """No page, entry or base class of a private module; closing, which a private base class has, is shown."""
    source, _ = _read_page(site, f"{contract.slug}_client.html")
    assert not re.search(r'id="[\w.]*\._(?!_init__")', source)
    assert not re.search(r'id="(Async)?(Raw)?Api\.__init__"', source)
    assert "_session.SyncSession" not in source
    assert 'id="Api.close"' in source
    assert 'id="AsyncApi.aclose"' in source
    assert [path for path in site.rglob("*.html") if path.name.startswith("_")] == []


def test_the_site_needs_no_other_server(site: Path) -> None:
    """Pages load no script, style or picture from elsewhere, and the index leads to every package."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    assert [path.name for path in pages if _OTHERS.search(path.read_text(encoding="utf-8"))] == []
    index, _ = _read_page(site, "index.html")
    assert all(f'href="{slug}_client.html"' in index for slug in load_contracts())


def test_markup_of_a_document_is_shown_as_text(tmp_path: Path) -> None:
    """A script, a picture and a link with code, in any prose of a document, are words on the page and nothing else."""
    hostile = "<script>alert(1)</script> <img src=x onerror=alert(1)> [here](javascript:alert(1))"
    paths = copy.deepcopy(DOCUMENT["paths"])
    operation = paths["/users"]["post"]
    operation |= {"summary": hostile, "description": hostile}
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    body |= {
        "description": hostile,
        "properties": {**body["properties"], "note": {"type": "string", "description": hostile}},
    }
    operation["responses"]["400"] = {"description": hostile}
    root = write_sample_contract(tmp_path, paths=paths)
    assert generate(["--vendor", "sample"], root) == 0
    assert main(["--vendor", "sample"], root) == 0
    for path in (root / "site").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert "<script>alert" not in source, path
        assert not re.search(r"<img[^>]*onerror|href=.javascript:", source), path
    assert _read_page(root / "site", "sample_client.html")[1].count("<script>alert(1)</script>") > 4


def test_only_a_site_is_replaced(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` of a directory with other files is refused; an older site is replaced as a whole."""
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["--out", str(tmp_path)]) == 3
    assert "exists and is no documentation site" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (site / "stale.html").write_text("old")
    assert main(["--out", str(site)]) == 0
    assert not (site / "stale.html").exists()
