"""Issues of an overlay: actions that do not fit a new document as they fitted the old one."""

from dataclasses import dataclass
from enum import Enum


class OverlayIssueKind(Enum):
    """The kind of an issue.

    ``LOST``: the action matches nothing. ``FEWER``: it matches some, but not all of its old locations. ``BROKEN``: it
    matches and cannot be applied. ``COLLIDES``: it would overwrite a change of the vendor. ``SUPERFLUOUS``: the new
    document already contains the whole update, ``PARTLY``: a part of it. ``WIDER``: it also matches new locations.
    """

    LOST = "lost"
    FEWER = "fewer"
    BROKEN = "broken"
    COLLIDES = "collides"
    SUPERFLUOUS = "superfluous"
    PARTLY = "partly superfluous"
    WIDER = "wider"


@dataclass(frozen=True)
class OverlayIssue:
    """One action of an overlay that does not fit a new document as it fitted the old one.

    Attributes:
        action: its number, from one, as in errors of `contract_watch.contracts.overlay`.
        places: JSON pointers in the new document, or in the old one for lost locations. They and ``target`` are
            unescaped.
        message: the problem, on one escaped line.
        edit: the edit of the overlay, on one escaped line.
        keys: the parts of the update to remove: names, and indexes into the update's own arrays.
        hides_values: the action removes or overwrites values of the vendor at locations that it did not match before.
    """

    action: int
    target: str
    kind: OverlayIssueKind
    places: tuple[str, ...]
    message: str
    edit: str
    keys: tuple[tuple[str | int, ...], ...] = ()
    hides_values: bool = False
