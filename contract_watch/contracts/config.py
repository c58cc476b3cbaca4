"""The tables of ``contract.toml`` as types; fields have the names of the keys, except where ``key`` gives another."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from contract_watch.errors import UsageError


@dataclass(frozen=True)
class CredentialLocation:
    """A location of the credential in a request: a header, a query parameter, or the property ``field`` of the JSON body.

    ``form`` is the value, with ``{}`` in place of the key; ``name`` names the location in clause ids. ``encoding`` is
    ``base64`` for a key ``user:password`` that is sent encoded, as Basic wants it.
    """

    name: str
    form: str
    header: str = ""
    field: str = ""
    query: str = ""
    encoding: str = ""

    @property
    def scheme(self) -> str:
        """The form without the key, such as ``Bearer``; empty if the key stands alone."""
        return self.form.replace("{}", "").strip()

    @cached_property
    def prefix(self) -> str:
        """The part of the form before the key."""
        return self.form.partition("{}")[0]

    @cached_property
    def suffix(self) -> str:
        """The part of the form after the key."""
        return self.form.partition("{}")[2]

    @cached_property
    def key(self) -> str:
        """The name under which the headers of a request hold the value; empty for a property of the body."""
        return f"query:{self.query}" if self.query else self.header.lower()

    def encode_key(self, key: str) -> str:
        """Return a key as a request carries it, without its scheme."""
        return base64.b64encode(key.encode("utf-8", "surrogateescape")).decode() if self.encoding else key

    def decode_key(self, text: str) -> str:
        """Return the key that a request carries as ``text``; a text of another encoding is no key and stays."""
        if not self.encoding:
            return text
        try:
            return base64.b64decode(text, validate=True).decode()
        except ValueError:
            return f"not base64: {text}"

    def build_value(self, key: str) -> str:
        """Return the value for a key."""
        return self.form.format(self.encode_key(key))

    def read_key(self, value: str) -> str | None:
        """Return the key in a value; None if it has another form. Schemes are compared without case."""
        before = self.prefix
        if value[: len(before)].lower() != before.lower() or not value.endswith(self.suffix):
            return None
        return self.decode_key(value[len(before) : len(value) - len(self.suffix)])

    def insert_key(self, value: str, headers: Mapping[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """Return ``headers`` and ``body`` with ``value`` inserted; a body other than an object stays as it is."""
        if not self.field:
            return {**headers, self.key: value}, body
        return dict(headers), {**body, self.field: value} if isinstance(body, dict) else body


@dataclass(frozen=True)
class TokenConfig:
    """The endpoint that exchanges a key ``client_id:client_secret`` for an access token (RFC 6749, client credentials).

    ``path`` begins at the root of the server that keys go to. ``auth`` says how the client names itself: by ``basic``, or
    in the ``body``.
    """

    path: str
    scope: str = ""
    auth: str = "basic"


@dataclass(frozen=True)
class Credential:
    """The key of one account.

    ``variable`` is the environment variable that contains the key, ``test`` the value for the mock and loopback URLs if
    it is unset. A run needs every ``required`` credential. ``about`` describes the account in prose.
    """

    account: str
    variable: str
    test: str
    required: bool
    about: str


@dataclass(frozen=True)
class Lifecycle:
    """The operations that create, remove and read an object.

    ``id`` is a JSON pointer to the object's id in the response of create, if the server assigns ids; empty otherwise.
    Later requests then name the object by its id, and the name in create only marks it as the run's own. ``lag`` is the
    time in seconds during which a read can still return the state before a change. ``affects_others`` (the key
    ``crossing``) lists the operations that change objects other than the one they name.
    """

    create: str
    remove: str
    read: str
    id: str = ""
    lag: float = 0.0
    affects_others: list[str] = field(default_factory=list, metadata={"key": "crossing"})

    def extract_id(self, body: Any) -> str | None:
        """Return the id in the response ``body`` of create; None if it has none or the server assigns no ids."""
        for part in self.id.split("/")[1:]:
            body = body.get(part) if isinstance(body, dict) else None
        if isinstance(body, int) and not isinstance(body, bool):
            return str(body) if self.id else None
        return body if self.id and isinstance(body, str) and body else None


@dataclass(frozen=True)
class RateConfig:
    """The vendor's rate limit for an account.

    It admits ``requests`` in any window of ``seconds``; a client that exceeds it is rejected for ``block`` seconds.
    ``retry_after`` says that the vendor tells the rest of them in the header Retry-After. ``published`` is false for a limit
    that runs respect though the vendor states none.
    """

    requests: int
    seconds: float
    block: float = 60.0
    retry_after: bool = False
    published: bool = True


LINK = "header:Link"
"""The value of `ListConfig.next` for a vendor that links the next page in a header (RFC 8288)."""


@dataclass(frozen=True)
class ListConfig:
    """The operation that lists all objects of an account; the sweep finds the objects of killed runs with it.

    ``rows`` points to the array in the response (`/`: the response is the array). Within a row, ``name`` points to the name
    that a run gave, ``id`` to the object's id if that is not its name, and ``created`` to the time of its creation, if
    rows have one: epoch seconds or milliseconds, or RFC 3339. These are JSON pointers.

    For a vendor with pages, ``limit`` is the argument with the number of rows, and one of ``offset`` (rows to skip),
    ``page`` (a number, the first being ``first_page``) and ``cursor`` says where a page starts. An argument is `query:x`, or
    a JSON pointer into the request's body. In the response, ``next`` points to the cursor of the next page, ``more`` to a
    boolean that says if there is one, ``total`` to the number of all objects. ``next`` can also be `header:Link`: the
    link with the relation `next` has the start in its query. Without ``next``, a cursor is the id of the last row.
    ``default`` is the number of rows of a request without limit, by default the document's own. Every server accepts a
    limit up to ``longest`` (0: any); a greater one may be cut. A run asks for ``size`` rows at a time.
    """

    operation: str
    rows: str
    name: str
    id: str = ""
    created: str = ""
    offset: str = ""
    limit: str = ""
    size: int = 100
    page: str = ""
    first_page: int = 1
    cursor: str = ""
    next: str = ""
    more: str = ""
    total: str = ""
    default: int = 0
    longest: int = 0

    def complete(self, arguments: Mapping[str, Mapping[str, Any]]) -> "ListConfig":
        """Return the table with the document's own default; ``arguments`` are the schemas of the list's arguments."""
        default = arguments.get(self.limit, {}).get("default")
        return replace(self, default=default) if not self.default and type(default) is int and default > 0 else self

    def check(self, label: str) -> None:
        """Raise `UsageError`, which begins with ``label``, if the fields contradict each other."""
        pointers = (self.rows, self.name, self.id, self.created, self.more, self.total, self.next.replace(LINK, "/"))
        if any(pointer and pointer[0] != "/" for pointer in pointers) or not (self.rows and self.name):
            raise UsageError(
                f"{label}: `listing` must have `rows` and `name`, and pointers must be JSON pointers like /users"
            )
        starts = [name for name in ("offset", "page", "cursor") if getattr(self, name)]
        if len(starts) > 1:
            raise UsageError(
                f"{label}: `listing` must have one of `offset`, `page` and `cursor`, got {' and '.join(starts)}"
            )
        arguments = (self.limit, self.offset, self.page, self.cursor)
        if any(one and not one.startswith(("/", "query:")) for one in arguments):
            raise UsageError(
                f"{label}: `listing` must name arguments as query:limit, or as pointers into the body like /limit"
            )
        if self.offset and not self.limit:
            raise UsageError(f"{label}: `listing` must have `limit` beside `offset`")
        if self.size < 1 or self.default < 0:
            raise UsageError(f"{label}: `listing` must have a `size` above 0 and no negative `default`")


@dataclass(frozen=True)
class LimitsConfig:
    """The upper limits of one run on the vendor's server; the environment can lower them, nothing can raise them.

    ``share`` is a fraction of the account's rate limit, ``requests`` the total, ``objects`` the run's own objects that
    exist at once, ``minutes`` the duration.
    """

    share: float = 0.8
    requests: int = 1000
    objects: int = 15
    minutes: float = 30.0

    def check(self, label: str) -> None:
        """Raise `UsageError`, which begins with ``label``, if a limit is out of range."""
        if not (0 < self.share <= 1 and self.requests > 0 and self.objects > 0 and 0 < self.minutes <= 6 * 60):
            raise UsageError(
                f"{label}: `limits` is out of range; `share` must be above 0 and at most 1, "
                "`minutes` above 0 and at most 360, `requests` and `objects` above 0"
            )


@dataclass(frozen=True)
class ClientConfig:
    """The configuration of the generated client.

    ``regions`` maps the names of the vendor's regions to addresses. ``request_id`` is the property of every response body
    that identifies the request. ``repeatable`` lists operations that are safe to repeat although they change something.
    """

    regions: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    repeatable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Consent:
    """The consent that an operation of `Lifecycle.affects_others` needs on a real account.

    The user consents by setting ``variable`` to 1; ``about`` describes the effect. The operation is in effect on the
    listed rows whose ``field`` (a JSON pointer) equals ``value``, so a run knows the former state and can restore it.
    ``undo`` is the operation that reverses it.
    """

    variable: str
    about: str
    field: str
    value: str
    undo: str


@dataclass(frozen=True)
class GrpcConfig:
    """The vendor's gRPC service: its full name, and the method of each operation id."""

    service: str
    methods: dict[str, str]


@dataclass(frozen=True)
class AcceptedDocument:
    """A published document that was accepted after the first one.

    ``digest`` is the digest of its bytes, ``replaced`` that of the document before. ``source`` is its file or URL,
    ``client`` the version that the client package got with it.
    """

    date: str
    source: str
    digest: str
    replaced: str
    client: str
