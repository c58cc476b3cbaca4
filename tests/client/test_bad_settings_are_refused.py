"""A key or an address that cannot be used is one message, which quotes no secret, before anything is sent."""

from typing import Any

import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import BOTH_WAYS, EVERY_PACKAGE, fail_once, get_package
from tests.support.clients.raw_server import RawServer, respond, serve_raw

SECRET = "s3cret-value"  # noqa: S105 - of a test
KEYS = {
    "": "must not be empty",
    f"{SECRET}\n": "must be printable ASCII",
    f"\ufeff{SECRET}": "must be printable ASCII",
    f"Bearer {SECRET}": "without spaces",
    f"{SECRET}\x00": "must be printable ASCII",
    b"s3cret-value": "must be a string, got bytes",
    17: "must be a string, got int",
    None: "is missing",
}
ADDRESSES: dict[Any, str] = {
    "": "must begin with https://",
    "mail.example.com": "must begin with https://",
    "//mail.example.com": "must begin with https://",
    "ftp://mail.example.com": "must begin with https://",
    "https://": "must begin with https://",
    "https://mail.example.com\n": "must begin with https://",
    "https://mail example.com": "must begin with https://",
    "https://evil.example\\.example.com": "must begin with https://",
    f"https://user:{SECRET}@mail.example.com": "must hold no user name",
    f"https://{SECRET}@mail.example.com": "must hold no user name",
    f"https://mail.example.com?key={SECRET}": "must hold no query",
    f"https://mail.example.com#{SECRET}": "must hold no query",
    "https://mail.example.com:0": "port 0",
    "https://mail.example.com:99999": "is no valid address",
    "https://[::1": "is no valid address",
    f"https://{'x' * 70}.\u00e4.example": "is no valid address",
    "http://mail.example.com": "must use https://",
    "http://127.0.0.1.example.com": "must use https://",
    "http://192.0.2.1": "must use https://",
    b"https://mail.example.com": "must be a string, got bytes",
    7: "must be a string, got int",
}
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"timeout": 0}, "timeout must be"), ({"timeout": -1}, "timeout must be"), ({"timeout": "3"}, "timeout must be"),
    ({"timeout": None}, "timeout must be"), ({"timeout": float("inf")}, "timeout must be"), ({"timeout": True}, "timeout must be"),
    ({"connect_timeout": float("nan")}, "connect_timeout must be"), ({"max_retries": -1}, "max_retries must be"),
    ({"max_retries": 1.5}, "max_retries must be"), ({"max_retries": True}, "max_retries must be"), ({"max_retries": None}, "max_retries"),
    ({"default_headers": ["X-A"]}, "default_headers must be"), ({"default_headers": "X-A: 1"}, "default_headers must be"),
    ({"default_headers": {"X-A": f"{SECRET}\r\nX-B: 1"}}, "default_headers must"), ({"default_headers": {"X A": "1"}}, "default_headers must"),
    ({"default_headers": {"X-A": None}}, "default_headers must"), ({"default_headers": {b"X-A": "1"}}, "default_headers must"),
    ({"ssl_context": False}, "ssl_context must be"), ({"ssl_context": "/tmp/ca.pem"}, "ssl_context must be"),  # noqa: S108 - a name
    ({"allow_http_to": 7}, "allow_http_to must be"), ({"allow_http_to": [7]}, "allow_http_to must be"),
    ({"allow_http_to": None}, "allow_http_to must be"),
    ({"proxy": f"ftp://user:{SECRET}@127.0.0.1"}, "proxy must be"), ({"proxy": 7}, "proxy must be"), ({"proxy": ""}, "proxy must be"),
    ({"proxy": f"socks5://user:{SECRET}@127.0.0.1:1"}, "SOCKS"), ({"transport": object()}, "transport must"),
]  # fmt: skip


def _assert_one_line(error: Any, words: str) -> None:
    assert type(error).__name__ == "ConfigurationError"
    text = str(error)
    assert words in text, (words, text)
    assert "\n" not in text
    assert SECRET not in text + repr(error)
    assert len(text) < 300


@EVERY_PACKAGE
@BOTH_WAYS
def test_bad_keys_are_refused(package: ClientPackage, way: str, server: RawServer) -> None:
    """Empty, unprintable, bytes or missing: the message names the argument and the variable."""
    module = package.load()
    connect = module.connect if way == "sync" else module.aconnect
    for key, words in KEYS.items():
        with pytest.raises(module.errors.ConfigurationError) as caught:
            connect(key, base_url=server.url)
        _assert_one_line(caught.value, words)
        assert "api_key" in str(caught.value)
        assert package.contract.credentials[0].variable in str(caught.value)
    assert server.connections == 0


