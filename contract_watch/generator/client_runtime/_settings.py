"""Keys and addresses, checked before anything is sent."""

import base64
import ipaddress
import math
import os
import re
import ssl
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from . import _about
from ._http import Connection, find_configuration_problem
from ._secrets import Secret
from ._validation import find_missing_library
from .errors import ConfigurationError

USER_AGENT = f"{_about.DISTRIBUTION}/{_about.VERSION}"
TIMEOUT = 30.0
"""Seconds that one attempt of a call may take in all."""
CONNECT_TIMEOUT = 5.0
"""Seconds that making a connection may take."""
LONGEST_TIMEOUT = 1e9
"""A longer time-out is taken for this one: the operating system's clocks end there."""
MAX_RETRIES = 2
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = ("content-length", "transfer-encoding")
_KEY_NAME = "api_key" if _about.KEY_VARIABLE is None else f"api_key (or {_about.KEY_VARIABLE})"


class Settings:
    """Everything that a client needs to know; its representation shows the address alone."""

    __slots__ = ("connection", "headers", "key", "max_retries", "timeout", "url", "validate")

    def __init__(
        self, url: str, key: str, headers: Mapping[str, str], timeout: float, max_retries: int, validate: bool,
        connection: Connection,
    ) -> None:  # fmt: skip
        self.url = url
        self.key = Secret(key)
        own = {"Accept": "application/json", "User-Agent": USER_AGENT}
        self.headers = join_headers(own, headers)
        if _about.KEY_QUERY is None:
            self.headers[_about.KEY_HEADER] = f"{_about.KEY_PREFIX} {encode_key(key)}".strip()
        self.timeout = min(timeout, LONGEST_TIMEOUT)
        self.max_retries = max_retries
        self.validate = validate
        self.connection = connection

    def __repr__(self) -> str:
        return f"<Settings for {self.url}>"


def build_settings(
    key: Secret,
    *,
    base_url: str | None,
    region: str | None,
    instance: str | None,
    timeout: float,
    connect_timeout: float,
    max_retries: int,
    validate: bool,
    headers: Mapping[str, str] | None,
    allow_http_to: Collection[str],
    ssl_context: ssl.SSLContext | None,
    proxy: Secret,
    transport: Any,
) -> Settings | ConfigurationError:
    """Return the settings, or the error that names the first one that cannot be used."""
    problem = (
        find_key_problem(_find_key(key))
        or _find_number_problem("timeout", timeout)
        or _find_number_problem("connect_timeout", connect_timeout)
    )
    if problem is None and (isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0):
        problem = "max_retries must be 0 or more"
    problem = (
        problem
        or _find_type_problem(headers, allow_http_to, ssl_context, transport)
        or find_header_problem(headers or {})
    )
    if problem is not None:
        return ConfigurationError(problem)
    url = choose_url(base_url, region, instance, allow_http_to)
    if isinstance(url, ConfigurationError):
        return url
    connection = Connection(url, min(connect_timeout, LONGEST_TIMEOUT), ssl_context, proxy.value, transport)
    problem = find_configuration_problem(connection) or (find_missing_library() if validate else None)
    if problem is not None:
        return ConfigurationError(problem)
    return Settings(url, _find_key(key).value, headers or {}, timeout, max_retries, validate, connection)


def encode_key(key: str) -> str:
    """Return ``key`` as a request carries it."""
    return base64.b64encode(key.encode()).decode() if _about.KEY_IS_BASE64 else key


def _find_key(given: Secret) -> Secret:
    """Return the key that was given, else the one in the environment."""
    if given.value is None and _about.KEY_VARIABLE is not None:
        return Secret(os.environ.get(_about.KEY_VARIABLE))
    return given


def find_key_problem(key: Secret, name: str = _KEY_NAME) -> str | None:
    """Return the reason that ``key`` cannot be sent, None if it can; the reason does not quote it."""
    value = key.value
    if value is None:
        return f"{name} is missing; pass the key that {_about.VENDOR} gave you"
    if not isinstance(value, str):
        return f"{name} must be a string, got {type(value).__name__}"
    if not value:
        return f"{name} must not be empty"
    if not (value.isascii() and value.isprintable()) or " " in value:
        return f"{name} must be printable ASCII without spaces or line breaks; check how it was copied"
    if _about.KEY_IS_BASE64 and ":" not in value:
        return f"{name} must be user:password, with a colon between them"
    return None


def _find_number_problem(name: str, value: float) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 < value < math.inf):
        return f"{name} must be a number of seconds above 0"
    return None


