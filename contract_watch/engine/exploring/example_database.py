"""Hypothesis's databases of failing examples, shared between shards and nights."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from contract_watch.errors import InconclusiveError, UsageError

REDIS_VARIABLE = "HYPOTHESIS_REDIS_URL"
_DIRECTORY = Path(".hypothesis") / "examples"
_REDIS_TIMEOUT = 3.0
"""Seconds that a Redis may take to answer."""


class DatabaseUnavailableError(InconclusiveError):
    """A named Redis that does not answer. The message, one line, names the server and never a password."""


class NamespacedDatabase(ExampleDatabase):
    """One search's part of a database: searches of like code would otherwise read each other's examples.

    While ``keeps`` says so nothing is deleted: an example whose finding is known already fails no more in this search, and
    is worth keeping for the next.
    """

    def __init__(
        self, database: ExampleDatabase, label: str, keeps_examples: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self._database = database
        self._label = label.encode()
        self._keeps_examples = keeps_examples

    def save(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""
        self._database.save(self._key(key), value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """See ExampleDatabase."""
        return self._database.fetch(self._key(key))

    def delete(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""
        if not self._keeps_examples():
            self._database.delete(self._key(key), value)

    def _key(self, key: bytes) -> bytes:
        return self._label + b"/" + key


class ReadOnlyDatabase(ExampleDatabase):
    """A database whose examples are read and never changed."""

    def __init__(self, database: ExampleDatabase) -> None:
        super().__init__()
        self._database = database

    def save(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """See ExampleDatabase."""
        return self._database.fetch(key)

    def delete(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""


class FailSafeDatabase(ExampleDatabase):
    """A database that may fail. It is then not used again, ``failure`` holds the reason, and findings are reported all the same."""

    def __init__(self, database: ExampleDatabase, expected_errors: tuple[type[Exception], ...] = (OSError,)) -> None:
        super().__init__()
        self._database, self._expected_errors = database, expected_errors
        self.failure = ""

    def save(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""
        self._run_guarded(lambda: self._database.save(key, value))

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """See ExampleDatabase."""
        found: list[bytes] = []
        self._run_guarded(lambda: found.extend(self._database.fetch(key)))
        return found

    def delete(self, key: bytes, value: bytes) -> None:
        """See ExampleDatabase."""
        self._run_guarded(lambda: self._database.delete(key, value))

    def _run_guarded(self, ask: Callable[[], None]) -> None:
        if self.failure:
            return
        try:
            ask()
        except self._expected_errors as error:
            self.failure = f"the example database failed ({type(error).__name__}): what is found is not shared any more"


def get_default_database() -> ExampleDatabase:
    """Return the database that Hypothesis uses by default."""
    found = settings.default.database if settings.default is not None else None
    return found if found is not None else DirectoryBasedExampleDatabase(_DIRECTORY)


def open_read_only_database(database: ExampleDatabase | None, label: str) -> ReadOnlyDatabase:
    """Open the part ``label`` of ``database``, by default Hypothesis's own, for reading."""
    return ReadOnlyDatabase(NamespacedDatabase(database or get_default_database(), label))


def open_shared_database(environment: Mapping[str, str] | None = None) -> FailSafeDatabase:
    """Open the database that shards and nights share: a Redis if `REDIS_VARIABLE` names one, else a directory.

    Raises:
        UsageError: the address is none of a Redis.
        DatabaseUnavailableError: nothing answers there.
    """
    url = (os.environ if environment is None else environment).get(REDIS_VARIABLE, "")
    if not url:
        return FailSafeDatabase(DirectoryBasedExampleDatabase(_DIRECTORY))
    # Both load slowly, and most explorations share nothing through a Redis.
    import redis  # noqa: PLC0415
    from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415

    try:
        parts = urlsplit(url)
        place = f"{parts.hostname or 'localhost'}:{parts.port or 6379}" if parts.scheme != "unix" else parts.path
        client = redis.Redis.from_url(url, socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT)
    except ValueError as error:
        raise UsageError(f"{REDIS_VARIABLE} is not the address of a Redis, such as redis://127.0.0.1:6379/0") from error
    try:
        client.ping()
    except redis.AuthenticationError as error:
        raise DatabaseUnavailableError(
            f"{REDIS_VARIABLE}: the Redis at {place} does not accept the password"
        ) from error
    except (redis.RedisError, OSError) as error:
        raise DatabaseUnavailableError(
            f"{REDIS_VARIABLE}: no Redis answers at {place}: start it, or unset the variable"
        ) from error
    return FailSafeDatabase(RedisExampleDatabase(client), (OSError, redis.RedisError))
