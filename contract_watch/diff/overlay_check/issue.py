"""What is told of an action that does not fit a new document as it fitted the old one."""

from dataclasses import dataclass
from enum import Enum


class OverlayIssueKind(Enum):
    """What has become of an action, or of a part of it.

    ``LOST``: nothing is left to correct. ``FEWER``: it still matches something, but not all that it did. ``BROKEN``: it
    matches, and cannot be applied. ``COLLIDES``: it would hide what the vendor has changed. ``SUPERFLUOUS``: the vendor says
    all of it himself, ``PARTLY``: some of it. ``WIDER``: it matches places that are new.
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

    ``action`` counts from one, as errors of `contract_watch.contracts.overlay` do. ``places`` are JSON pointers in the new document, in the
    old where a place is gone; they and ``target`` are as they are written, so make them plain before they are shown.
    ``message`` says what is so, ``edit`` what to do in the overlay: a line each, and plain. ``keys`` are the parts of the
    update that can be taken out: names, and positions in the update's own arrays.
    """

    action: int
    target: str
    kind: OverlayIssueKind
    places: tuple[str, ...]
    message: str
    edit: str
    keys: tuple[tuple[str | int, ...], ...] = ()