def _find_type_problem(headers: Any, allow_http_to: Any, ssl_context: Any, transport: Any) -> str | None:
    if not isinstance(headers, Mapping | None):
        return f"default_headers must be a mapping, got {type(headers).__name__}"
    if not isinstance(allow_http_to, Collection) or not all(isinstance(one, str) for one in allow_http_to):
        return "allow_http_to must be a list of host names"
    if not isinstance(ssl_context, ssl.SSLContext | None):
        return f"ssl_context must be an ssl.SSLContext, got {type(ssl_context).__name__}"
    if transport is not None and not (
        hasattr(transport, "handle_request") or hasattr(transport, "handle_async_request")
    ):
        return "transport must have handle_request or handle_async_request, as httpx's transports have"
    return None


def find_header_problem(headers: Mapping[Any, Any], name: str = "default_headers") -> str | None:
    """Return the reason that ``headers``, the argument ``name``, cannot be sent, None if they can."""
    for key, value in headers.items():
        if not (isinstance(key, str) and _HEADER_NAME.fullmatch(key)):
            return f"{name} must have header names as keys"
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            return f"{name} must map names to printable ASCII strings"
        if _about.KEY_QUERY is None and key.lower() == _about.KEY_HEADER.lower():
            return f"{name} must not hold {_about.KEY_HEADER}; pass api_key"
        if key.lower() in _FRAMING:
            return f"{name} must not hold {key}, which says where the request ends"
    return None


def join_headers(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return both; a header of ``second`` replaces one of ``first``, however their names are written."""
    replaced = {name.lower() for name in second}
    return {**{name: value for name, value in first.items() if name.lower() not in replaced}, **second}


def choose_url(
    base_url: str | None, region: str | None, instance: str | None, allow_http_to: Collection[str] = ()
) -> str | ConfigurationError:
    """Return the address of the API without a slash at its end, or the error that says why there is none."""
    given = [
        name
        for name, value in (("base_url", base_url), ("region", region), ("instance", instance))
        if value is not None
    ]
    if len(given) > 1:
        return ConfigurationError(f"{' and '.join(given)} exclude each other; pass one")
    if region is not None and not (isinstance(region, str) and region in _about.REGIONS):
        return ConfigurationError(f"region must be one of {', '.join(_about.REGIONS)}")
    name, url = "base_url", base_url
    if region is not None:
        url = _about.REGIONS[region]
    elif base_url is None:
        name = "instance" if _about.BASE_URL_VARIABLE else name
        own = instance if instance is not None else os.environ.get(_about.BASE_URL_VARIABLE or "")
        if own is None and _about.BASE_URL is None:
            variable = f" or set {_about.BASE_URL_VARIABLE}" if _about.BASE_URL_VARIABLE else ""
            return ConfigurationError(
                f"{name} is missing; pass the address of your own {_about.VENDOR} instance{variable}"
            )
        url = _about.BASE_URL if own is None else _join_base_path(own)
    problem = find_url_problem(name, url, allow_http_to)
    return ConfigurationError(problem) if problem else str(url).rstrip("/")


def _join_base_path(instance: Any) -> Any:
    """Return the address of the API of an ``instance``, which may be a host alone."""
    if not isinstance(instance, str):
        return instance
    address = instance if "://" in instance else f"https://{instance}"
    return address.rstrip("/") + _about.BASE_PATH


def find_url_problem(name: str, url: Any, allow_http_to: Collection[str] | None = ()) -> str | None:
    """Return the reason that ``url`` cannot be the address of the API, None if it can; the reason quotes no secret.

    Plain http is for loopback and for the hosts in ``allow_http_to``; None allows every host.
    """
    if not isinstance(url, str):
        return f"{name} must be a string, got {type(url).__name__}"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"{name} is no valid address"
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or set(url) & set(" \\"):
        return f"{name} must begin with https:// and name a host"
    if "@" in parts.netloc:
        return f"{name} must hold no user name and no password; pass the key as api_key"
    if parts.query or parts.fragment or port == 0:
        return f"{name} must hold no query and no fragment, and port 0 is none"
    return None if allow_http_to is None else _find_plain_http_problem(name, parts, allow_http_to)


def _find_plain_http_problem(name: str, parts: SplitResult, allow_http_to: Collection[str]) -> str | None:
    host = parts.hostname or ""
    allowed = (allow_http_to,) if isinstance(allow_http_to, str) else allow_http_to
    if parts.scheme == "https" or is_loopback(host) or host in {one.lower() for one in allowed}:
        return None
    return f"{name} must use https://: plain http would show the key; allow_http_to=[{host[:100]!r}] allows it"


def is_loopback(host: str) -> bool:
    """Return True if ``host`` is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
