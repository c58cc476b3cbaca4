"""The vendors of one pytest session: one server for each vendor, lent to one test after the other.

A mutant and a seed have a server of their own, for one test: a session may use hundreds of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.testing.calls import describe_calls
from contract_watch.testing.played_vendor import PlayedVendor
from contract_watch.testing.playing import play
from contract_watch.testing.presets import Preset
from contract_watch.testing.pytest_plugin import INI_UNPLAYED, INI_UNUSED, MARKER, PREFIX

_CHOICES = ("error", "ok")
_MAX_SHOWN = 100
_INI = {"unused": INI_UNUSED, "unplayed": INI_UNPLAYED}
_HAS_PASSED: pytest.StashKey[bool] = pytest.StashKey()
_LENT: pytest.StashKey[list[PlayedVendor]] = pytest.StashKey()


@dataclass(frozen=True)
class LendingOptions:
    """The markers of a test, for one vendor."""

    mutant: str = ""
    interpretations: Mapping[str, str] = field(default_factory=dict)
    preset: Preset = None
    seed: int | None = None
    unused: str = "error"
    unplayed: str = "error"

    def check(self) -> None:
        """Raise `UsageError` if an option has another type or value than it may have."""
        for name in _INI:
            if getattr(self, name) not in _CHOICES:
                raise UsageError(f"{MARKER}: {name} must be error or ok, got {escape_text(repr(getattr(self, name)))}")
        if not isinstance(self.mutant, str) or not isinstance(self.interpretations, Mapping):
            raise UsageError(f"{MARKER}: mutant must be an id, interpretations a mapping of names to values")
        if not isinstance(self.preset, Sequence | Mapping | Path | None):
            raise UsageError(f"{MARKER}: preset must be a list of objects, lists by vendor, or a path")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | None):
            raise UsageError(f"{MARKER}: seed must be a whole number")


class VendorSession:
    """The servers that tests have used so far. ``contracts`` are directories by slug, ``settings`` those of pytest.ini."""

    def __init__(self, contracts: Mapping[str, Path], settings: Mapping[str, str]) -> None:
        self._contracts, self._settings = contracts, settings
        for name, value in settings.items():
            if value not in _CHOICES:
                raise pytest.UsageError(f"{_INI[name]} must be error or ok, got {value!r}")
        self._stack = ExitStack()
        self._vendors: dict[str, PlayedVendor] = {}

    @contextmanager
    def lend(self, slug: str, item: pytest.Item) -> Iterator[PlayedVendor]:
        """Give ``item`` the vendor as if it had just started, and check afterwards that the test used it."""
        with ExitStack() as own:
            vendor, options = self._prepare(slug, item, own)
            lent = item.stash.setdefault(_LENT, [])
            lent.append(vendor)
            try:
                yield vendor
            finally:
                lent.remove(vendor)
            has_passed = item.stash.get(_HAS_PASSED, False)
            problem = _find_problem(vendor, options) if has_passed else ""
        if problem:
            pytest.fail(f"{PREFIX}{slug}: {problem}", pytrace=False)

    def _prepare(self, slug: str, item: pytest.Item, own: ExitStack) -> tuple[PlayedVendor, LendingOptions]:
        try:
            options = self._read_markers(slug, item)
            vendor = self._start(slug, options, own)
            preset = options.preset
            if isinstance(preset, str | Path):
                preset = Path(item.path).parent / preset
            vendor.begin(options.interpretations, preset)
        except UsageError as error:
            problem = str(error)
        else:
            return vendor, options
        pytest.fail(f"{PREFIX}{slug}: {problem}", pytrace=False)

    def take_report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Note the outcome of a test, or add the requests of its vendors to the report of its failure."""
        if report.when == "call":
            item.stash[_HAS_PASSED] = report.passed  # a test with subtests has several reports, its own is the last
        if report.failed and report.when != "teardown":
            for vendor in item.stash.get(_LENT, ()):
                report.sections.append((f"{PREFIX}{vendor.slug}", describe_calls(vendor.list_recent_calls())))

    def stop(self) -> None:
        """Stop all servers."""
        self._vendors.clear()
        self._stack.close()

    def _start(self, slug: str, options: LendingOptions, own: ExitStack) -> PlayedVendor:
        """Return the session's vendor, or one of a mutant or a seed, which ends with ``own``."""
        contracts = list(dict.fromkeys(path.parent for path in self._contracts.values()))
        playing = play(slug, contracts=contracts, mutant=options.mutant, seed=options.seed)
        if options.mutant or options.seed is not None:
            return own.enter_context(playing)
        if slug not in self._vendors:
            self._vendors[slug] = self._stack.enter_context(playing)
        return self._vendors[slug]

    def _read_markers(self, slug: str, item: pytest.Item) -> LendingOptions:
        """Return the options of the closest markers that are for ``slug``."""
        known = {one.name for one in fields(LendingOptions)}
        found: dict[str, Any] = dict(self._settings)
        for marker in reversed(list(item.iter_markers(MARKER))):  # the closest comes last and wins
            if unknown := marker.kwargs.keys() - known:
                raise UsageError(f"{MARKER}: unknown option {min(unknown)!r}; choose from {', '.join(sorted(known))}")
            if strange := [one for one in marker.args if not isinstance(one, str) or one not in self._contracts]:
                name = escape_text(repr(strange[0]), _MAX_SHOWN)
                raise UsageError(f"{MARKER}: unknown vendor {name}; choose from {', '.join(self._contracts)}")
            if not marker.args or slug in marker.args:
                found |= marker.kwargs
        options = LendingOptions(**found)
        options.check()
        return options


def _find_problem(vendor: PlayedVendor, options: LendingOptions) -> str:
    """Return the reason why a test that passed tested nothing; empty if there is none."""
    unplayed = vendor.list_unplayed() if options.unplayed == "error" else []
    if unplayed:
        listed = describe_calls(vendor.list_recent_calls())
        return (
            f"a scripted fault never played: {', '.join(unplayed)}; {listed}\n"
            f"remove the fault, or mark the test @pytest.mark.{MARKER}(unplayed='ok')"
        )
    if options.unused == "error" and not vendor.has_been_called():
        return (
            f"no request reached the mock, so the test proves nothing; let your code call {vendor.url}, or mark the "
            f"test @pytest.mark.{MARKER}(unused='ok')"
        )
    calls = vendor.list_recent_calls()
    if options.unused == "error" and calls and not any(call.operation or call.mutant for call in calls):
        return (
            f"no request matched an operation; {describe_calls(calls)}\nlet your code call {vendor.url}, or mark the test "
            f"@pytest.mark.{MARKER}(unused='ok')"
        )
    return ""
