"""No key and no password is in a representation, an error's text, a log at DEBUG or a traceback with its variables."""

import base64
import html
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scripts.soak.client_packages import ClientCall, ClientPackage
from tests.support.clients.doors import (
    BOTH_WAYS,
    EVERY_PACKAGE,
    call_detailed,
    call_once,
    fail_once,
    open_client,
    prepare_detailed,
)
from tests.support.clients.raw_server import RawServer, cut, hang_up, keep_silent, respond, respond_html, serve_raw
from tests.support.patience import PATIENCE

PASSWORD = 'S3cret-"pass\\w\u00f6rd<17&'  # noqa: S105 - of a test
PASSWORDS = {"jetemail": "password", "smtp2go": "email_password", "zitadel": "password"}
SPELLINGS = {
    PASSWORD, json.dumps(PASSWORD)[1:-1], json.dumps(PASSWORD, ensure_ascii=False)[1:-1], html.escape(PASSWORD),
    quote(PASSWORD), base64.b64encode(PASSWORD.encode()).decode(), repr(PASSWORD)[1:-1], ascii(PASSWORD)[1:-1],
    PASSWORD.encode().hex(),
}  # fmt: skip


def _with_password(package: ClientPackage, password: Any = PASSWORD) -> ClientCall:
    call = package.create
    return ClientCall(**{**vars(call), "arguments": {**call.arguments, PASSWORDS[package.slug]: password}})


def _assert_clean(text: str, package: ClientPackage) -> None:
    assert package.key not in text
    assert [one for one in SPELLINGS if one in text] == []


@EVERY_PACKAGE
@BOTH_WAYS
def test_an_echoed_body_is_masked(package: ClientPackage, way: str, server: RawServer) -> None:
    """A server that repeats the password or the key, in any usual spelling, shows neither in the error's text."""
    call, name = _with_password(package), PASSWORDS[package.slug]
    for secret in (*(sorted(SPELLINGS) if way == "sync" else ()), PASSWORD, package.key):
        for status in (400, 200):
            for answer in (
                respond(status, {"error": f"{secret} is too short"}),
                respond(status, {"message": secret, name: secret}),
                respond(status, {"errors": [{"value": secret, "deep": {name: secret}}]}),
                respond(status, content=f"<html>{' ' * 2390}{secret}".encode(), Content_Type="text/html"),
                respond(status, content=b'{"' + secret.encode()),
            ):
                server.default = answer
                try:
                    call_once(package, way, server.url, call)
                except package.load("errors").APIError as error:
                    caught = error
                    _assert_clean(f"{caught} {caught!r} {caught.url} {caught.headers!r} {caught.message}", package)


@EVERY_PACKAGE
def test_short_and_numeric_passwords_are_masked(package: ClientPackage, server: RawServer) -> None:
    """A password of three characters is masked as a word, and a number as its digits."""
    for password, echo in (("x7y", "the password x7y is too short"), (83746512, "83746512 is no string")):
        server.default = respond(400, {"error": echo})
        error = fail_once(package, "sync", server.url, _with_password(package, password))
        assert str(password) not in str(error)
        assert "[secret]" in str(error)


@EVERY_PACKAGE
def test_extra_headers_are_masked(package: ClientPackage, server: RawServer) -> None:
    """A key that a caller adds as a header is masked in an error that repeats it."""
    server.default = respond(400, {"error": "the key another-s3cret is unknown"})
    for options in (
        {"default_headers": {"X-Other-Key": "another-s3cret"}},
        {"call_options": {"extra_headers": {"X-Other-Key": "another-s3cret"}}},
    ):
        assert "another-s3cret" not in str(fail_once(package, "sync", server.url, package.create, **options))


