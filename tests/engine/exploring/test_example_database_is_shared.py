"""Shards and nightly runs share the examples that exploration found, through a directory or a real Redis."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.exploring.depth import ExplorationDepth
from contract_watch.engine.exploring.example_database import (
    REDIS_VARIABLE,
    DatabaseUnavailableError,
    FailSafeDatabase,
    NamespacedDatabase,
    open_shared_database,
)
from contract_watch.engine.exploring.exploration import explore_requests, explore_workflows
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import UsageError
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.mutants.request_mutants import TightenedConstraint
from contract_watch.report.record import Record
from tests.support.rate_limits.redis_server import serve_redis

CREATE = "createSmtpUser"
KEYS = {"paid": "api_test_paid_0123456789abcdef", "free": "api_test_free_0123456789abcdef"}

SEED = 7
"""A seed whose third valid creation has the drift; others need dozens, and drawing one takes 30 ms."""
EXAMPLES = 20


def _is_rare(body: dict[str, object]) -> bool:
    """Return True for a value that the simplest examples never have."""
    quota = body.get("quota")
    return isinstance(quota, int | float) and quota >= 1 and "password" not in body


@pytest.fixture(name="drifted", scope="module")
def _drifted(jetemail: Contract) -> Iterator[str]:
    """Serve a vendor with drift that only exploring finds: it rejects a quota without a password."""
    house = MutantServer()
    house.app = MutantApp(jetemail, TightenedConstraint(CREATE, _is_rare))
    with run_in_thread(house) as base:
        yield base


def _explore_creation(contract: Contract, base: str, depth: ExplorationDepth) -> list[str]:
    """Explore the creation's valid requests as one shard."""
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    record = Record(contract.slug, contract.name, contract.digest, base, 0, now)
    session = Session(contract, base, KEYS, NameGenerator(now.date()), record)
    try:
        return [finding.id for finding in explore_requests(session, Runner(session), CREATE, "positive", SEED, depth)]
    finally:
        session.close()


def _count_saved_failures(database: InMemoryExampleDatabase) -> int:
    """Count the examples that were saved because they failed; Hypothesis saves others too."""
    return sum(len(kept) for key, kept in database.data.items() if not key.endswith(b".pareto"))


def _assert_shared(contract: Contract, base: str, first: ExampleDatabase, second: ExampleDatabase) -> None:
    """One shard finds it among many examples; another has one example and finds it too; a third, alone, does not."""
    assert _explore_creation(contract, base, ExplorationDepth(examples=EXAMPLES, database=first))
    assert _explore_creation(contract, base, ExplorationDepth(examples=1, database=second))
    assert _explore_creation(contract, base, ExplorationDepth(examples=1, database=InMemoryExampleDatabase())) == []


def test_shards_share_through_a_directory(jetemail: Contract, drifted: str, tmp_path: Path) -> None:
    """Two databases use one directory: a run first tries the examples that an earlier one found."""
    _assert_shared(jetemail, drifted, DirectoryBasedExampleDatabase(tmp_path), DirectoryBasedExampleDatabase(tmp_path))


def test_shards_share_through_redis(jetemail: Contract, drifted: str, tmp_path: Path) -> None:
    """Shards on several machines share examples through one Redis, each with its own client.

    The keys expire, so that the Redis does not fill up.
    """
    with serve_redis(tmp_path) as url:
        _assert_shared(
            jetemail, drifted, open_shared_database({REDIS_VARIABLE: url}), open_shared_database({REDIS_VARIABLE: url})
        )
        with redis.Redis.from_url(url) as client:
            keys = client.keys()
            assert keys
            assert all(client.ttl(key) > 0 for key in keys)


def test_a_redis_that_dies_costs_no_finding(jetemail: Contract, drifted: str, tmp_path: Path) -> None:
    """The Redis stops before the search begins. The search still finds the drift, and the database gives the reason."""
    with serve_redis(tmp_path) as url:
        database = open_shared_database({REDIS_VARIABLE: url})
    assert _explore_creation(jetemail, drifted, ExplorationDepth(examples=EXAMPLES, database=database))
    assert "example database failed" in database.failure
    assert url not in database.failure


