"""The import of a vendor's own modules, wherever the contract is.

They are ``contracts.<slug>`` and its submodules, as the vendor's code spells them in its imports. The package is loaded from
the contract's directory itself, so no other package called ``contracts`` on Python's path takes its place.
"""

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

from contract_watch.contracts.directories import list_directories

_PARENT = "contracts"
_LOCK = threading.RLock()
_COPIES: dict[Path, ModuleType] = {}
"""The model modules of contracts whose slug another directory had taken before, by directory."""


def import_model(slug: str, directory: Path) -> ModuleType:
    """Import ``model.py`` of the contract in ``directory``.

    One process has one package for each slug. A further directory with the same slug, such as the copy in which a new
    document is tried, gets modules of its own, which ``sys.modules`` forgets once they are loaded.
    """
    package, directory = f"{_PARENT}.{slug}", directory.absolute()
    with _LOCK:
        known = sys.modules.get(package)
        if known is not None and not _is_from(known, directory):
            if directory not in _COPIES:
                others = _take_modules(package)
                try:
                    _COPIES[directory] = _import_from(package, directory)
                finally:
                    _take_modules(package)
                    sys.modules.update(others)
                    setattr(sys.modules[_PARENT], slug, known)
            return _COPIES[directory]
        return _import_from(package, directory)


def _import_from(package: str, directory: Path) -> ModuleType:
    if package not in sys.modules:
        _load_package(package, directory)
    return importlib.import_module(f"{package}.model")


def _load_package(package: str, directory: Path) -> None:
    """Import the package in ``directory`` as ``package``; one without ``__init__.py`` is empty."""
    start, places = directory / "__init__.py", [str(directory)]
    if start.is_file():
        spec = importlib.util.spec_from_file_location(package, start, submodule_search_locations=places)
    else:
        spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = places
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    parent = sys.modules.setdefault(_PARENT, _make_parent())
    sys.modules[package] = module
    try:
        if spec.loader is not None and start.is_file():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[package]
        raise
    setattr(parent, package.removeprefix(f"{_PARENT}."), module)


def _make_parent() -> ModuleType:
    """Return a package without code, in which the configured directories are found."""
    parent = ModuleType(_PARENT)
    parent.__path__ = [str(directory) for directory in list_directories()]
    return parent


def _is_from(module: ModuleType, directory: Path) -> bool:
    places = [Path(place).resolve() for place in getattr(module, "__path__", ())]
    return directory.resolve() in places


def _take_modules(package: str) -> dict[str, ModuleType]:
    """Remove ``package`` and its submodules from ``sys.modules``, and return them."""
    names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
