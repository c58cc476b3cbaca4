"""The addresses that the mock listens on: by default both of loopback, on the same port."""

import errno
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from ipaddress import ip_address

from contract_watch.addresses import is_loopback
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

LOOPBACK = ("127.0.0.1", "::1")
_MAX_HOSTS = 16
_ATTEMPTS = 20
"""Attempts to find a port that is free on every host."""
_BACKLOG = 2048
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")
_NO_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ENOPROTOOPT, errno.EINVAL}
"""Errors about the address: it is not this machine's, or its version or zone is not there."""


class ReservedAddresses:
    """The addresses of a server that binds its port itself: ``port`` on each of ``hosts``, held until it starts."""

    def __init__(self, hosts: Sequence[str], port: int, variable: str) -> None:
        self.hosts, self.port, self._variable = tuple(hosts), port, variable
        self._may_choose = port == 0
        self._sockets: list[socket.socket] = []

    def reserve(self) -> None:
        """Bind the port (0: one that is free on every host); raise `UsageError` if it is in use."""
        self._sockets = open_sockets(self.hosts, self.port, self._variable)
        self.port = self._sockets[0].getsockname()[1]

    def release(self) -> Iterator[int]:
        """Give the port up for the server to bind, and yield it; another one follows if it was taken meanwhile.

        Raises:
            UsageError: No port could be bound.
        """
        for _ in range(_ATTEMPTS if self._may_choose else 1):
            if not self._sockets:
                self.reserve()
            self.close()
            yield self.port
            self.port = 0 if self._may_choose else self.port
        raise UsageError(
            f"port {self.port} on {self.hosts[0]} cannot be used for gRPC; choose another with "
            f"{_format_option(self._variable)}"
        )

    def close(self) -> None:
        """Give the port up, if it is held."""
        for bound in self._sockets:
            bound.close()
        self._sockets = []

    @property
    def contacts(self) -> list[str]:
        """The address of each host under which programs of this machine reach it."""
        return [format_address(choose_contact(host), self.port) for host in self.hosts]


def parse_hosts(options: Iterable[str]) -> tuple[str, ...]:
    """Parse the values of ``--host``, each one or several separated by commas; none means loopback.

    ``localhost`` stands for 127.0.0.1 and, where there is IPv6, ::1. An address that 0.0.0.0 or :: covers is left out.

    Raises:
        UsageError: A value is neither an IP address nor ``localhost``.
    """
    given = [word for option in options for word in _split(option)]
    found: list[str] = []
    for word in given or ["localhost"]:
        if word == "localhost":
            found += LOOPBACK if _has_ipv6_loopback() else LOOPBACK[:1]
            continue
        try:
            address = ip_address(word.strip("[]"))
        except ValueError:
            raise UsageError(f"--host must be an IP address or localhost, got {word!r}") from None
        found.append(str(getattr(address, "ipv4_mapped", None) or address))
    if len(set(found)) > _MAX_HOSTS:
        raise UsageError(f"--host: {len(set(found))} addresses; give at most {_MAX_HOSTS}")
    return _leave_out_covered(tuple(dict.fromkeys(found)))


def parse_allowed_hosts(options: Iterable[str]) -> frozenset[str]:
    """Parse the values of ``--allow-host``, exact names or addresses without a port.

    Raises:
        UsageError: A value is no name, for example because it has a wildcard.
    """
    names = set()
    for word in (word for option in options for word in _split(option)):
        name = word.strip("[]").lower()
        if not _NAME.fullmatch(name) and not _is_address(name):
            raise UsageError(
                f"--allow-host must be one exact name without scheme, port or wildcard, got {word!r}; "
                "give the name that clients use in the mock's address"
            )
        names.add(name)
    return frozenset(names)


def describe_exposure(hosts: Sequence[str]) -> str:
    """Return the warning about hosts that other machines can reach, in one line; empty if there are none."""
    exposed = [host for host in hosts if not is_loopback(host)]
    if not exposed:
        return ""
    return (
        f"warning: --host {','.join(exposed)}: reachable from other machines; the mock checks nobody's identity, and its "
        "test keys are public"
    )


def format_address(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def choose_contact(host: str) -> str:
    """Return the address under which a program of this machine reaches ``host``: loopback for all addresses."""
    address = ip_address(host)
    return LOOPBACK[address.version == 6] if address.is_unspecified else host


def list_listeners(hosts: Sequence[str], port: int) -> list[str]:
    """Return the addresses to give the gRPC library for ``port`` of ``hosts``.

    The library takes 0.0.0.0 and :: for the same: all addresses of both versions. So one of them stands for all hosts.
    """
    everywhere = [host for host in hosts if ip_address(host).is_unspecified]
    return [format_address(host, port) for host in everywhere[:1] or hosts]


def open_socket(port: int, variable: str = "PORT", host: str = LOOPBACK[0]) -> socket.socket:
    """Bind a socket to ``port`` on ``host`` (0: a free one); if it is in use, raise `UsageError` naming ``variable``."""
    try:
        return _bind(host, port)
    except (OSError, OverflowError) as error:
        raise _build_error(host, port, variable, error) from error


def open_sockets(hosts: Sequence[str], port: int, variable: str) -> list[socket.socket]:
    """Bind a socket on each of ``hosts``, all to the same ``port`` (0: one that is free on all of them).

    Raises:
        UsageError: The port is in use on one of them, or none is free on all; it names ``variable``.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        with ExitStack() as opened:
            chosen = port
            try:
                bound = []
                for host in hosts:
                    bound.append(opened.enter_context(_bind(host, chosen)))
                    chosen = bound[0].getsockname()[1]
            except (OSError, OverflowError) as error:
                is_final = port != 0 or not bound or attempt == _ATTEMPTS
                if is_final or getattr(error, "errno", None) != errno.EADDRINUSE:
                    raise _build_error(host, port, variable, error) from error
                continue
            opened.pop_all()
            return bound
    raise AssertionError("the last attempt returns or raises")


def _split(option: str) -> list[str]:
    return [word.strip() for word in option.split(",") if word.strip()]


def _bind(host: str, port: int) -> socket.socket:
    is_ipv6 = ":" in host
    # asyncio switches Nagle's algorithm off only for sockets whose protocol is given; without, each response takes 40 ms.
    bound = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_ipv6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # so that :: and 0.0.0.0 can share a port
        bound.bind((host, port))
        bound.listen(_BACKLOG)  # until one of them listens, Linux lets two sockets have the same port
    except (OSError, OverflowError):
        bound.close()
        raise
    return bound


def _build_error(host: str, port: int, variable: str, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or error
    if getattr(error, "errno", None) in _NO_ADDRESS:
        return UsageError(f"--host {_show(host)}: is no address of this machine ({reason}); choose one that it has")
    return UsageError(
        f"port {port} on {_show(host)} cannot be used ({reason}); choose another with {_format_option(variable)}"
    )


def _show(host: str) -> str:
    """Return an address for people; two colons before a letter are a command to some CI jobs, so that they are escaped."""
    return host if escape_text(host) == host else ip_address(host).exploded


def _format_option(variable: str) -> str:
    return f"--{variable.lower().replace('_', '-')} or {variable}="


def _has_ipv6_loopback() -> bool:
    try:
        _bind(LOOPBACK[1], 0).close()
    except OSError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _leave_out_covered(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the addresses of a version of which all addresses are among ``hosts``."""
    covered = {ip_address(host).version for host in hosts if ip_address(host).is_unspecified}
    return tuple(host for host in hosts if ip_address(host).is_unspecified or ip_address(host).version not in covered)
