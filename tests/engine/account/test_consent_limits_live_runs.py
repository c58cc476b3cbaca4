"""Consent limits a live run before it begins, and nothing raises the limits of its contract."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.engine.account.guard import LiveMode
from contract_watch.engine.account.live_settings import compute_fingerprint
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import FLAGS, RunOptions, resolve_options
from contract_watch.errors import UsageError

KEYS = {
    "JETEMAIL_API_KEY": "api_0123456789abcdef0123",
    "SMTP2GO_API_KEY": "api-0123456789",
    "ZITADEL_TOKEN": "token-0123456789",
}
OWN = "https://mails.example.com"


def make_options(environment: dict[str, str] | None = None, **raw: str) -> RunOptions:
    """Build options as the command reads them."""
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    given: dict[str, Any] = {**blank, "vendor": "jetemail", "fail_on": "breaking", **raw}
    return resolve_options(given, {**KEYS, **(environment or {})})


def test_live_is_the_vendor_s_own_server_and_reads_unless_consented(tmp_path: Path) -> None:
    """TARGET=live is the server of the document. Without LIVE a run only reads and does not explore."""
    found = make_options(target="live", out=str(tmp_path))
    assert found.addresses == {"jetemail": "https://api.jetemail.com"}
    assert found.live_settings["jetemail"].mode is LiveMode.READ
    assert not found.explore
    assert (
        make_options(target="live", live="mutate", out=str(tmp_path)).live_settings["jetemail"].mode is LiveMode.MUTATE
    )
    assert make_options(target="live", live="mutate", explore="1", out=str(tmp_path)).explore


@pytest.mark.parametrize("target", [
    "https://api.jetemail.com", "https://API.JetEmail.com.", "https://api.jetemail.com:443", "https://api.jetemail.com/other",
    "https://api.smtp2go.com", "https://eu-api.smtp2go.com", "https://api.jetemail.com:8443", "https://acme-1.eu1.zitadel.cloud",
])  # fmt: skip
def test_a_vendor_s_own_server_is_protected_whatever_target_says(target: str, tmp_path: Path) -> None:
    """No spelling of its address, and no other contract's name, bypasses the guard."""
    found = make_options(target=target, out=str(tmp_path))
    assert found.live_settings["jetemail"].mode is LiveMode.READ
    assert not found.explore


@pytest.mark.parametrize(
    "target", ["https://api。jetemail.com", "https://api．jetemail｡com", "https://api%2ejetemail.com"]
)
def test_a_spelling_that_libraries_read_differently_is_refused(target: str, tmp_path: Path) -> None:
    """Some libraries take these for the vendor's own server, some for another one."""
    with pytest.raises(UsageError, match="must name a host"):
        make_options(target=target, out=str(tmp_path))


@pytest.mark.parametrize("target", ["http://api.jetemail.com", "http://x.zitadel.cloud"])
def test_keys_do_not_go_to_a_vendor_in_the_clear(target: str, tmp_path: Path) -> None:
    """An http: address of a vendor is a usage error before anything is sent."""
    with pytest.raises(UsageError, match="use https"):
        make_options(target=target, out=str(tmp_path))


def test_a_grpc_address_of_a_vendor_s_protects_the_run_too(tmp_path: Path) -> None:
    """A test server for REST does not lift the protection if gRPC goes to the vendor."""
    found = make_options({"ZITADEL_URL": OWN}, vendor="zitadel", target="http://127.0.0.1:1", grpc_target="mails.example.com:443",
                    out=str(tmp_path))  # fmt: skip
    assert found.live_settings["zitadel"].mode is LiveMode.READ


def test_one_s_own_instance_is_named_by_its_variable(tmp_path: Path) -> None:
    """Some vendors' customers run their own servers. TARGET=live then means the URL in the vendor's variable.

    The error names the variable if it is unset. The guard protects the host if TARGET gives it as a URL, too.
    """
    own = {"ZITADEL_URL": OWN}
    assert make_options(own, vendor="zitadel", target="live", out=str(tmp_path)).addresses == {"zitadel": OWN}
    assert make_options(own, vendor="zitadel", target=OWN, out=str(tmp_path)).live_settings
    with pytest.raises(UsageError, match="ZITADEL_URL is not set"):
        make_options(vendor="zitadel", target="live", out=str(tmp_path))


def test_any_address_is_protected_where_live_is_given(tmp_path: Path) -> None:
    """With LIVE= the guard protects any server, so that anyone can verify it on one of their own."""
    target = "http://127.0.0.1:1"
    assert not make_options(target=target, out=str(tmp_path)).live_settings
    assert make_options(target=target, live="read", out=str(tmp_path)).live_settings["jetemail"].mode is LiveMode.READ
    assert (
        make_options(target=target, live="mutate", out=str(tmp_path)).live_settings["jetemail"].mode is LiveMode.MUTATE
    )


