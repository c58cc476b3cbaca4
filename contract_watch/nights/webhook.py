"""The webhook: one signed POST for each night, so that a chat, a pager or a program of one's own hears of it.

docs/tracker.md documents the body (`FORMAT`) and how a receiver checks the signature.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import tenacity

from contract_watch.addresses import is_loopback
from contract_watch.engine.account.clock import Clock, SystemClock
from contract_watch.engine.account.retry_after import parse_retry_after
from contract_watch.errors import UsageError
from contract_watch.net import Deadline, create_transport, get_tls_context
from contract_watch.nights.chat_text import format_chat_text
from contract_watch.nights.news import VendorNews, collect_news, limit_causes

FORMAT = 1
ATTEMPTS = 6
TOTAL_SECONDS = 180.0
_ATTEMPT_SECONDS = 20.0
_RETRIED = (408, 425, 429)
CHOICES = ("change", "always")
_PREFIX = "X-Contract-Watch-"


@dataclass(frozen=True)
class NotifySettings:
    """The receiver. Its address may be a secret by itself, as chats' webhooks are: neither is ever printed."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    when: str = "change"


@dataclass(frozen=True)
class Notification:
    """The end of a notification: sent or not, and a line for people. A ``problem`` never changes a night's verdict."""

    is_sent: bool
    line: str
    problem: bool = False


def read_notify_settings(environment: Mapping[str, str]) -> NotifySettings | None:
    """Read NOTIFY_URL, NOTIFY_SECRET and NOTIFY_ON; None without an address.

    Raises:
        UsageError: one of them cannot be used. The message holds neither address nor secret.
    """
    url = environment.get("NOTIFY_URL", "").strip()
    if not url:
        return None
    when = environment.get("NOTIFY_ON", "") or "change"
    if when not in CHOICES:
        raise UsageError(f"NOTIFY_ON: must be change or always, got {when[:60]!r}; correct it")
    problem = UsageError("NOTIFY_URL: must be an https address, or http on loopback, without user; correct it")
    try:
        urlsplit(url)  # knows malformed hosts that httpx takes
        address = httpx.URL(url)
        is_allowed = address.scheme == "https" or (address.scheme == "http" and is_loopback(address.host, strict=True))
    except (httpx.InvalidURL, ValueError):
        raise problem from None  # its message holds the address
    if not is_allowed or not address.host or address.userinfo:
        raise problem
    return NotifySettings(url, environment.get("NOTIFY_SECRET", ""), when)


def build_payload(night: Mapping[str, Any], news: list[VendorNews]) -> dict[str, Any]:
    """Return the body. Only `text` is escaped for chats; titles are as servers wrote them."""
    return {
        "format": FORMAT,
        "event": "contract-watch.night",
        "id": compute_id(night),
        "night": night["night"],
        "finished": night["finished"],
        "run": {key: night["run"][key] for key in ("number", "attempt", "url", "commit")},
        "text": format_chat_text(news, night["night"], night["run"]["url"]),
        "vendors": [
            {
                "vendor": one.vendor,
                "name": one.name,
                "state": one.state,
                "state_before": one.before or None,
                "verdicts": one.verdicts,
                "new": limit_causes(one.new),
                "open": limit_causes(one.open),
                "gone": limit_causes(one.gone),
            }
            for one in news
        ],
    }


def compute_id(night: Mapping[str, Any]) -> str:
    """Return the id of a night's notification: the same whenever the same night is sent."""
    parts = (night["night"], night["run"]["number"], night["run"]["attempt"], night["run"]["url"], night["finished"])
    return hashlib.sha256("\0".join(map(str, parts)).encode(errors="backslashreplace")).hexdigest()[:32]


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of ``timestamp``, a full stop and ``body``: the time is signed too, against replays."""
    content = f"{timestamp}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(errors="surrogateescape"), content, hashlib.sha256).hexdigest()


def notify(night: Mapping[str, Any], settings: NotifySettings | None, clock: Clock | None = None) -> Notification:
    """Send ``night`` to the receiver, if there is one and there is news. Never raise for what happens on the network."""
    if settings is None:
        return Notification(is_sent=False, line="NOTIFY_URL is not set: nobody is notified")
    news = collect_news(night)
    if settings.when == "change" and not any(one.is_news for one in news):
        return Notification(is_sent=False, line="nothing new: nobody is notified (NOTIFY_ON=always sends every night)")
    payload = build_payload(night, news)
    body = json.dumps(payload, separators=(",", ":")).encode()
    outcome = _Delivery(settings, payload["id"], body, clock or SystemClock()).send()
    host = httpx.URL(settings.url).host
    if not outcome:
        return Notification(is_sent=True, line=f"notified {host}")
    return Notification(
        is_sent=False,
        line=f"NOTIFY_URL ({host}): {outcome}; the night is not affected, run make notify to send it again",
        problem=True,
    )


class _Delivery:
    """The attempts to send one body."""

    def __init__(self, settings: NotifySettings, name: str, body: bytes, clock: Clock) -> None:
        self._settings, self._id, self._body, self._clock = settings, name, body, clock
        self._until = clock.now() + TOTAL_SECONDS
        self._asked = 0.0

    def send(self) -> str:
        """Return the last problem; empty if the receiver took the body."""
        fallback = tenacity.wait_exponential(multiplier=1, max=30)
        wait: Callable[[tenacity.RetryCallState], float] = lambda state: max(self._asked, fallback(state))  # noqa: E731
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: outcome[1]),
            wait=wait,
            stop=lambda state: state.attempt_number >= ATTEMPTS or self._clock.now() + wait(state) > self._until,
            sleep=self._clock.wait,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else ("not sent", False),
        )
        problem, _ = retrying(self._post)
        return str(problem)

    def _post(self) -> tuple[str, bool]:
        """Send once; return the problem, empty for none, and True if another attempt may help."""
        self._asked = 0.0
        deadline = Deadline(_ATTEMPT_SECONDS)
        request = httpx.Request("POST", self._settings.url, headers=self._build_headers(), content=self._body,
                                extensions={"timeout": httpx.Timeout(_ATTEMPT_SECONDS).as_dict()})  # fmt: skip
        try:
            with create_transport(deadline, get_tls_context(self._settings.url), bounded_lookup=True) as transport:
                response = transport.handle_request(request)
                response.close()  # nobody reads the body, so its length does not matter
        except httpx.TransportError as error:
            return f"no response ({type(error).__name__})", True
        status = response.status_code
        if 200 <= status < 300:
            return "", False
        if status in _RETRIED or status >= 500:
            self._asked = parse_retry_after(response.headers.get("retry-after"), self._clock.wall(), 0.0)
            return f"status {status}", True
        return f"status {status}" + (", and redirects are not followed" if 300 <= status < 400 else ""), False

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of one attempt: the time is its own, the id that of all."""
        timestamp = int(self._clock.wall())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "contract-watch",
            f"{_PREFIX}Id": self._id,
            f"{_PREFIX}Timestamp": str(timestamp),
        }
        if self._settings.secret:
            headers[f"{_PREFIX}Signature"] = sign(self._settings.secret, timestamp, self._body)
        return headers
