"""Changes that the documents allow: none of them may be found fault with, in a whole run."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from contract_watch.contracts.matchers import Matcher, ObjectMatcher, Satisfies, is_match
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Reply
from contract_watch.mutants.false_positives.pairwise import pairwise
from contract_watch.mutants.mutant import Asked, Play
from contract_watch.mutants.mutated_vendor import Actor

KINDS = ("wire", "reading", "pair", "seed")
_WORDS = "In other words: „grün“, ☃ and <b>no</b> harm"
LATENCY = 0.02
"""Seconds that a slow answer takes."""


@dataclass(frozen=True)
class Change:
    """One change. ``id`` begins with its kind; ``play`` and ``readings`` are what it does to the mock."""

    id: str
    says: str
    play: Callable[[], Play] = Play
    readings: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The first part of the id."""
        return self.id.split("/", 1)[0]


class Spoken(Play):
    """Every text that the contract leaves free is worded otherwise."""

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome = actor.outcome(asked)
        status, shown = actor.apply_outcome(outcome)
        return status, self._worded(outcome.body, shown)

    def _worded(self, pattern: Matcher | None, shown: Any) -> Any:
        if not isinstance(pattern, ObjectMatcher) or not isinstance(shown, dict):
            return shown
        free = {name for name, inner in pattern.required.items()
                if isinstance(inner, Satisfies) and isinstance(shown.get(name), str) and is_match(inner, _WORDS)}  # fmt: skip
        self.touched += bool(free)
        return {name: _WORDS if name in free else value for name, value in shown.items()}


class Dressed(Play):
    """Every answer goes over the wire in another dress: same status, same JSON value."""

    def __init__(self, dress: Callable[[Reply], Reply]) -> None:
        self._dress = dress

    def reply(self, operation: Operation | None, reply: Reply) -> Reply:
        """See `Play.reply`."""
        del operation
        dressed = self._dress(reply)
        self.touched += dressed != reply
        return dressed


class Slow(Play):
    """Every answer takes its time."""

    delay = LATENCY


def _json(change: Callable[[Any], str]) -> Callable[[Reply], Reply]:
    """A dress that writes the same JSON otherwise."""

    def dress(reply: Reply) -> Reply:
        return replace(reply, body=change(json.loads(reply.body)).encode()) if reply.body else reply

    return dress


def _headers(**added: str) -> Callable[[Reply], Reply]:
    names = {name.replace("_", "-"): value for name, value in added.items()}
    return lambda reply: replace(reply, headers={**reply.headers, **names})


def _typed(media_type: str) -> Callable[[Reply], Reply]:
    return lambda reply: _headers(content_type=media_type)(reply) if "content-type" in reply.headers else reply


def _zipped(reply: Reply) -> Reply:
    if not reply.body:
        return reply
    return Reply(
        reply.status,
        {**reply.headers, "content-encoding": "gzip", "vary": "accept-encoding"},
        gzip.compress(reply.body),
    )


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reordered(value[name]) for name in reversed(value)}
    return [_reordered(inner) for inner in value] if isinstance(value, list) else value


def _rows_reversed(value: Any) -> Any:
    """Arrays of objects the other way round: no order is promised of rows."""
    if isinstance(value, dict):
        return {name: _rows_reversed(inner) for name, inner in value.items()}
    if isinstance(value, list) and all(isinstance(inner, dict) for inner in value):
        return value[::-1]
    return value


def _floated(value: Any) -> Any:
    """Whole numbers as ``5.0``, which JSON Schema takes for an integer as well."""
    if isinstance(value, dict):
        return {name: _floated(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_floated(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


_DRESSES: Mapping[str, tuple[str, Callable[[Reply], Reply]]] = {
    "key-order": ("properties come in another order", _json(lambda value: json.dumps(_reordered(value)))),
    "row-order": ("rows come in another order", _json(lambda value: json.dumps(_rows_reversed(value)))),
    "pretty": ("JSON is indented", _json(lambda value: json.dumps(value, indent=4) + "\n")),
    "spaced": ("JSON has more spaces", _json(partial(json.dumps, separators=(" , ", " : "), ensure_ascii=False))),
    "escaped": ("JSON escapes what it may", _json(lambda value: json.dumps(value).replace("/", "\\/"))),
    "numbers": ("whole numbers are written with a fraction", _json(lambda value: json.dumps(_floated(value)))),
    "charset": ("the media type has a charset", _typed("application/json; charset=utf-8")),
    "media-case": ("the media type is spelled in other case", _typed('Application/JSON;Charset="UTF-8"')),
    "headers": ("headers that nobody asked for", _headers(
        x_request_id="b6e2-11", set_cookie="s=1; HttpOnly", cache_control="no-store", x_ratelimit_remaining="239",
        strict_transport_security="max-age=1", www_authenticate='Bearer realm="api"', server="nginx")),
    "no-keep-alive": ("every connection ends with its answer", _headers(connection="close")),
    "chunked": ("bodies come in chunks", lambda reply: replace(reply, headers={**reply.headers, "content-length": ""})),
    "gzip": ("bodies are compressed", _zipped),
}  # fmt: skip


def changes(contract: Contract, seeds: int = 0) -> list[Change]:
    """Every allowed change of ``contract``, in a stable order; then ``seeds`` of the exploring stage."""
    return [*_wire(), *_readings(contract), *_pairs(contract), *_seeds(seeds)]


def _wire() -> Iterator[Change]:
    yield Change("wire/wording", "texts that no document fixes are worded otherwise", Spoken)
    yield Change("wire/latency", f"every answer takes {LATENCY * 1000:.0f} ms more", Slow)
    for name, (says, dress) in _DRESSES.items():
        yield Change(f"wire/{name}", says, partial(Dressed, dress))


def _readings(contract: Contract) -> Iterator[Change]:
    for name, values in contract.model.interpretations.items():
        for value in values[1:]:
            yield Change(f"reading/{name}={value}", f"{name} is read as {value}", Play, {name: value})


def _pairs(contract: Contract) -> Iterator[Change]:
    for number, row in enumerate(pairwise(contract.model.interpretations), 1):
        yield Change(f"pair/{number}", ", ".join(f"{name}={value}" for name, value in row.items()), Play, row)


def _seeds(count: int) -> Iterator[Change]:
    for seed in range(1, count + 1):
        yield Change(f"seed/{seed}", f"the exploring stage with seed {seed}")
