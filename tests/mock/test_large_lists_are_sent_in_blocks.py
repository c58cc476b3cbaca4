"""A long list is rendered, compressed and sent block by block, and is the response that it was in one piece."""

import asyncio
import json
import socket
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.matchers import Constant, EncodedJson, Matcher, Mismatch, ObjectMatcher, ValuePath
from contract_watch.contracts.outcomes import Outcome
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.contracts.resource.row_stream import RowStream, collect_rows
from contract_watch.contracts.resource.state import Item
from contract_watch.mock import large_body
from contract_watch.mock.app import Mock
from contract_watch.mock.clock import MockClock
from contract_watch.mock.large_body import LargeBody, render_body
from contract_watch.mock.server import build_mock, create_vendor, run_in_thread
from contract_watch.mock.vendor import MockVendor
from contract_watch.mutants.choice import choose_vendors, parse_mutants
from tests.support.patience import PATIENCE
from tests.support.recorded_sessions import build_replay, record_session, use_mock

CONTRACTS = load_contracts()
OBJECTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "jetemail": lambda number: {"username": f"user-{number:05}"},
    "smtp2go": lambda number: {"username": f"user-{number:05}", "email_password": f"Password-{number:05}"},
    "zitadel": lambda number: {"senderAddress": f"a{number}@example.com", "senderName": "Ä", "host": "a.example.com:25"},
}  # fmt: skip
ROWS = 40
NEVER = 10**9
PATH = "/outbound/smarthost"


@pytest.fixture(name="short")
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists of 30 rows be long, and blocks short."""
    monkeypatch.setattr(large_body, "_LEAST_ROWS", 30)
    monkeypatch.setattr(large_body, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(large_body, "_BLOCK_BYTES", 2000)


def _fill(vendor: MockVendor, count: int) -> None:
    objects = [OBJECTS[vendor.contract.slug](number) for number in range(count)]
    vendor.restore(vendor.prepare(objects, "objects"))


def _build(slug: str, count: int, create: Any = create_vendor) -> Mock:
    mock = build_mock([CONTRACTS[slug]], {}, create=create, seed=7)
    _fill(mock.vendors[slug], count)
    return mock


def _get_list_operation(contract: Contract) -> Any:
    assert contract.list_config is not None
    return contract.operations[contract.list_config.operation]


def _list(mock: Mock, slug: str, headers: Mapping[str, str] = {}) -> httpx.Response:
    """Return the response to a list of all objects by the account of the preset."""
    contract, location = CONTRACTS[slug], CONTRACTS[slug].credential_locations[0]
    operation, credential = _get_list_operation(contract), contract.credentials[0].test

    async def send(client: httpx.AsyncClient) -> httpx.Response:
        own = {location.header: location.build_value(credential), **headers}
        body: Any = None if operation.body is None else {}
        return await client.request(operation.method, contract.base_path + operation.path, json=body, headers=own)

    found: httpx.Response = use_mock(mock, send)
    return found


def _get_rows(response: httpx.Response, slug: str) -> list[Any]:
    config = CONTRACTS[slug].list_config
    assert config is not None
    value = response.json()
    for part in config.rows.split("/")[1:]:
        value = value[part]
    return list(value)


def _read_journal(mock: Mock) -> list[Any]:
    return [{**call, "at": 0, "duration": 0, "number": 0} for call in mock.journal.list_calls()]


def _list_twice(monkeypatch: pytest.MonkeyPatch, mock: Mock, slug: str) -> list[tuple[Any, Any]]:
    """Return response and journal of the same list, in blocks and in one piece."""
    vendor, found = mock.vendors[slug], []
    before = vendor.save()
    for is_large in (True, False):
        with monkeypatch.context() as patch:
            if not is_large:
                patch.setattr(large_body, "_LEAST_ROWS", NEVER)
            vendor.restore(before)
            mock.journal.clear()
            response = _list(mock, slug)
            found.append(((response.status_code, response.headers.raw, response.content), _read_journal(mock)))
    return found


def _list_choices() -> Iterator[Any]:
    for slug, contract in CONTRACTS.items():
        yield pytest.param(slug, {}, id=slug)
        for name, values in contract.model.interpretations.items():
            for value in values[1:]:
                yield pytest.param(slug, {name: value}, id=f"{slug}-{name}-{value}")


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("slug", "choice"), list(_list_choices()))
def test_blocks_are_the_same_bytes(monkeypatch: pytest.MonkeyPatch, slug: str, choice: dict[str, str]) -> None:
    """Under each interpretation, status, headers, body and journal are those of a body in one piece."""
    mock = build_mock([CONTRACTS[slug]], {}, {slug: choice}, seed=7)
    _fill(mock.vendors[slug], ROWS)
    made = _count_large_bodies(monkeypatch)
    blocks, piece = _list_twice(monkeypatch, mock, slug)
    assert blocks == piece
    assert len(made) == (blocks[0][0] == 200)


def _count_large_bodies(monkeypatch: pytest.MonkeyPatch) -> list[LargeBody]:
    made: list[LargeBody] = []
    build = LargeBody.__init__

    def build_and_keep(self: LargeBody, *arguments: Any) -> None:
        made.append(self)
        build(self, *arguments)

    monkeypatch.setattr(LargeBody, "__init__", build_and_keep)
    return made


def test_thousands_of_rows_are_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of 3,000 users has the bytes, the length and the journal of a body in one piece."""
    made = _count_large_bodies(monkeypatch)
    blocks, piece = _list_twice(monkeypatch, _build("jetemail", 3000), "jetemail")
    assert blocks == piece
    assert len(made) == 1
    assert len(json.loads(blocks[0][2])["smarthosts"]) == 3000
    assert len(blocks[1][0]["answer"]["smarthosts"]) == 200


