"""Variables of the environment that the tracker reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from contract_watch.addresses import is_loopback
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

DEFAULT_AUTHOR = "github-actions[bot]"
DEFAULT_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9-]{1,100}/[A-Za-z0-9._-]{1,100}")
_AUTHOR = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
_TOKEN = re.compile(r"[!-~]{1,4000}")


@dataclass(frozen=True)
class TrackerSettings:
    """The tracker's address, and the account that writes. ``token`` is never printed."""

    token: str = field(repr=False)
    repository: str
    api_url: str = DEFAULT_API
    author: str = DEFAULT_AUTHOR
    run_number: int = 0
    run_attempt: int = 0


def read_tracker_settings(environment: Mapping[str, str], author: str = "") -> TrackerSettings:
    """Read the variables that CI sets; ``author`` goes before TRACKER_AUTHOR.

    Raises:
        UsageError: a variable is missing or malformed. The message never holds the token.
    """
    token = environment.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise UsageError("GITHUB_TOKEN: is not set; give the job a token that may write issues")
    if not _TOKEN.fullmatch(token):
        raise UsageError("GITHUB_TOKEN: holds characters that no token has; store it again")
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise UsageError(f"GITHUB_REPOSITORY: must be owner/name, got {escape_text(repr(repository), 100)}; set it")
    chosen = author or environment.get("TRACKER_AUTHOR", "") or DEFAULT_AUTHOR
    if not _AUTHOR.fullmatch(chosen):
        raise UsageError(f"TRACKER_AUTHOR: must be a login, got {escape_text(repr(chosen), 100)}; set the token's own")
    return TrackerSettings(
        token=token,
        repository=repository,
        api_url=_check_address(environment.get("GITHUB_API_URL", "") or DEFAULT_API),
        author=chosen,
        run_number=_parse_count("GITHUB_RUN_NUMBER", environment),
        run_attempt=_parse_count("GITHUB_RUN_ATTEMPT", environment),
    )


def _check_address(url: str) -> str:
    problem = UsageError(
        "GITHUB_API_URL: must be an https address, or http on loopback, without user and query; correct it"
    )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise problem from error
    is_allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host, strict=True))
    if not is_allowed or not host or "@" in parts.netloc or parts.query or parts.fragment or not url.isascii():
        raise problem
    return url.rstrip("/")


def _parse_count(name: str, environment: Mapping[str, str]) -> int:
    text = environment.get(name, "")
    if text and not re.fullmatch(r"[0-9]{1,12}", text):
        raise UsageError(f"{name}: must be a whole number, got {escape_text(repr(text), 60)}; unset it outside of CI")
    return int(text or 0)