def test_a_missing_key_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    """The error is one line that names the variable."""
    with pytest.raises(UsageError, match="JETEMAIL_API_KEY is not set"):
        make_options({"JETEMAIL_API_KEY": ""}, target="live", out=str(tmp_path))


def test_the_environment_lowers_limits_and_never_raises_them(tmp_path: Path) -> None:
    """JetEmail allows 240 requests a minute; a run takes at most four fifths of them."""

    def bounds(**environment: str) -> Any:
        return (
            make_options(environment, target="live", live="mutate", out=str(tmp_path)).live_settings["jetemail"].limits
        )

    assert (bounds().rate, bounds().seconds) == (192, 60)
    assert bounds(LIVE_PER_MINUTE="30").rate == 30
    assert bounds(LIVE_REQUESTS="50").requests == 50
    assert bounds(LIVE_OBJECTS="3").objects == 3
    assert bounds(LIVE_MINUTES="0.5").minutes == 0.5
    for variable, value in (("LIVE_PER_MINUTE", "193"), ("LIVE_REQUESTS", "100000"), ("LIVE_OBJECTS", "0"), ("LIVE_MINUTES", "-1"),
                            ("LIVE_MINUTES", "nan"), ("LIVE_REQUESTS", "١٢"), ("SWEEP_CAP", "many")):  # fmt: skip
        with pytest.raises(UsageError, match=variable):
            bounds(**{variable: value})


def test_consent_to_what_changes_others_counts_only_with_live_mutate(tmp_path: Path) -> None:
    """ZITADEL's activation changes other objects, so it needs its own consent."""

    def consents(live: str, value: str) -> Any:
        environment = {"ZITADEL_URL": OWN, "ZITADEL_LIVE_ACTIVATE": value}
        found = make_options(environment, vendor="zitadel", target="live", live=live, out=str(tmp_path))
        return set(found.live_settings["zitadel"].consents)

    assert consents("mutate", "1") == {"activateSmtpConfig"}
    assert consents("mutate", "0") == consents("mutate", "") == consents("read", "1") == set()
    with pytest.raises(UsageError, match="ZITADEL_LIVE_ACTIVATE must be 0 or 1"):
        consents("mutate", "yes")


def test_the_heading_tells_who_is_asked_and_no_part_of_the_key(tmp_path: Path) -> None:
    """One line shows the vendor, the key's fingerprint, the prefix of names and the limits."""
    found = make_options({"LEDGER": str(tmp_path / "ledger")}, target="live", live="mutate", out=str(tmp_path))
    guards = LiveRun(found)
    (line,) = guards.format_headings()
    guards.finish({})
    key = KEYS["JETEMAIL_API_KEY"]
    assert line.startswith("JetEmail at https://api.jetemail.com, LIVE=mutate: key ")
    assert compute_fingerprint("jetemail", key) in line
    assert f"names {guards.names['jetemail'].run_prefix}…" in line
    assert "at most 192 requests in any 60 s, 1000 in all, 15 objects at once, 15 minutes" in line
    assert not any(key[start : start + 6] in line for start in range(len(key) - 5))


def test_one_key_has_one_fingerprint_and_others_have_others() -> None:
    """The fingerprint depends on the vendor and on the key."""
    assert compute_fingerprint("a", "key") == compute_fingerprint("a", "key")
    assert len({compute_fingerprint("a", "key"), compute_fingerprint("b", "key"), compute_fingerprint("a", "kez")}) == 3


@pytest.mark.parametrize("url", ["http://127.0.0.1", "rediss:secret-password", "nonsense"])
def test_a_bad_address_of_the_shared_allowance_is_reported_without_its_password(url: str, tmp_path: Path) -> None:
    """The usage error names the variable and omits the URL's password."""
    found = make_options({"LIMITER_REDIS_URL": url, "LEDGER": str(tmp_path)}, target="live", out=str(tmp_path))
    with pytest.raises(UsageError, match="LIMITER_REDIS_URL") as caught:
        LiveRun(found)
    assert "secret-password" not in str(caught.value)


def test_a_ledger_that_cannot_be_used_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    """The path of the ledger's directory is a file."""
    path = tmp_path / "ledger"
    path.write_text("not a folder", encoding="utf-8")
    found = make_options({"LEDGER": str(path)}, target="live", out=str(tmp_path))
    with pytest.raises(UsageError, match="ledger"):
        LiveRun(found)