def test_a_list_takes_little_memory() -> None:
    """While 5,000 users are listed, memory grows by less than the body's size."""
    contract, mock = CONTRACTS["jetemail"], _build("jetemail", 5000)
    location, sizes = contract.credential_locations[0], list[int]()
    headers = [(location.header.lower().encode(), location.build_value(contract.credentials[0].test).encode())]
    scope = {"type": "http", "method": "GET", "path": PATH, "raw_path": PATH.encode(), "query_string": b""}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sizes.append(len(message.get("body", b"")))

    asyncio.run(mock({**scope, "headers": headers}, receive, send))
    sizes.clear()
    tracemalloc.start()
    try:
        asyncio.run(mock({**scope, "headers": headers}, receive, send))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) > 1_000_000
    assert max(sizes) < 100_000
    assert peak < sum(sizes)


@pytest.mark.usefixtures("short")
def test_secrets_of_rows_beyond_the_journal_are_redacted() -> None:
    """The journal knows the secret of a row that it does not show, and redacts it in another call."""
    mock = _build("smtp2go", 300)
    assert "Password-00299" in _get_rows(_list(mock, "smtp2go"), "smtp2go")[-1].values()

    async def send(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/v3/Password-00299")

    use_mock(mock, send)
    listed, other = mock.journal.list_calls()
    assert len(listed["answer"]["data"]["results"]) == 200
    assert "Password-" not in json.dumps([listed, other])
    assert other["path"] == "/v3/[redacted, 14 characters]"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("most", "is_whole"), [(512 * 1024, True), (10_000, False)])
def test_a_whole_journal_has_every_row(monkeypatch: pytest.MonkeyPatch, most: int, is_whole: bool) -> None:
    """A test's journal, which is for comparisons, holds all rows of a body or says that it does not."""
    monkeypatch.setattr("contract_watch.mock.journal._MAX_PACKED_TEXT", most)
    mock = _build("jetemail", 300)
    mock.journal.keeps_whole = True
    _list(mock, "jetemail")
    [(shown, sent)] = mock.journal.list_sent_calls()
    assert len(shown["answer"]["smarthosts"]) == 200
    assert (sent is not None and len(sent["answer"]["smarthosts"]) == 300) is is_whole
    assert (sent is None) is not is_whole


