"""The version that a client package needs next, by Semantic Versioning.

The rule, in words. A version is *major.minor.patch*.

- Something breaks, a symbol's user or a caller of the API itself: the next major, ``1.4.2`` to ``2.0.0``.
- Nothing breaks, but a symbol is new or changed, or a change of the document cannot be judged from it: the next minor,
  ``1.4.2`` to ``1.5.0``.
- No symbol is touched, the API only allows more or says less: the next patch, ``1.4.2`` to ``1.4.3``.
- Nothing has changed: no new version.

Below ``1.0.0`` nothing is promised by the major, so each step is one place further right: what breaks takes the next
minor (``0.4.2`` to ``0.5.0``), all else the next patch. The first major is a decision of people and never taken here.
A pre-release (``2.0.0rc1``) is on its way to its release, and needs no greater one for what that release's step covers
already: from ``2.0.0rc1`` something that breaks leads to ``2.0.0``, from ``2.1.0rc1`` to ``3.0.0``.
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
"""How the rest of a version begins that comes before its release."""


class VersionStep(IntEnum):
    """How far a version has to go; the greater wins."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class HasLevel(Protocol):
    """What is asked of a change of the document: the word for its level."""

    @property
    def level(self) -> "HasValue":
        """`compatible`, `warning` or `breaking`."""


class HasValue(Protocol):
    """A level, an enumeration's member."""

    @property
    def value(self) -> str:
        """The word."""


@dataclass(frozen=True)
class NextVersion:
    """The next version: ``version`` is ``current`` where ``step`` is none. ``why`` is the rule that decided."""

    current: str
    version: str
    step: VersionStep
    reason: str


def read_current_version(client: Path) -> str:
    """The version in the ``pyproject.toml`` of the package folder ``client``; a `UsageError` where it says none."""
    path = client / "pyproject.toml"
    try:
        version = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); run `make generate`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: says no version; run `make generate`") from error
    _parse_version(str(version))
    return str(version)


def choose_next_version(current: str, symbols: Iterable[SymbolChange], document: Iterable[HasLevel]) -> NextVersion:
    """What follows ``current`` after these changes of symbols and of the document."""
    step, why = _choose_step(list(symbols), [change.level.value for change in document])
    release, early = _parse_version(current)
    return NextVersion(current, _bump_version(release, step, is_pre_release=early) if step else current, step, why)


def _choose_step(symbols: list[SymbolChange], levels: list[str]) -> tuple[VersionStep, str]:
    if broken := sorted({change.symbol for change in symbols if change.is_breaking}):
        return (
            VersionStep.MAJOR,
            f"{_format_count(len(broken), 'symbol')} of the client cannot be used as before: {broken[0]}{_format_more(broken)}",
        )
    if count := levels.count("breaking"):
        return (
            VersionStep.MAJOR,
            f"callers break on {_format_count(count, 'change')} of the document, though no symbol does",
        )
    if symbols:
        changed = len({change.symbol for change in symbols})
        return (
            VersionStep.MINOR,
            f"{_format_count(changed, 'symbol')} of the client new or changed, and none breaks its users",
        )
    if count := levels.count("warning"):
        return (
            VersionStep.MINOR,
            f"{_format_count(count, 'change')} that the document alone cannot decide, on no symbol",
        )
    if "compatible" in levels:
        return VersionStep.PATCH, "the document has changed, and no symbol of the client"
    return VersionStep.NONE, "nothing has changed"


def _format_count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _format_more(broken: list[str]) -> str:
    return ", …" if len(broken) > 1 else ""


def _parse_version(version: str) -> tuple[tuple[int, int, int], bool]:
    """Major, minor and patch, and whether ``version`` comes before that release."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        raise UsageError(f"version {version!r} is none that can be counted on: it begins with numbers such as 1.4.2")
    numbers = [int(number) for number in found["release"].split(".")]
    major, minor, patch = (*numbers, 0, 0)[:3]
    return (major, minor, patch), _PRE_RELEASE.match(found["rest"]) is not None


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
