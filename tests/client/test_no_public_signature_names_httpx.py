"""httpx is an implementation detail: one module imports it, and no public signature names it."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import httpx

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import EVERY_PACKAGE

LIBRARIES = ("httpx", "httpcore", "tenacity", "h11")


def _list_modules(package: ClientPackage) -> Iterator[Any]:
    root = package.load()
    yield root
    for info in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        yield importlib.import_module(info.name)


def _list_public(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield every public function, method and class of ``module``, and those that its private ones pass on."""
    for name, value in vars(module).items():
        if name.startswith("_") and name != "__init__":
            continue
        if inspect.isclass(value) and value.__module__.split(".")[0] == module.__name__.split(".")[0]:
            yield name, value
            for inner, method in inspect.getmembers(value):
                if not inner.startswith("_") or inner == "__init__":
                    yield f"{name}.{inner}", getattr(method, "fget", None) or method
        elif inspect.isfunction(value):
            yield name, value


def _find_foreign(value: Any) -> str:
    """Return the text of the annotations of ``value`` that names one of the libraries."""
    annotations = {**getattr(value, "__annotations__", {})}
    text = " ".join(one if isinstance(one, str) else repr(one) for one in annotations.values())
    bases = {base.__module__.split(".")[0] for base in getattr(value, "__mro__", ())}
    return next((name for name in LIBRARIES if name in text or name in bases), "")


@EVERY_PACKAGE
def test_no_public_signature_names_a_library(package: ClientPackage) -> None:
    """Functions, methods, attributes and base classes of public modules know nothing of httpx."""
    found, count = {}, 0
    for module in _list_modules(package):
        if any(part.startswith("_") for part in module.__name__.split(".")[1:]):
            continue
        for name, value in _list_public(module):
            count += 1
            if foreign := _find_foreign(value):
                found[f"{module.__name__}.{name}"] = foreign
    assert count > 100
    assert found == {}


def test_the_rule_finds_what_it_looks_for() -> None:
    """A signature, an attribute or a base class of httpx is found."""

    def function(client: httpx.Client) -> None: ...

    class _Kind(httpx.BaseTransport): ...

    assert _find_foreign(function) == _find_foreign(_Kind) == "httpx"
    assert _find_foreign(type("Plain", (), {"__annotations__": {"x": "httpx.URL | None"}})) == "httpx"
    assert _find_foreign(len) == ""


@EVERY_PACKAGE
def test_one_module_imports_httpx(package: ClientPackage) -> None:
    """The switch to another library is one module's business; httpcore is known to the one beside it."""
    found: dict[str, set[str]] = {"httpx": set(), "httpcore": set(), "tenacity": set()}
    for path in (package.directory / package.name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                found.get(name.split(".")[0], set()).add(path.name)
    assert found == {"httpx": {"_http.py"}, "httpcore": {"_bounded_network.py"}, "tenacity": {"_retries.py"}}
