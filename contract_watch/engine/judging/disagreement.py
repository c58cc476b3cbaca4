"""Disagreements between responses and the contract."""

from dataclasses import dataclass, field

from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.finding import Severity
from contract_watch.report.hypothesis import Hypothesis

BREAKING, ADDITIVE = Severity.BREAKING, Severity.ADDITIVE


@dataclass(frozen=True)
class Disagreement:
    """One way in which a response breaks the contract: a `contract_watch.report.finding.Finding` before it is confirmed.

    ``operation`` is the id of the operation held responsible. ``may_be_outage`` marks a response that a broken server
    gives too, ``is_unreadable`` a body whose values cannot be judged, ``is_wrong_status`` a status that the contract
    does not allow. ``may_lag`` marks a response that would be right in another state of the objects. ``object_name`` is
    the object concerned, if the response holds several. ``hypotheses`` are changes by the vendor that would explain it, the
    most specific one first.

    ``of_reader`` is the same disagreement as the fault of the read that shows it, where the effect of another operation is
    missing. ``suspects`` are further operations (``METHOD path``) that can be at fault. ``witness`` is the exchange that
    shows that the read is wrong. ``suspected_times`` are the times of the requests that may have caused it, if they are
    known.
    """

    id: str
    severity: Severity
    clause: str
    title: str
    why: str
    operation: str
    may_be_outage: bool = False
    is_unreadable: bool = False
    is_wrong_status: bool = False
    object_name: str | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    may_lag: bool = False
    of_reader: "Disagreement | None" = None
    suspects: tuple[str, ...] = ()
    witness: Exchange | None = field(default=None, compare=False)
    suspected_times: tuple[float, ...] = ()


def is_html_page(response: Response) -> bool:
    """Return True for a page for people, as proxies, portals and error handlers send."""
    return "text/html" in response.headers.get("content-type", "").lower() or response.body[:64].lstrip()[:1] == b"<"