@EVERY_PACKAGE
def test_bad_keys_of_the_environment_are_refused(package: ClientPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with a line break at its end is refused as an argument is."""
    module = package.load()
    for key, words in KEYS.items():
        if isinstance(key, str) and "\x00" not in key:
            monkeypatch.setenv(package.contract.credentials[0].variable, key)
            with pytest.raises(module.errors.ConfigurationError) as caught:
                module.connect(base_url="http://127.0.0.1")
            _assert_one_line(caught.value, words)


@EVERY_PACKAGE
@BOTH_WAYS
def test_bad_addresses_are_refused(package: ClientPackage, way: str) -> None:
    """Without scheme, with credentials, or plain http to a host that is not loopback."""
    module = package.load()
    connect = module.connect if way == "sync" else module.aconnect
    for address, words in ADDRESSES.items():
        with pytest.raises(module.errors.ConfigurationError) as caught:
            connect(package.key, base_url=address)
        _assert_one_line(caught.value, words)


@EVERY_PACKAGE
def test_the_generator_s_client_refuses_them_too(package: ClientPackage) -> None:
    """`AuthenticatedClient` takes plain http, as its callers choose the address, and no address with credentials."""
    module = package.load("client")
    for address, words in ADDRESSES.items():
        if words != "must use https://" and "\u00e4" not in str(address):
            with pytest.raises(package.load("errors").ConfigurationError) as caught:
                module.AuthenticatedClient(address, package.key)
            _assert_one_line(caught.value, words)
    for key in KEYS:
        with pytest.raises(package.load("errors").ConfigurationError) as caught:
            module.AuthenticatedClient("http://127.0.0.1", key)
        _assert_one_line(caught.value, "token ")


@EVERY_PACKAGE
@BOTH_WAYS
def test_other_bad_settings_are_refused(package: ClientPackage, way: str, server: RawServer) -> None:
    """Each of the other arguments is checked before anything is sent."""
    for options, words in OTHERS:
        error = fail_once(package, way, server.url, package.read, **options)
        _assert_one_line(error, words)
    assert server.connections == 0


@EVERY_PACKAGE
def test_plain_http_is_allowed_by_name(package: ClientPackage) -> None:
    """Loopback needs no permission; another host needs its name in ``allow_http_to``."""
    module = package.load()
    for address in (
        "http://localhost:1",
        "http://api.localhost",
        "http://127.1.2.3",
        "http://[::1]:8025",
        "HTTP://LOCALHOST",
    ):
        module.connect(package.key, base_url=address)
    module.connect(package.key, base_url="http://Mail.Example.com", allow_http_to=["mail.example.COM"])
    module.connect(package.key, base_url="http://mail.example.com", allow_http_to="mail.example.com")
    with pytest.raises(module.errors.ConfigurationError):
        module.connect(package.key, base_url="http://mail.example.com", allow_http_to=["example.com"])


@BOTH_WAYS
def test_missing_certificates_are_a_clear_error(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of certificates that does not exist is a `ConfigurationError` of the first call."""
    package = get_package("jetemail")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    error = fail_once(package, way, "https://127.0.0.1:1", package.read, ssl_context=None)
    _assert_one_line(error, "SSL_CERT_FILE")


@BOTH_WAYS
@pytest.mark.parametrize(("address", "words"), [("ftp://127.0.0.1", "ALL_PROXY"), ("socks5://127.0.0.1:1", "socksio")])
def test_a_bad_proxy_of_the_environment_is_named(
    address: str, words: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that nobody passed is named by its variable."""
    package = get_package("jetemail")
    monkeypatch.setenv("ALL_PROXY", address)
    _assert_one_line(fail_once(package, way, "https://127.0.0.1:1", package.read), words)


def test_a_base_address_may_have_a_path(server: RawServer) -> None:
    """Slashes at its end do not double, and paths stay."""
    package = get_package("jetemail")
    with serve_raw() as other:
        other.default = respond(package.read.status, content=package.read.body)
        for ending, target in (("", ""), ("/", ""), ("/v3", "/v3"), ("/v3//", "/v3")):
            with package.load().connect(package.key, base_url=other.url + ending) as api:
                api.list_smtp_users()
            assert other.requests[-1].target == target + package.read.path
    assert server.connections == 0