@EVERY_PACKAGE
@BOTH_WAYS
def test_no_log_shows_a_secret(
    package: ClientPackage, way: str, server: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    """All loggers at DEBUG, those of httpx, httpcore and asyncio among them, show the request and no secret."""
    caplog.set_level(logging.DEBUG)
    call = _with_password(package)
    for answer in (
        respond(call.status, content=call.body), respond(400, {"error": PASSWORD}), hang_up, cut(respond(200, {}), -1),
        respond_html(500),
    ):  # fmt: skip
        server.default = answer
        try:
            call_once(package, way, server.url, call)
        except package.load("errors").APIError:
            logging.getLogger("consumer").exception("the call failed")
        with open_client(package, server.url, cookies={"session": package.key}) as client:
            try:
                call_detailed(package, way, client, call)
            except package.load("errors").APIError:
                logging.getLogger("consumer").exception("the call failed")
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert {package.name, "httpcore", "consumer"} <= names
    assert call.path in caplog.text
    _assert_clean(caplog.text, package)


@EVERY_PACKAGE
def test_no_representation_shows_a_secret(package: ClientPackage, server: RawServer) -> None:
    """Bodies, responses, clients, connections and settings hide passwords and keys."""
    call, module = _with_password(package), package.load()
    _, arguments = prepare_detailed(package, call)
    arguments["body"]["new_password"] = PASSWORD
    shown = [arguments["body"], str(arguments["body"]), arguments]
    server.default = respond(
        call.status, content=call.body[:-1] + b', "smtp_password": ' + json.dumps(PASSWORD).encode() + b"}",
        Set_Cookie=f"session={package.key}", X_Api_Key=package.key,
    )  # fmt: skip
    for way in ("sync", "async"):
        response = call_once(package, way, server.url, call, raw=True)
        assert response.parsed.additional_properties["smtp_password"] == PASSWORD
        shown += [response, response.parsed, response.headers]
    for api in (module.connect(package.key, base_url=server.url), module.aconnect(package.key, base_url=server.url)):
        shown += [api, api.raw, vars(api), vars(api.raw), api._settings.key, api._settings]  # noqa: SLF001 - what a debugger shows
    client = open_client(package, server.url, headers={"X-Key": package.key}, cookies={"k": package.key})
    shown += [client, client.with_headers({"X-Other-Key": PASSWORD})]
    _assert_clean(repr(shown), package)
    assert "S3cret" not in repr(shown)


@pytest.mark.parametrize(
    "key",
    ["s3cret-key\n", "s3cret-key ", " s3cret-key", "s3cret-k\u00e9y", "s3cret-key\x7f", b"s3cret-key", ["s3cret-key"]],
)
@EVERY_PACKAGE
def test_a_bad_key_is_not_quoted(package: ClientPackage, key: Any) -> None:
    """A key with a line break is refused in one line that does not repeat it, by every way in."""
    module = package.load()
    ways: list[tuple[Any, dict[str, Any]]] = [
        (module.connect, {"api_key": key}),
        (module.aconnect, {"api_key": key}),
        (package.load("client").AuthenticatedClient, {"token": key}),
    ]
    for make, arguments in ways:
        with pytest.raises(module.errors.ConfigurationError) as caught:
            make(base_url="http://127.0.0.1", **arguments)
        assert "s3cret" not in str(caught.value)
        assert "\n" not in str(caught.value)


TRACEBACKS = """
import asyncio, signal, sys
sys.path.insert(0, {directory!r})
import {name} as module
from {name} import errors
from {name}.client import AuthenticatedClient
import {function_module} as function
import pytest

URL, SLOW = {url!r}, {slow!r}
import {inputs} as given

def test_door():
    with module.connect(given.load()["key"], base_url=URL, max_retries=0) as api:
        api.{method}(**given.load()["arguments"])

def test_door_raw_with_extras():
    with module.connect(given.load()["key"], base_url=URL, max_retries=1) as api:
        api.raw.{method}(**given.load()["arguments"], extra_body={{"note_password": given.load()["password"]}})

def test_async_door():
    async def run():
        async with module.aconnect(given.load()["key"], base_url=URL, max_retries=0) as api:
            await api.{method}(**given.load()["arguments"])
    asyncio.run(run())

def test_validation():
    with module.connect(given.load()["key"], base_url=URL, validate=True) as api:
        api.{method}(**{{**given.load()["arguments"], given.NAME: given.load()["password"] * 100}})

def test_unsendable():
    with module.connect(given.load()["key"], base_url=URL) as api:
        api.{method}(**given.load()["arguments"], extra_body={{"x": float("nan")}})

def test_wrong_type():
    with module.connect(given.load()["key"], base_url=URL) as api:
        api.{method}(**given.load()["arguments"], extra_body=7)

def test_bad_key():
    module.connect(given.load()["key"] + "\\n", base_url=URL)

def test_bad_url():
    module.connect(given.load()["key"], base_url="http://user:" + given.load()["key"] + "@127.0.0.1")

def test_bad_proxy():
    module.connect(given.load()["key"], base_url=URL, proxy="ftp://user:" + given.load()["key"] + "@127.0.0.1")

def test_bad_token():
    AuthenticatedClient(URL, given.load()["key"] + "\\n")

def test_bad_httpx_args():
    AuthenticatedClient(URL, given.load()["key"], httpx_args={{"nonsense": 1}}).get_httpx_client()

def test_sync_detailed():
    client = AuthenticatedClient(URL, given.load()["key"], raise_on_unexpected_status=True)
    function.sync(client=client, **given.build())

def test_timeout_around_a_slow_call():
    async def run():
        async with module.aconnect(given.load()["key"], base_url=SLOW) as api:
            async with asyncio.timeout(0.2):
                await api.{method}(**given.load()["arguments"])
    asyncio.run(run())

def test_alarm_in_a_slow_call():
    def ring(*_):
        raise AssertionError("too slow")
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with module.connect(given.load()["key"], base_url=SLOW) as api:
        api.{method}(**given.load()["arguments"])

def test_interruption_of_a_slow_call():
    class Stop(BaseException):
        pass
    def ring(*_):
        raise Stop("too slow")
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with AuthenticatedClient(SLOW, given.load()["key"]) as client:
        function.sync_detailed(client=client, **given.build())
"""
INPUTS = """
import json, os
from pathlib import Path
NAME = {password_name!r}

class Hidden(dict):
    def __repr__(self):
        return "hidden"

def load():
    return Hidden(json.loads(Path(os.environ["GIVEN"]).read_text(), object_hook=Hidden))

def build():
    from {function_module} import {body} as kind
    return Hidden(body=kind(**load()["arguments"]))
"""


@pytest.fixture(name="slow")
def _slow() -> Iterator[RawServer]:
    with serve_raw() as server:
        yield server


@EVERY_PACKAGE
def test_tracebacks_with_variables_show_no_secret(
    package: ClientPackage, server: RawServer, slow: RawServer, tmp_path: Path
) -> None:
    """Pytest with ``--showlocals`` and full tracebacks prints the frames of the package, and no secret."""
    call = _with_password(package)
    function, arguments = prepare_detailed(package, call)
    server.default, slow.default = respond(200, {"echo": [PASSWORD, package.key]}), keep_silent
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"key": package.key, "password": PASSWORD, "arguments": dict(call.arguments)}))
    names = {
        "directory": str(package.directory), "name": package.name, "function_module": function.__name__, "url": server.url,
        "slow": slow.url, "inputs": "given_inputs", "method": call.method, "password_name": PASSWORDS[package.slug],
        "body": type(arguments["body"]).__name__,
    }  # fmt: skip
    (tmp_path / "given_inputs.py").write_text(INPUTS.format(**names))
    (tmp_path / "test_consumer.py").write_text(TRACEBACKS.format(**names))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--showlocals", "--tb=long", "-vv", "-p", "no:cacheprovider",
         "--log-level=DEBUG", "test_consumer.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "GIVEN": str(given), "PYTHONUTF8": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    tests = TRACEBACKS.count("def test_")
    assert f"{tests} failed" in done.stdout, done.stdout[-3000:]
    assert "_connect.py" in done.stdout
    assert "prepared   = <Prepared" in done.stdout or "<Call of" in done.stdout
    _assert_clean(done.stdout + done.stderr, package)
