"""The next version of a client package, by Semantic Versioning.

A version is *major.minor.patch*. The rule:

- A change of a symbol or of the document breaks code: the next major, ``1.4.2`` to ``2.0.0``.
- Nothing breaks, but a symbol was added or changed, or a change of the document may break code: the next minor,
  ``1.4.2`` to ``1.5.0``.
- No symbol changed, and all changes of the document are compatible: the next patch, ``1.4.2`` to ``1.4.3``.
- Nothing changed: no new version.

Below ``1.0.0`` a major promises nothing, so each step moves one number to the right: breaking changes take the next minor
(``0.4.2`` to ``0.5.0``), all others the next patch. People decide on the first major; this module never does.
A pre-release needs no greater release than the one it leads to, if that release's step covers the change: from
``2.0.0rc1`` a breaking change leads to ``2.0.0``, from ``2.1.0rc1`` to ``3.0.0``.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from contract_watch.diff.client.symbol_changes import SymbolChange
from contract_watch.errors import UsageError

_VERSION = re.compile(r"v?(?P<release>[0-9]{1,9}(?:\.[0-9]{1,9})*)(?P<rest>.*)")
_PRE_RELEASE = re.compile(r"[-.]?(a|b|rc|dev|alpha|beta|preview)", re.IGNORECASE)
"""The start of a suffix that marks a pre-release."""


class VersionStep(IntEnum):
    """The number of a version that increases; of several steps, the greatest one counts."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class HasLevel(Protocol):
    """A change of the document, of which only the level matters here."""

    @property
    def level(self) -> "HasValue":
        """A member whose value is `compatible`, `warning` or `breaking`."""


class HasValue(Protocol):
    """A member of an enumeration of levels."""

    @property
    def value(self) -> str:
        """The level as a string."""


@dataclass(frozen=True)
class NextVersion:
    """The next version; it equals ``current`` if ``step`` is `VersionStep.NONE`. ``reason`` is the rule that decided."""

    current: str
    version: str
    step: VersionStep
    reason: str


def read_current_version(client: Path) -> str:
    """Read the version from ``pyproject.toml`` in the package directory ``client``.

    Raises:
        UsageError: the file is missing or unreadable, or has no version.
    """
    path = client / "pyproject.toml"
    try:
        version = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); run `make generate`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: has no version; run `make generate`") from error
    _parse_version(str(version), f"{path}: version")
    return str(version)


def choose_next_version(current: str, symbols: Iterable[SymbolChange], document: Iterable[HasLevel]) -> NextVersion:
    """Return the version that follows ``current`` after these changes of symbols and of the document."""
    step, reason = _choose_step(list(symbols), [change.level.value for change in document])
    release, is_pre_release = _parse_version(current)
    version = _bump_version(release, step, is_pre_release=is_pre_release) if step else current
    return NextVersion(current, version, step, reason)


def allows_breaks(recorded: str, current: str) -> bool:
    """Return True if the step from the version ``recorded`` to ``current`` permits breaking changes."""
    (old, is_pre_release), (new, _) = _parse_version(recorded), _parse_version(current)
    needed, _ = _parse_version(_bump_version(old, VersionStep.MAJOR, is_pre_release=is_pre_release))
    return new >= needed


def _choose_step(symbols: list[SymbolChange], levels: list[str]) -> tuple[VersionStep, str]:
    if broken := sorted({change.symbol for change in symbols if change.is_breaking}):
        return (
            VersionStep.MAJOR,
            f"{_format_count(len(broken), 'client symbol')} changed incompatibly: {broken[0]}{_format_more(broken)}",
        )
    if count := levels.count("breaking"):
        return (
            VersionStep.MAJOR,
            f"{_format_count(count, 'document change')} will break callers, though no client symbol changed incompatibly",
        )
    if symbols:
        changed = len({change.symbol for change in symbols})
        return (
            VersionStep.MINOR,
            f"{_format_count(changed, 'client symbol')} added or changed, all compatibly",
        )
    if count := levels.count("warning"):
        return (
            VersionStep.MINOR,
            f"{_format_count(count, 'document change')} may break callers, though no client symbol changed",
        )
    if "compatible" in levels:
        return VersionStep.PATCH, "the document changed, no client symbol did"
    return VersionStep.NONE, "nothing changed"


def _format_count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _format_more(broken: list[str]) -> str:
    return ", …" if len(broken) > 1 else ""


def _parse_version(version: str, source: str = "version") -> tuple[tuple[int, int, int], bool]:
    """Return major, minor and patch, and True if ``version`` is a pre-release of them."""
    matched = _VERSION.fullmatch(version.strip())
    if matched is None:
        raise UsageError(f"{source} must begin with numbers such as 1.4.2, got {version!r}")
    numbers = [int(number) for number in matched["release"].split(".")]
    major, minor, patch = (*numbers, 0, 0)[:3]
    return (major, minor, patch), _PRE_RELEASE.match(matched["rest"]) is not None


def _bump_version(release: tuple[int, int, int], step: VersionStep, *, is_pre_release: bool) -> str:
    major, minor, patch = release
    if major == 0:
        step = VersionStep.MINOR if step is VersionStep.MAJOR else VersionStep.PATCH
    covered = {VersionStep.MAJOR: not minor and not patch, VersionStep.MINOR: not patch, VersionStep.PATCH: True}
    if is_pre_release and covered[step]:
        return f"{major}.{minor}.{patch}"
    if step is VersionStep.MAJOR:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if step is VersionStep.MINOR else f"{major}.{minor}.{patch + 1}"
