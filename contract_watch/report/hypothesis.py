"""Hypotheses: changes by a vendor, each of which would explain several findings at once."""

import hashlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

_MAX_LENGTH = 300
StatusesByOperation = Mapping[str, AbstractSet[int]]
"""The statuses of an operation (``METHOD path``) with which it gave conforming responses."""


@dataclass(frozen=True)
class Hypothesis:
    """One change by a vendor that would explain a finding; findings with the same ``key`` may have one cause.

    Attributes:
        key: stable from run to run.
        verb: a regular verb and ``rest`` the words after it, for a title such as ``PATCH /x answers 404``. Without a
            verb the title is ``PATCH /x: rest``.
        subject: the subject of the title if it is not the operations of the findings.
        least: the findings that it takes to believe it.
        refuting: conforming responses that refute it: operations, each with statuses.
        only_status: operations, each with the one status with which it may conform.
        consequence: the code of consumers that fails; empty if the findings say it.
        is_side_effect: it would explain the finding too, but the finding is no evidence for it.
        explains_any_request: every request to the operation shows it, whatever it holds.
    """

    key: str
    verb: str
    rest: str
    subject: str = ""
    least: int = 2
    refuting: tuple[tuple[str, tuple[int, ...]], ...] = ()
    only_status: tuple[tuple[str, int], ...] = ()
    consequence: str = ""
    is_side_effect: bool = False
    explains_any_request: bool = False

    def edit_text(self, edit: Callable[[str], str]) -> "Hypothesis":
        """Return it with its texts redacted by ``edit``, and bounded: a server may have chosen the names in them."""
        key, rest, failing = (shorten(edit(text)) for text in (self.key, self.rest, self.consequence))
        return replace(self, key=key, rest=rest, consequence=failing)

    def is_refuted(self, conforming: StatusesByOperation) -> bool:
        """Return True if a conforming response contradicts it."""
        return any(not conforming.get(name, set()).isdisjoint(statuses) for name, statuses in self.refuting) or any(
            conforming.get(name, set()) - {status} for name, status in self.only_status
        )

    def format_title(self, operations: list[str]) -> str:
        """Return one line about ``operations``, each ``METHOD path``."""
        subject = self.subject or join_operations(operations)
        if not self.verb:
            return f"{subject}: {self.rest}"
        is_singular = bool(self.subject) or len(operations) == 1
        return f"{subject} {self.verb}{'s' if is_singular else ''} {self.rest}"


def shorten(text: str, length: int = _MAX_LENGTH) -> str:
    """Return ``text``, or its first ``length`` characters with a digest of all of it if it is longer."""
    if len(text) <= length:
        return text
    return f"{text[:length]}…{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"


def join_operations(operations: list[str]) -> str:
    """Return the names of ``operations`` in a few words; many are counted."""
    paths = list(dict.fromkeys(name.partition(" ")[2] for name in operations))
    if len(paths) == 1 and len(operations) > 1:
        return f"{_join([name.partition(' ')[0] for name in operations])} {paths[0]}"
    return _join(operations) if len(operations) <= 2 else f"{len(operations)} operations"


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