@pytest.mark.usefixtures("short")
def test_mutants_edit_long_lists() -> None:
    """A mutant of a list's body, and one of its rows, play on a long list."""
    create = choose_vendors(parse_mutants(["body/listSmtpUsers/200/smarthosts/renamed"], [CONTRACTS["jetemail"]]))
    mock = _build("jetemail", ROWS, create)
    response = _list(mock, "jetemail").json()
    assert "smarthosts" not in response
    assert [len(value) for value in response.values() if isinstance(value, list)] == [ROWS]
    assert mock.journal.list_calls()[0]["mutant"] == "body/listSmtpUsers/200/smarthosts/renamed"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "fault", [{"headers": {"X-Seen": "1"}}, {"slow": {"bytes": 20_000, "pause": 0}}, {"delay": 0.001}]
)
def test_faults_play_on_long_lists(fault: dict[str, Any]) -> None:
    """A fault that leaves the body alone sends all rows of a long list."""
    mock = _build("jetemail", ROWS)
    mock.faults.add({"operation": "listSmtpUsers", **fault})
    assert len(_get_rows(_list(mock, "jetemail"), "jetemail")) == ROWS
    assert mock.journal.list_calls()[0]["fault"]


@pytest.mark.usefixtures("short")
def test_long_lists_are_recorded_and_replayed(tmp_path: Path) -> None:
    """A session has all rows of a long list, and replays them."""

    async def use(client: httpx.AsyncClient) -> list[Any]:
        for number in range(ROWS):
            await client.post(PATH, json=OBJECTS["jetemail"](number))
        return [one.json() for one in (await client.get(PATH), await client.get(PATH))]

    recorded = record_session(tmp_path / "session.yaml", use)
    assert [len(one["smarthosts"]) for one in recorded] == [ROWS] * 2
    assert use_mock(build_replay(tmp_path / "session.yaml"), use) == recorded


@pytest.mark.usefixtures("short")
def test_grpc_lists_all_rows() -> None:
    """A gRPC call gets a long list as a message with all rows."""
    contract, mock = CONTRACTS["zitadel"], _build("zitadel", ROWS)
    operation, codec = _get_list_operation(contract), MessageCodec(contract)
    headers = {"authorization": f"Bearer {contract.credentials[0].test}", "content-type": "application/grpc"}
    response = mock.grpc_calls[0].handle_call(operation, headers, codec.encode_request(operation, {}, {}))
    assert len(codec.decode_response(operation.id, response.content)["result"]) == ROWS
    assert len(response.answer[1]["result"]) == ROWS


