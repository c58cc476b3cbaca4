"""Calls through the door of any client package, sync and async in the same words."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

import pytest

from scripts.soak.client_packages import ClientCall, ClientPackage, load_client_packages

PACKAGES = load_client_packages()
TRUST = ssl.create_default_context()
"""The usual certificates, which take 20 ms to load."""
EVERY_PACKAGE = pytest.mark.parametrize("package", PACKAGES, ids=str)
BOTH_WAYS = pytest.mark.parametrize("way", ["sync", "async"])


def get_package(slug: str) -> ClientPackage:
    """Return the package of one vendor."""
    return next(package for package in PACKAGES if package.slug == slug)


def call_once(
    package: ClientPackage, way: str, url: str, call: ClientCall, *, raw: bool = False, key: str = "", **options: Any
) -> Any:
    """Make ``call`` on a new connection and return the result; ``call_`` options go to the method."""
    return call_several(package, way, url, [call], raw=raw, key=key, **options)[0]


def call_several(
    package: ClientPackage,
    way: str,
    url: str,
    calls: Sequence[ClientCall],
    *,
    raw: bool = False,
    key: str = "",
    call_options: Any = None,
    **options: Any,
) -> list[Any]:
    """Make ``calls`` one after another on one connection and return the results."""
    module, more = package.load(), call_options or {}
    options = {"max_retries": 0, "ssl_context": TRUST, **options}
    if way == "sync":
        with module.connect(key or package.key, base_url=url, **options) as api:
            door = api.raw if raw else api
            return [getattr(door, call.method)(**call.arguments, **more) for call in calls]

    async def run() -> list[Any]:
        async with module.aconnect(key or package.key, base_url=url, **options) as api:
            door = api.raw if raw else api
            return [await getattr(door, call.method)(**call.arguments, **more) for call in calls]

    return asyncio.run(run())


def fail_once(package: ClientPackage, way: str, url: str, call: ClientCall, **options: Any) -> Any:
    """Make ``call`` as `call_once` and return the `APIError` that it raises; any other error fails the test."""
    with pytest.raises(package.load("errors").APIError) as caught:
        call_once(package, way, url, call, **options)
    return caught.value


def open_client(package: ClientPackage, url: str, **options: Any) -> Any:
    """Return an `AuthenticatedClient` for the functions of the generator."""
    return package.load("client").AuthenticatedClient(url, package.key, **{"verify_ssl": TRUST, **options})


def call_detailed(package: ClientPackage, way: str, client: Any, call: ClientCall) -> Any:
    """Make ``call`` through the generator's own function, whose result is the whole response."""
    function, arguments = prepare_detailed(package, call)
    if way == "sync":
        return function.sync_detailed(client=client, **arguments)

    async def run() -> Any:
        async with client:
            return await function.asyncio_detailed(client=client, **arguments)

    return asyncio.run(run())


def prepare_detailed(package: ClientPackage, call: ClientCall) -> tuple[Any, dict[str, Any]]:
    """Return the module of an operation below ``api``, and the arguments of its functions for ``call``."""
    path = next((package.directory / package.name / "api").glob(f"*/{call.method}.py"))
    function = package.load(f"api.{path.parent.name}.{path.stem}")
    names = function._get_kwargs.__annotations__  # noqa: SLF001 - the only list of them
    arguments = {name: value for name, value in call.arguments.items() if name in names}
    if "body" in names:
        kind = _find_model(names["body"])
        arguments["body"] = kind(**{name: value for name, value in call.arguments.items() if name not in arguments})
    return function, arguments


def _find_model(annotation: Any) -> Any:
    """Return the model in the annotation of a body, which may be optional."""
    return next((one for one in getattr(annotation, "__args__", ()) if hasattr(one, "from_dict")), annotation)
