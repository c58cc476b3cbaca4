"""Build the documentation site of the clients in `site/`: each package's README, then its public modules.

Needs no network, and writes no file before everything is rendered.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import markdown2  # type: ignore[import-untyped] # it has no types
import pdoc.doc
import pdoc.render
import pdoc.render_helpers

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.errors import UsageError

TEMPLATES = Path(__file__).resolve().parent / "docs_templates"
_SITE = "site"
_MARK = ".made-by-build-docs"
"""A file in every site; a directory without it is not replaced."""


@cli.command(interrupted="site/ is as it was", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Build the site; 0 done, 3 wrong input."""
    parser = cli.CommandParser("scripts.build_docs", "Builds the documentation site of the clients.")
    parser.add_vendor_option()
    parser.add_argument("--out", default=_SITE, help=f"the directory for the site, which is replaced ({_SITE})")
    given = parser.parse_args(arguments)
    out = root / given.out
    if out.exists() and not (out / _MARK).is_file():
        raise UsageError(f"--out {given.out}: exists and is no documentation site; name another directory")
    pages = build_site(choose_contracts(given.vendor, root), out)
    print(f"wrote {given.out}/index.html and {pages - 1} more pages")
    return cli.ExitStatus.OK


def build_site(contracts: Sequence[Contract], out: Path) -> int:
    """Write the site of the contracts' clients into ``out``, in place of an older one; return the number of pages."""
    out.parent.mkdir(parents=True, exist_ok=True)
    modules = {one.fullname: one for contract in contracts for one in _load_modules(contract)}
    pdoc.render.configure(
        docformat="google",
        show_source=False,
        template_directory=TEMPLATES,
        footer_text="Generated clients; `make docs` builds this site.",
    )
    pdoc.render.env.filters["to_html"] = _render_untrusted
    with TemporaryDirectory(prefix=".site-", dir=out.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        for name, module in modules.items():
            _write(fresh / f"{name.replace('.', '/')}.html", pdoc.render.html_module(module, modules))
        _write(fresh / "index.html", pdoc.render.html_index(modules))
        _write(fresh / "search.js", pdoc.render.search_index(modules))
        _write(fresh / _MARK, "")
        if out.exists():
            out.rename(Path(scratch) / "old")
        fresh.rename(out)
    return len(modules) + 1


@cache
def _render_untrusted(docstring: str) -> str:
    """Return Markdown as HTML; markup in it is shown as text, since docstrings quote the vendors' documents."""
    rendered: str = markdown2.markdown(
        docstring,
        extras=pdoc.render_helpers.markdown_extensions,
        link_patterns=pdoc.render_helpers.markdown_link_patterns,
        safe_mode="escape",
    )
    return rendered


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _load_modules(contract: Contract) -> Iterator[pdoc.doc.Module]:
    """Yield the public modules of the contract's client; the package's own page begins with its README."""
    client, package = contract.output_directory / "client", f"{contract.slug}_client"
    if not (client / package / "__init__.py").is_file():
        raise UsageError(f"generated/{contract.slug}/client: has no package {package}; run `make generate`")
    sys.path.insert(0, str(client))
    try:
        for name in _list_module_names(client / package, package):
            module = importlib.import_module(name)
            _import_lazy_names(module)
            page = pdoc.doc.Module(module)
            if name == package:
                readme = (client / "README.md").read_text(encoding="utf-8")
                page.__dict__["docstring"] = readme.partition("-->\n")[2]  # without the comment in its first line
            _hide_private_bases(page)
            yield page
    finally:
        sys.path.remove(str(client))


def _list_module_names(directory: Path, package: str) -> Iterator[str]:
    yield package
    for found in pkgutil.walk_packages([str(directory)], f"{package}."):
        parts = found.name.split(".")
        is_private = any(part.startswith("_") for part in parts)
        # `models` itself exports every model.
        if not is_private and not (parts[1] == "models" and len(parts) > 2):
            yield found.name


def _import_lazy_names(module: ModuleType) -> None:
    """Import the exported names that the module imports at their first use: pdoc looks into its dictionary only."""
    for name in getattr(module, "__all__", ()):
        vars(module)[name] = getattr(module, name)


def _hide_private_bases(page: pdoc.doc.Module) -> None:
    for member in page.members.values():
        if isinstance(member, pdoc.doc.Class):
            member.__dict__["bases"] = [base for base in member.bases if "._" not in base[0]]


if __name__ == "__main__":
    sys.exit(main())
