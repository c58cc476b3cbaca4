"""The pytest plugin: a fixture ``mock_<slug>`` for each contract, found as every command finds them.

A fixture gives a `played_vendor.PlayedVendor` without call or fault, and without object but those of a marker's preset.
Its server starts with the first test that uses it and stays for the session, in each worker of pytest-xdist its own; one
with a mutant or a seed ends with its test. A test ends with an error if a fault that it scripted never played, or if the
fixture was used and no request reached the mock. The report of a failed test lists the requests.

pytest loads this module in every run, so it imports nothing of the mock.
"""

import types
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contract_watch.testing.played_vendor import PlayedVendor
    from contract_watch.testing.session import VendorSession

MARKER = "mock_vendor"
PREFIX = "mock_"
INI_UNUSED, INI_UNPLAYED = "mock_vendor_unused", "mock_vendor_unplayed"
_SESSION: pytest.StashKey["VendorSession"] = pytest.StashKey()
_CONTRACTS: pytest.StashKey[Mapping[str, Path]] = pytest.StashKey()
_PROBLEM: pytest.StashKey[str] = pytest.StashKey()
_FIXTURES = "contract_watch_fixtures"
_MARKER_HELP = (
    f"{MARKER}(*slugs, preset=objects or path, seed=7, interpretations={{}}, mutant='', unused='ok', unplayed='ok'): "
    f"how the fixtures {PREFIX}<slug> of a test begin and end; without slugs for all of them"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    parser.addini(
        INI_UNUSED, "error or ok: a fixture of a vendor was used, and no request reached the mock", default="error"
    )
    parser.addini(INI_UNPLAYED, "error or ok: a scripted fault of a vendor never played", default="error")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and a fixture for each contract."""
    config.addinivalue_line("markers", _MARKER_HELP)
    module = types.ModuleType(_FIXTURES)
    config.stash[_CONTRACTS], config.stash[_PROBLEM] = _find_contracts()
    for slug in config.stash[_CONTRACTS]:
        setattr(module, f"{PREFIX}{slug}", _build_fixture(slug))
    config.pluginmanager.register(module, _FIXTURES)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the outcome of a test, and add the requests to the report of a failed one."""
    report = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        session.take_report(item, report)
    return report


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return the reason why there are no fixtures, if there is one."""
    problem = config.stash[_PROBLEM]
    return [f"contract_watch: no fixture {PREFIX}<slug>: {problem}"] if problem else []


def _find_contracts() -> tuple[Mapping[str, Path], str]:
    """Return the directories of the contracts by slug; if one cannot be used there is none, and the reason."""
    # These cost milliseconds.
    from contract_watch.contracts.directories import find_contracts  # noqa: PLC0415
    from contract_watch.errors import UsageError  # noqa: PLC0415
    from contract_watch.escaping import escape_text  # noqa: PLC0415

    try:
        return {slug: directory for slug, directory in find_contracts().items() if slug.isidentifier()}, ""
    except (UsageError, OSError) as error:
        return {}, escape_text(str(error))


def _build_fixture(slug: str) -> Any:
    @pytest.fixture(name=f"{PREFIX}{slug}")
    def fixture(request: pytest.FixtureRequest) -> "Iterator[PlayedVendor]":
        session = _get_session(request.config)
        with session.lend(slug, request.node) as vendor:
            yield vendor

    fixture.__doc__ = f"The mock of {slug}, without object, call or fault; see contract_watch.testing."
    return fixture


def _get_session(config: pytest.Config) -> "VendorSession":
    if _SESSION not in config.stash:
        from contract_watch.testing.session import VendorSession  # noqa: PLC0415 (it loads the mock)

        settings = {"unused": config.getini(INI_UNUSED), "unplayed": config.getini(INI_UNPLAYED)}
        config.stash[_SESSION] = VendorSession(config.stash[_CONTRACTS], settings)
    return config.stash[_SESSION]