def test_a_mended_drift_is_forgotten(jetemail: Contract, drifted: str, mock_address: str) -> None:
    """Saved examples that no longer fail give no finding and disappear. Hypothesis tries only a few in each search."""
    database = InMemoryExampleDatabase()
    assert _explore_creation(jetemail, drifted, ExplorationDepth(examples=EXAMPLES, database=database))
    for _ in range(50):
        if not _count_saved_failures(database):
            break
        assert _explore_creation(jetemail, mock_address, ExplorationDepth(examples=5, database=database)) == []
    assert _count_saved_failures(database) == 0
    assert _explore_creation(jetemail, drifted, ExplorationDepth(examples=1, database=database)) == []


def test_shrinking_is_bounded_by_requests(jetemail: Contract, drifted: str) -> None:
    """A find does not cost a vendor thousands of requests.

    The same seed finds the drift with and without a budget for shrinking. With a budget, Hypothesis decides by the
    clock how much to use, so only the difference is limited.
    """
    sent = []
    for shrinks in (20, 0):
        now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
        record = Record(jetemail.slug, jetemail.name, jetemail.digest, drifted, 1, now)
        session = Session(jetemail, drifted, KEYS, NameGenerator(now.date()), record)
        depth = ExplorationDepth(examples=EXAMPLES, max_shrink_requests=shrinks, database=InMemoryExampleDatabase())
        assert explore_requests(session, Runner(session), CREATE, "positive", SEED, depth)
        session.close()
        sent.append(record.requests["explore"])
    assert sent[1] <= 2 * EXAMPLES  # one search finds the drift, and a second one finds nothing more
    assert sent[1] <= sent[0] <= sent[1] + 20


def test_searches_do_not_read_each_other_s_examples() -> None:
    """Two searches with similar code have separate namespaces."""
    database = InMemoryExampleDatabase()
    one, other = NamespacedDatabase(database, "a/positive"), NamespacedDatabase(database, "a/negative")
    one.save(b"key", b"value")
    assert (list(one.fetch(b"key")), list(other.fetch(b"key"))) == ([b"value"], [])
    one.delete(b"key", b"value")
    assert list(one.fetch(b"key")) == []


class _FailingDatabase(ExampleDatabase):
    def save(self, *_: object) -> None:
        raise OSError(28, "No space left on device")

    fetch = delete = save  # type: ignore[assignment]


def test_a_database_that_fails_is_not_asked_again() -> None:
    """The disk is full: the database returns no examples, raises nothing and gives one reason."""
    database = FailSafeDatabase(_FailingDatabase())
    database.save(b"key", b"value")
    database.delete(b"key", b"value")
    assert list(database.fetch(b"key")) == []
    assert "OSError" in database.failure


@pytest.mark.parametrize("url", ["http://127.0.0.1:6379", "nonsense", "redis://127.0.0.1:port"])
def test_an_address_that_is_none_of_a_redis_is_wrong_usage(url: str) -> None:
    """The usage error names the variable."""
    with pytest.raises(UsageError, match=REDIS_VARIABLE):
        open_shared_database({REDIS_VARIABLE: url})


def test_a_redis_that_is_not_there_is_named_without_its_password() -> None:
    """The error is one line with the server and the fix."""
    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1:9") as caught:
        open_shared_database({REDIS_VARIABLE: "redis://user:s3cret-pass@127.0.0.1:9/0"})
    assert "s3cret-pass" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["requests", "lives"])
def test_a_search_whose_time_is_over_sends_nothing_more(
    jetemail: Contract, mock: object, mock_address: str, what: str
) -> None:
    """MINUTES is a hard limit: a search that begins after it sends at most two requests."""
    assert mock
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    record = Record(jetemail.slug, jetemail.name, jetemail.digest, mock_address, 0, now)
    session = Session(jetemail, mock_address, KEYS, NameGenerator(now.date()), record)
    depth = ExplorationDepth(examples=50, workflows=50, until=0.0)
    if what == "lives":
        explore_workflows(session, Runner(session), 1, depth)
    else:
        explore_requests(session, Runner(session), CREATE, "positive", 1, depth)
    session.close()
    assert sum(record.requests.values()) <= 2
