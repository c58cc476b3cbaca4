"""The operations that the user puts under contract, and what each does to an object."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

KINDS = ("create", "list", "get", "update", "delete", "action")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ENTRY = re.compile(r"(?:([a-z]+)=)?([A-Za-z]+)\s+(/\S*)")
_SEPARATOR = re.compile(r"\s*,\s*(?=(?:[a-z]+=)?[A-Za-z]+\s)")
_MAX_OPERATIONS = 60
_EXAMPLE = "'POST /things, GET /things/{id}, DELETE /things/{id}'"


@dataclass(frozen=True)
class Choice:
    """One chosen operation; ``kind`` is one of `KINDS`, or empty until `classify` has found it."""

    method: str
    path: str
    kind: str = ""

    @property
    def name(self) -> str:
        """Method and path, such as ``POST /things``."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters in the path."""
        return re.findall(r"\{([^{}/]+)\}", self.path)

    @property
    def ends_with_parameter(self) -> bool:
        """True if the last segment of the path is a parameter."""
        return self.path.rstrip("/").rpartition("/")[2].startswith("{")


def parse_operations(text: str) -> list[Choice]:
    """Parse a list such as ``POST /things, delete=POST /things/remove``.

    Raises:
        UsageError: an entry is malformed or repeated.
    """
    choices: list[Choice] = []
    for entry in _SEPARATOR.split(text.strip().rstrip(",")):
        found = _ENTRY.fullmatch(entry.strip())
        if found is None or found[2].upper() not in _METHODS:
            raise UsageError(f"--operations: {escape_text(entry, 100)!r} is no method and path; write {_EXAMPLE}")
        if found[1] is not None and found[1] not in KINDS:
            raise UsageError(
                f"--operations: {escape_text(found[1], 40)!r} is no kind of operation; choose from {', '.join(KINDS)}"
            )
        choices.append(Choice(found[2].upper(), found[3], found[1] or ""))
    names = [choice.name for choice in choices]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"--operations: {escape_text(repeated, 100)} occurs twice; name it once")
    if len(choices) > _MAX_OPERATIONS:
        raise UsageError(
            f"--operations: names {len(choices)} operations, at most {_MAX_OPERATIONS} are drafted at once"
        )
    return choices


def classify(choices: Sequence[Choice]) -> list[Choice]:
    """Return the choices with their kinds, by method and path where the user gave none.

    Raises:
        UsageError: no operation creates, deletes or reads an object, or several do.
    """
    found = [replace(choice, kind=choice.kind or _find_kind(choice, choices)) for choice in choices]
    for kind, does in (("create", "creates"), ("delete", "deletes")):
        matching = [choice for choice in found if choice.kind == kind]
        if not matching:
            raise UsageError(
                f"--operations: no operation {does} an object; write {kind}=POST /path before the one that does"
            )
        if len(matching) > 1:
            names = " and ".join(escape_text(one.name, 100) for one in matching[:2])
            raise UsageError(
                f"--operations: {names} both {kind} an object; a contract has one; write action= before the other, "
                "or give its objects a contract of their own"
            )
    if not any(choice.kind in ("get", "list") for choice in found):
        raise UsageError("--operations: no operation reads an object; add the GET of an object or of the list")
    return found


def _find_kind(choice: Choice, choices: Sequence[Choice]) -> str:
    path = choice.path.rstrip("/")
    items = [one.path.rstrip("/") for one in choices if one.ends_with_parameter]
    is_below = any(path.startswith(f"{item}/") for item in items)
    if choice.method == "GET":
        return "get" if choice.ends_with_parameter or is_below else "list"
    if choice.method in ("PUT", "PATCH"):
        return "update"
    if is_below:
        return "action"
    if choice.method == "DELETE":
        return "delete"
    if choice.ends_with_parameter:
        return "update"
    is_collection = any(item.rpartition("/")[0] == path for item in items)
    others = any(one.kind == "create" or _is_collection(one, items) for one in choices if one is not choice)
    return "create" if is_collection or not others else "action"


def _is_collection(choice: Choice, items: Sequence[str]) -> bool:
    path = choice.path.rstrip("/")
    return choice.method == "POST" and not choice.kind and any(item.rpartition("/")[0] == path for item in items)
