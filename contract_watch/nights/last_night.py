"""The age of the last night, from its ``night.json`` on disk or at an address: the check that notices missing nights."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_watch.addresses import is_loopback
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.net import BodyTooLargeError, Deadline, create_transport, get_tls_context, read_body
from contract_watch.nights.night_file import FILE_NAME, parse_night, read_night

_TOTAL_SECONDS = 60.0
_STEP_SECONDS = 15.0
_MAX_BYTES = 64_000_000
_MAX_FUTURE_HOURS = 1.0
"""Clocks of two machines differ; a night that ended later than this is no night."""


def load_last_night(out: Path, url: str) -> dict[str, Any]:
    """Return the night at ``url``, or in the directory ``out`` if there is no address.

    Raises:
        InconclusiveError: the file cannot be read, or the address does not return one.
        UsageError: the address is malformed, or is not https.
    """
    if url:
        content, name = _fetch(_parse_address(url)), f"--url ({httpx.URL(url).host})"
    try:
        return parse_night(content, name) if url else read_night(out / FILE_NAME)
    except UsageError as error:
        raise InconclusiveError(str(error)) from error


def judge_age(night: Mapping[str, Any], max_hours: float, now: dt.datetime) -> tuple[bool, str]:
    """Return True and a line with the age if the night is recent and checked something; False and the problem if not.

    Raises:
        InconclusiveError: the night ended in the future, or at no time.
    """
    try:
        hours = (now - dt.datetime.fromisoformat(night["finished"])).total_seconds() / 3600
    except ValueError as error:
        raise InconclusiveError(
            f"the last night ended at no time, {night['finished']}; run make nightly again"
        ) from error
    if hours < -_MAX_FUTURE_HOURS:
        raise InconclusiveError(f"the last night ended {-hours:.1f} hours from now; correct the clock of one machine")
    ended = f"the last night ended {max(hours, 0):.1f} hours ago, at {night['finished']}"
    if hours > max_hours:
        return (
            False,
            f"{ended}; at most {max_hours:g} are expected: look at the scheduler and at the last night's output",
        )
    if all(axis["verdict"] is None for vendor in night["vendors"] for axis in vendor["axes"].values()):
        return False, f"{ended}, and checked nothing; look at its output"
    return True, ended


def _parse_address(url: str) -> httpx.URL:
    """Return the address; errors do not name it, since it may be a secret."""
    problem = UsageError("--url: must be an https address, or http on loopback, without user; correct it")
    try:
        urlsplit(url)  # knows malformed hosts that httpx takes
        address = httpx.URL(url)
        is_local = is_loopback(address.host, strict=True)  # httpx decodes the host here, which may fail
    except (httpx.InvalidURL, ValueError):
        raise problem from None
    if (
        not (address.scheme == "https" or (address.scheme == "http" and is_local))
        or not address.host
        or address.userinfo
    ):
        raise problem
    return address


def _fetch(address: httpx.URL) -> bytes:
    name = f"--url ({address.host})"
    request = httpx.Request("GET", address, headers={"User-Agent": "contract-watch", "Accept-Encoding": "gzip"},
                            extensions={"timeout": httpx.Timeout(_STEP_SECONDS).as_dict()})  # fmt: skip
    deadline = Deadline(_TOTAL_SECONDS)
    try:
        with create_transport(deadline, get_tls_context(address), bounded_lookup=True) as transport:
            response = transport.handle_request(request)
            try:
                if response.status_code != 200:
                    raise InconclusiveError(
                        f"{name}: has status {response.status_code}, not 200; give the address of {FILE_NAME}"
                    )
                assert isinstance(response.stream, httpx.SyncByteStream)
                return read_body(response.stream, response.headers.get("content-encoding", ""), _MAX_BYTES)
            finally:
                response.close()
    except httpx.TransportError as error:
        raise InconclusiveError(f"{name}: no complete response ({type(error).__name__}); look at the server") from error
    except (BodyTooLargeError, httpx.DecodingError) as error:
        raise InconclusiveError(f"{name}: the response is no {FILE_NAME}; correct the address") from error
