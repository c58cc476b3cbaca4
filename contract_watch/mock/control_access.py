"""Access to the mock's controls: for programs on this machine and under allowed names, not for web pages.

Every page that a browser shows can send requests to loopback, and a name that changes its address (DNS rebinding) lets it
read the responses. A browser names the page in ``Origin`` and the name that it used in ``Host``, so both must be local,
or a name that ``--allow-host`` gave.
"""

import re
from collections.abc import Iterator

from starlette.types import Scope

from contract_watch.addresses import is_loopback
from contract_watch.escaping import escape_text

IN_PROCESS_HOSTS = ("mock", "test", "testserver")
"""Names that tests give an application without a server; a request through a socket may not use them."""
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(.+)")
_MAX_SHOWN = 100


def find_refusal(scope: Scope) -> str:
    """Return the reason why a request may not control the mock, in one line; empty if it may."""
    hosts = list(_list_values(scope, b"host"))
    if len(hosts) > 1:
        return f"Host must be given once, got {len(hosts)} values; control the mock at http://127.0.0.1:<port>"
    for value in hosts:
        if not _may_control(value, scope):
            return (
                f"Host must be localhost or a loopback address, got {escape_text(value, _MAX_SHOWN)}; "
                "control the mock at http://127.0.0.1:<port>, or start it with --allow-host and this name"
            )
    for value in _list_values(scope, b"origin"):
        origin = _ORIGIN.fullmatch(value)
        if origin is None or not _may_control(origin[1], scope):
            return (
                f"Origin must be localhost or a loopback address, got {escape_text(value, _MAX_SHOWN)}; "
                "pages of other hosts may not control the mock"
            )
    return ""


def _list_values(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for given, value in scope["headers"] if given.lower() == name)


def _may_control(authority: str, scope: Scope) -> bool:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        return False
    host = found[1].strip("[]").lower()
    # Only the mock's own server adds this extension; without it nothing came through a socket.
    connection = scope.get("extensions", {}).get("mock.connection")
    allowed = IN_PROCESS_HOSTS if connection is None else connection.get("allowed_hosts", ())
    return is_loopback(host) or host in allowed
