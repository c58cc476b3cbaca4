"""The tables of a ``contract.toml``, each as what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CredentialLocation:
    """Where a credential may stand, written as ``form`` with the key in place of ``{}``.

    Either in the header ``header``, or in the JSON body under ``field``.
    """

    name: str
    form: str
    header: str = ""
    field: str = ""

    @property
    def scheme(self) -> str:
        """What stands beside the key; empty where it stands alone."""
        return self.form.replace("{}", "").strip()

    def insert_key(self, value: str, headers: Mapping[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """``headers`` and ``body`` with ``value`` in this place; a body that is no object holds none."""
        if self.header:
            return {**headers, self.header: value}, body
        return dict(headers), {**body, self.field: value} if isinstance(body, dict) else body


@dataclass(frozen=True)
class Credential:
    """One account's key: the environment variable that holds it, and the value that test targets take when unset.

    ``required`` credentials a run cannot do without; ``about`` says in words which account it is.
    """

    account: str
    variable: str
    test: str
    required: bool
    about: str


@dataclass(frozen=True)
class Lifecycle:
    """The operations that make, remove and read back an object.

    ``id`` is the property of create's answer that holds the object's id, as a JSON pointer, where the server hands ids
    out. What names an object then is its id, and the name that a run gives in create is only a mark to know it by.
    ``lag`` is for how many seconds after a change a reading may still show what was before. ``crossing`` are operations
    that change other objects than the one they name.
    """

    create: str
    remove: str
    read: str
    id: str = ""
    lag: float = 0.0
    affects_others: list[str] = field(default_factory=list, metadata={"key": "crossing"})

    def extract_id(self, body: Any) -> str | None:
        """The id that create's answer ``shown`` tells; None where it tells none, or the server hands none out."""
        for part in self.id.split("/")[1:]:
            body = body.get(part) if isinstance(body, dict) else None
        return body if self.id and isinstance(body, str) and body else None


@dataclass(frozen=True)
class RateConfig:
    """An account's allowance: ``requests`` in any ``seconds``; who passes it is refused for ``block`` seconds."""

    requests: int
    seconds: float
    block: float = 60.0


@dataclass(frozen=True)
class ListConfig:
    """How all objects of an account can be seen: what a dead run left is found by it.

    ``operation`` lists them. ``rows`` points at the list in its answer, ``name`` at a run's name in a row; ``id`` at what
    identifies the object where that is not its name, ``created`` at the time it was made, where a row tells it: epoch
    seconds or milliseconds, or RFC 3339. Where the vendor has pages, ``offset`` and ``limit`` point into the request, and
    ``size`` is how many rows are asked for at once. All pointers are JSON pointers.
    """

    operation: str
    rows: str
    name: str
    id: str = ""
    created: str = ""
    offset: str = ""
    limit: str = ""
    size: int = 100


@dataclass(frozen=True)
class LimitsConfig:
    """What one run on the vendor may do at most: the environment can lower it, nothing can raise it.

    ``share`` of the account's rate, ``requests`` in all, ``objects`` of its own alive at once, ``minutes`` of time.
    """

    share: float = 0.8
    requests: int = 1000
    objects: int = 15
    minutes: float = 30.0


@dataclass(frozen=True)
class Consent:
    """What an operation that changes objects besides the one it names needs on a real account.

    ``variable`` is set to 1 by who consents; ``about`` says to what. ``field`` of a listed row (a JSON pointer) has
    ``value`` where the operation has been done to it: so the former state is known, and how to restore it. ``undo`` is the
    operation that undoes it.
    """

    variable: str
    about: str
    field: str
    value: str
    undo: str


@dataclass(frozen=True)
class GrpcConfig:
    """How the vendor speaks gRPC: the full name of its ``service``, and the method of each operation."""

    service: str
    methods: dict[str, str]


@dataclass(frozen=True)
class AcceptedDocument:
    """A document of the vendor's that was taken over. ``digest`` is that of its bytes, ``replaced`` that of the one before.

    ``source`` is its file or address, ``client`` the version that the client package got with it.
    """

    date: str
    source: str
    digest: str
    replaced: str
    client: str
