"""The shapes of a session's responses, and the departures in them as findings."""

from collections.abc import Sequence
from typing import Any

from contract_watch.contracts.schema import walk_strings
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.findings import make_finding
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding
from contract_watch.report.hypothesis import Hypothesis
from contract_watch.shapes.departures import Departure, shows_departure
from contract_watch.shapes.night_shape import read_night_shape
from contract_watch.shapes.observation import ShapeRecorder


class ShapeWatch:
    """The shapes of the deterministic stages of one session: what exploring sends differs from night to night."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record_shapes(self) -> dict[str, Any]:
        """Return the shapes of all responses that conform; what does not is a finding of its own."""
        session = self._session
        return self._record(session.coverage.conforming)

    def _record(self, seen: Sequence[tuple[Exchange, Any]]) -> dict[str, Any]:
        session = self._session
        recorder = ShapeRecorder(session.contract, session.redactor)
        every = session.coverage.conforming
        sent = {text for exchange, _ in every for _, text in walk_strings(exchange.request.body)}
        owned = session.target.own_strings
        for exchange, body in seen:
            assert exchange.response is not None
            recorder.add_response(exchange.operation or "", exchange.response.status, session.protocol.name,
                                  exchange.response.headers, body, sent, owned)  # fmt: skip
        return recorder.to_json()

    def _find_exchange(self, departure: Departure, operation: str, status: int) -> Exchange | None:
        """Return an exchange that shows a departure, else the first one of its operation and status."""
        for pair in self._session.coverage.conforming:
            exchange = pair[0]
            if exchange.operation == operation and exchange.response is not None and exchange.response.status == status:
                shape = read_night_shape(self._record([pair])[departure.key])
                if shows_departure(shape, departure):
                    return exchange
        return self._session.coverage.exchanges_by_status.get((operation, status))

    def make_finding(self, departure: Departure) -> Finding | None:
        """Return the finding of a departure on this session's protocol; None without a response that shows it."""
        name, _, protocol = departure.key.partition("@")
        operation, _, status = name.partition("/")
        if (protocol or "rest") != self._session.protocol.name:
            return None
        exchange = self._find_exchange(departure, operation, int(status))
        if exchange is None:
            return None
        declared = self._session.contract.operations[operation]
        found = Disagreement(
            id=f"{operation}/{status}/shape{departure.pointer}/{departure.kind}",
            severity=departure.severity,
            clause=f"{operation}/{status}/shape",
            title=f"{declared.name}: {status} {departure.title}",
            why=departure.consequence,
            operation=operation,
            hypotheses=(Hypothesis(f"{operation}/shape{departure.pointer}/{departure.kind}", "", departure.title),),
        )
        return make_finding(self._session, redact_disagreement(found, self._session.redactor), exchange)