@pytest.mark.usefixtures("short")
def test_pages_of_browsers_get_long_lists() -> None:
    """A page of another origin may read a long list, and the length is stated."""
    response = _list(_build("jetemail", ROWS), "jetemail", {"Origin": "https://app.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert int(response.headers["content-length"]) == len(response.content)
    assert len(_get_rows(response, "jetemail")) == ROWS


@pytest.mark.usefixtures("short")
def test_a_client_may_leave_in_the_middle() -> None:
    """After clients that take a part of a long list or ask for its head only, others get the whole."""
    contract, mock = CONTRACTS["jetemail"], _build("jetemail", 2400)
    key = contract.credentials[0].test
    with run_in_thread(mock) as base:
        address = httpx.URL(base)
        for method in ("GET", "HEAD"):
            with socket.create_connection((address.host, address.port or 0), timeout=PATIENCE) as client:
                client.sendall(f"{method} {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n".encode())
                assert client.recv(100).startswith(b"HTTP/1.1 200" if method == "GET" else b"HTTP/1.1 405")
        with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE) as other:
            assert [len(other.get(PATH).json()["smarthosts"]) for _ in range(2)] == [2400] * 2


@pytest.mark.usefixtures("short")
def test_others_get_a_plain_list() -> None:
    """Code that asks the vendor itself gets a plain list, also after an endpoint has sent a long one."""
    mock, operation = _build("jetemail", ROWS), _get_list_operation(CONTRACTS["jetemail"])
    _list(mock, "jetemail")
    headers = {"authorization": f"Bearer {CONTRACTS['jetemail'].credentials[0].test}"}
    for ask in (mock.vendors["jetemail"].handle_request, mock.vendors["jetemail"].handle_with_reason):
        status, answer = ask(operation, PATH, headers, {})[:2]
        assert (status, len(answer["smarthosts"])) == (200, ROWS)


class _ReadingVendor(MockVendor):
    """A vendor with a `handle_request` of its own, which reads the rows that it answers."""

    def handle_request(self, *arguments: Any, **named: Any) -> tuple[int, Any]:
        status, answer = super().handle_request(*arguments, **named)
        return status, {**answer, "smarthosts": [row for row in answer["smarthosts"] if row["username"] > "user-00009"]}


def _create_reading_vendor(
    contract: Contract, environment: Mapping[str, str], clock: MockClock, seed: int | None
) -> MockVendor:
    return _ReadingVendor(contract, environment, clock=clock, seed=seed)


@pytest.mark.usefixtures("short")
def test_own_classes_of_vendors_read_rows() -> None:
    """A vendor's class with a `handle_request` of its own gets a plain list."""
    mock = _build("jetemail", ROWS, _create_reading_vendor)
    assert len(_get_rows(_list(mock, "jetemail"), "jetemail")) == ROWS - 10


@pytest.mark.usefixtures("short")
def test_models_learn_from_long_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose next state follows from the rows gets a plain list."""
    mock = _build("jetemail", ROWS)
    vendor, learned = mock.vendors["jetemail"], []
    model, decide = vendor.contract.model, vendor.contract.model.outcomes

    def learn_from_rows(state: Any, request: Any) -> list[Outcome]:
        [outcome] = decide(state, request)

        def learn(answer: Any) -> Any:
            learned.append(len(answer["smarthosts"]))
            return state

        return [Outcome(outcome.status, outcome.clause, outcome.why, outcome.body, learn)]

    monkeypatch.setattr(model, "outcomes", learn_from_rows)
    assert len(_get_rows(_list(mock, "jetemail"), "jetemail")) == ROWS
    assert learned == [ROWS]


class _Rows:
    """A matcher of a list, which shows rows with a number."""

    def render(self) -> Any:
        items = [Item("paid", str(number), "", {}) for number in range(ROWS)]
        return collect_rows(RowStream(items, lambda item: {"number": int(item.name or "")}))

    def find_mismatches(self, value: Any, path: ValuePath = ()) -> Iterator[Mismatch]:
        del value, path
        yield from ()


class _Reading(_Rows):
    """A matcher of its own that shows what ``read`` makes of the rows."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def render(self) -> Any:
        return self._read(super().render())


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "matcher",
    [
        EncodedJson(_Rows()),
        ObjectMatcher({"a": _Rows(), "b": _Rows()}),
        _Reading(lambda rows: {"count": len(rows), "rows": rows}),
        _Reading(lambda rows: [row for row in rows if row["number"] > 5]),
        _Reading(lambda rows: rows if isinstance(rows, list) else []),
    ],
    ids=["in a string", "two lists", "counted", "filtered", "asked for its type"],
)
def test_matchers_that_read_rows_show_them(matcher: Matcher) -> None:
    """A body whose matcher reads the rows, or has several long lists, is a plain value with all rows."""
    assert render_body(matcher) == matcher.render()


@pytest.mark.usefixtures("short")
def test_a_large_body_is_taken_for_nothing_else() -> None:
    """Code that takes a large body for a list or an object, or encodes it, fails."""
    body: Any = render_body(ObjectMatcher({"id": Constant(1), "rows": _Rows()}))
    assert isinstance(body, LargeBody)
    assert body.read() == {"id": 1, "rows": [{"number": number} for number in range(ROWS)]}
    assert body.read(3)["rows"] == [{"number": number} for number in range(3)]
    uses: list[Callable[[Any], Any]] = [
        lambda value: [*value],
        json.dumps,
        lambda value: value["rows"],
        lambda value: {**value},
    ]
    for use in uses:
        with pytest.raises(TypeError):
            use(body)
