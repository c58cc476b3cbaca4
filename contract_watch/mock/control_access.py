"""Access to the mock's controls: for programs on this machine, not for web pages.

Every page that a browser shows can send requests to loopback, and a name that changes its address (DNS rebinding) lets it
read the responses. A browser names the page in ``Origin`` and the name that it used in ``Host``, so both must be local.
"""

import re
from collections.abc import Iterator

from starlette.types import Scope

from contract_watch.addresses import is_loopback
from contract_watch.report.escaping import escape_text

IN_PROCESS_HOSTS = ("mock", "test", "testserver")
"""Names that tests give an application without a server; a request through a socket may not use them."""
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(.+)")
_MAX_SHOWN = 100


def find_refusal(scope: Scope) -> str:
    """Return the reason why a request may not control the mock, in one line; empty if it may."""
    for value in _list_values(scope, b"host"):
        if not _is_local(value, scope):
            return (
                f"Host must be localhost or a loopback address, got {escape_text(value, _MAX_SHOWN)}; "
                "control the mock at http://127.0.0.1:<port>"
            )
    for value in _list_values(scope, b"origin"):
        origin = _ORIGIN.fullmatch(value)
        if origin is None or not _is_local(origin[1], scope):
            return (
                f"Origin must be localhost or a loopback address, got {escape_text(value, _MAX_SHOWN)}; "
                "pages of other hosts may not control the mock"
            )
    return ""


def _list_values(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for given, value in scope["headers"] if given.lower() == name)


def _is_local(authority: str, scope: Scope) -> bool:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        return False
    host = found[1].strip("[]").lower()
    # Only the mock's own server adds this extension; without it nothing came through a socket.
    is_in_process = "mock.connection" not in scope.get("extensions", {})
    return is_loopback(host) or (is_in_process and host in IN_PROCESS_HOSTS)
