"""`connect` and `aconnect` are the same in each package: one method per operation, and plain results or errors."""

import asyncio
import inspect
import re
from typing import Any

import httpx
import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import BOTH_WAYS, EVERY_PACKAGE, call_once, fail_once, get_package
from tests.support.clients.raw_server import RawServer, respond

COMMON = {
    "api_key", "base_url", "timeout", "connect_timeout", "max_retries", "validate", "default_headers", "allow_http_to",
    "ssl_context", "proxy", "transport",
}  # fmt: skip


@EVERY_PACKAGE
def test_both_doors_have_the_same_arguments(package: ClientPackage) -> None:
    """Every argument but the key is passed by keyword; only regions and the instance's address differ."""
    module = package.load()
    first, second = (inspect.signature(getattr(module, name)).parameters for name in ("connect", "aconnect"))
    assert list(first) == list(second)
    assert set(first) - {"region", "instance"} == COMMON
    assert [one.name for one in first.values() if one.kind is not inspect.Parameter.KEYWORD_ONLY] == ["api_key"]


@EVERY_PACKAGE
def test_each_operation_is_a_method(package: ClientPackage) -> None:
    """Sync, async and raw have a method for each operation, with the same keyword arguments."""
    module = package.load()
    for name in package.calls:
        signatures = [
            list(inspect.signature(getattr(kind, name)).parameters)
            for kind in (module.Api, module.AsyncApi, module.RawApi, module.AsyncRawApi)
        ]
        assert all(one == signatures[0] for one in signatures)
        assert {"timeout", "extra_headers", "extra_body"} <= set(signatures[0])
        assert getattr(module.Api, name).__doc__
        assert inspect.iscoroutinefunction(getattr(module.AsyncApi, name))


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_method_returns_the_model(package: ClientPackage, way: str, server: RawServer) -> None:
    """Each method sends its operation and returns the model; the raw form adds status, headers and body."""
    for call in package.calls.values():
        server.default = respond(call.status, content=call.body, X_Request_Id="request-17")
        result = call_once(package, way, server.url, call)
        raw = call_once(package, way, server.url, call, raw=True)
        assert result == raw.parsed
        assert type(result).__module__.startswith(f"{package.name}.models.")
        assert (raw.status_code, raw.status, raw.content, raw.request_id) == (
            call.status,
            call.status,
            call.body,
            "request-17",
        )
        assert (raw.method, raw.url, raw.attempts, raw.error) == (
            call.verb,
            server.url + server.requests[-1].target,
            1,
            None,
        )
        assert [(one.method, one.target) for one in server.requests[-2:]] == [
            (call.verb, raw.url[len(server.url) :])
        ] * 2


@EVERY_PACKAGE
@BOTH_WAYS
def test_extra_properties_and_headers_are_sent(package: ClientPackage, way: str, server: RawServer) -> None:
    """Properties and headers that the document does not know yet can be sent."""
    call = package.create
    server.default = respond(call.status, content=call.body)
    more = {"extra_body": {"new": [1]}, "extra_headers": {"X-New": "1"}}
    call_once(package, way, server.url, call, call_options=more, default_headers={"X-Team": "mail"})
    (request,) = server.requests
    assert request.json_body["new"] == [1]
    assert (request.headers["x-new"], request.headers["x-team"]) == ("1", "mail")


def _capture(package: ClientPackage, way: str, **options: Any) -> httpx.Request:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(package.read.status, content=package.read.body)

    module, transport = package.load(), httpx.MockTransport(answer)
    if way == "sync":
        with module.connect(transport=transport, **options) as api:
            getattr(api, package.read.method)(**package.read.arguments)
    else:

        async def run() -> None:
            async with module.aconnect(transport=transport, **options) as api:
                await getattr(api, package.read.method)(**package.read.arguments)

        asyncio.run(run())
    return seen[0]


@EVERY_PACKAGE
@BOTH_WAYS
def test_server_and_key_default_to_the_contract_s(
    package: ClientPackage, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments the documented server and the key of the environment count."""
    contract = package.contract
    monkeypatch.setenv(contract.credentials[0].variable, "key-of-the-environment")
    if contract.address_variable:
        monkeypatch.setenv(contract.address_variable, "https://mail.example.com/")
    request = _capture(package, way)
    base = f"https://mail.example.com{contract.address}" if contract.address_variable else str(contract.address)
    (identity,) = package.read.arguments.values() or ("",)
    assert str(request.url) == base.rstrip("/") + re.sub(r"\{.*\}", str(identity), package.read.path)
    location = contract.credential_locations[0]
    assert request.headers[location.header] == location.form.format("key-of-the-environment")
    assert _capture(package, way, api_key="key-of-the-caller").headers[location.header].endswith("key-of-the-caller")


@BOTH_WAYS
def test_regions_and_instances_are_arguments(way: str) -> None:
    """A region is a documented server; an instance is a host or an address."""
    package = get_package("smtp2go")
    for name, url in package.contract.client.regions.items():
        assert str(_capture(package, way, api_key="k", region=name).url).startswith(url)
    assert package.contract.client.regions
    package = get_package("zitadel")
    for instance in ("mail.example.com", "https://mail.example.com", "https://mail.example.com/"):
        url = str(_capture(package, way, api_key="k", instance=instance).url)
        assert url.startswith("https://mail.example.com" + str(package.contract.address).rstrip("/") + "/")


@BOTH_WAYS
@pytest.mark.parametrize(
    ("slug", "options", "words"),
    [
        ("smtp2go", {"region": "moon"}, "region must be one of"),
        ("smtp2go", {"region": "eu", "base_url": "https://x.example"}, "base_url and region exclude each other"),
        ("smtp2go", {"region": ["eu"]}, "region must be one of"),
        ("zitadel", {}, "instance is missing"),
        ("zitadel", {"instance": ""}, "instance must"),
        ("zitadel", {"instance": 7}, "instance must be a string"),
        ("zitadel", {"instance": "http://mail.example.com"}, "instance must use https://"),
        ("zitadel", {"instance": "mail.example.com/x?y=1"}, "instance must hold no query"),
    ],
)
def test_servers_that_nobody_knows_are_refused(slug: str, options: Any, words: str, way: str) -> None:
    """A wrong region or instance is one clear error."""
    module = get_package(slug).load()
    with pytest.raises(module.errors.ConfigurationError, match=words):
        (module.connect if way == "sync" else module.aconnect)("k", **options)


@EVERY_PACKAGE
def test_the_generator_s_modules_stay_importable(package: ClientPackage) -> None:
    """The four functions of each operation are beside the door."""
    for path in (package.directory / package.name / "api").glob("*/*.py"):
        if path.stem != "__init__":
            module = package.load(f"api.{path.parent.name}.{path.stem}")
            assert all(
                callable(getattr(module, name)) for name in ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
            )
    assert package.load().AuthenticatedClient is package.load("client").AuthenticatedClient


def test_a_request_id_in_the_body_counts(server: RawServer) -> None:
    """SMTP2GO names the request in every body: errors and responses show it."""
    package = get_package("smtp2go")
    server.default = respond(400, {"request_id": "12345678-1234-4234-8234-123456789abc", "data": {}})
    error = fail_once(package, "sync", server.url, package.create)
    assert error.request_id == "12345678-1234-4234-8234-123456789abc"
    assert error.request_id in str(error)
