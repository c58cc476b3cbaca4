"""Addresses of this machine. It imports no HTTP client, since the mock must start fast."""

import socket
from ipaddress import ip_address


def is_loopback(host: str, *, strict: bool = False) -> bool:
    """Return True if ``host`` is this machine.

    Names below ``.localhost`` count too, but not with ``strict``: a resolver may send them elsewhere.
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or (not strict and host.endswith(".localhost"))


def find_free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
