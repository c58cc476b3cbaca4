"""Times the same call through several clients in one process: a program that runs in an environment of its own.

It reads its options as JSON from standard input and prints, for each contender, the seconds of a call in every round. The
contenders take turns in small batches, so that a busy machine slows all of them alike.
"""

import asyncio
import gc
import importlib
import inspect
import json
import pkgutil
import sys
import time
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx
import urllib3

CONCURRENT = 50
OTHER = "openapi-generator"
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
_WARM_ROUNDS = 1

Call = Callable[[], Any]
AsyncCall = Callable[[], Awaitable[Any]]


class Target:
    """The call to measure: the client's method with its arguments, and the request that it sends."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.package = importlib.import_module(options["package"])
        self.arguments = options["arguments"]
        sent: list[httpx.Request] = []

        def record(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(500)

        with self.package.connect(
            options["key"], base_url=options["base_url"], max_retries=0, transport=httpx.MockTransport(record)
        ) as api:
            try:
                getattr(api, options["method"])(**self.arguments)
            except self.package.APIError:
                self.request = sent[0]
        own = ("accept-encoding", "connection", "content-length", "host")
        self.headers = {name: value for name, value in self.request.headers.items() if name not in own}
        self.body = json.loads(self.request.content) if self.request.content else None

    @property
    def url(self) -> str:
        """The address of the request."""
        return str(self.request.url)


def list_calls(target: Target) -> Iterator[tuple[str, Call]]:
    """Yield the synchronous contenders, bare httpx first."""
    options = target.options
    bare = httpx.Client(headers=target.headers, limits=_LIMITS, timeout=30)
    yield "httpx", lambda: bare.request(target.request.method, target.url, json=target.body).json()
    api = target.package.connect(options["key"], base_url=options["base_url"])
    method = getattr(api, options["method"])
    yield "connect()", lambda: method(**target.arguments)
    function, arguments = _find_function(target, "sync")
    yield "generator's function", lambda: function(**arguments)
    pool = urllib3.PoolManager()
    content = None if target.body is None else json.dumps(target.body).encode()
    yield (
        "urllib3",
        lambda: pool.request(target.request.method, target.url, headers=target.headers, body=content).json(),
    )
    if options["other"]:
        other = _find_other(target)
        yield OTHER, lambda: other(**target.arguments)


def list_async_calls(target: Target) -> Iterator[tuple[str, AsyncCall]]:
    """Yield the asynchronous contenders, bare httpx first."""
    options = target.options
    bare = httpx.AsyncClient(headers=target.headers, limits=_LIMITS, timeout=30)

    async def call_bare() -> Any:
        return (await bare.request(target.request.method, target.url, json=target.body)).json()

    yield "httpx", call_bare
    api = target.package.aconnect(options["key"], base_url=options["base_url"])
    method = getattr(api, options["method"])
    yield "connect()", lambda: method(**target.arguments)
    function, arguments = _find_function(target, "asyncio")
    yield "generator's function", lambda: function(**arguments)


def _find_function(target: Target, name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the generator's own function for the operation, and its arguments."""
    options, package = target.options, target.package
    tags = importlib.import_module(f"{options['package']}.api").__path__
    names = [found.name for found in pkgutil.walk_packages(tags, f"{options['package']}.api.")]
    module = importlib.import_module(next(one for one in names if one.rpartition(".")[2] == options["method"]))
    function = getattr(module, name)
    arguments: dict[str, Any] = {"client": package.AuthenticatedClient(options["base_url"], options["key"])}
    parameters = inspect.signature(function).parameters
    arguments |= {one: value for one, value in target.arguments.items() if one in parameters}
    if "body" in parameters and target.body is not None:
        annotation = parameters["body"].annotation
        kinds = typing.get_args(annotation) or (annotation,)
        arguments["body"] = next(one for one in kinds if hasattr(one, "from_dict")).from_dict(target.body)
    return function, arguments


def _find_other(target: Target) -> Callable[..., Any]:
    """Return the method for the operation in the client that openapi-generator has made."""
    sys.path.insert(0, target.options["other"])
    module = importlib.import_module("openapi_client")
    client = module.ApiClient(module.Configuration(host=target.options["base_url"]))
    for name, value in target.headers.items():
        client.set_default_header(name, value)
    owners = [one for name, one in vars(module).items() if name.endswith("Api")]
    owner = next(one for one in owners if hasattr(one, target.options["method"]))
    method: Callable[..., Any] = getattr(owner(client), target.options["method"])
    return method


def measure(calls: Mapping[str, Call], rounds: int, batch: int) -> dict[str, list[float]]:
    """Return the seconds of a call in each round, by contender."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for number in range(rounds + _WARM_ROUNDS):
        gc.collect()
        for name in names[number % len(names) :] + names[: number % len(names)]:
            call = calls[name]
            start = time.perf_counter()
            for _ in range(batch):
                call()
            spent = (time.perf_counter() - start) / batch
            found[name] += [spent] if number >= _WARM_ROUNDS else []
    return found


async def measure_async(
    calls: Mapping[str, AsyncCall], rounds: int, batch: int, concurrent: int
) -> dict[str, list[float]]:
    """Return the seconds of a call in each round, by contender; ``concurrent`` calls run at a time."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for number in range(rounds + _WARM_ROUNDS):
        gc.collect()
        for name in names[number % len(names) :] + names[: number % len(names)]:
            call = calls[name]
            start = time.perf_counter()
            for _ in range(max(1, batch // concurrent)):
                await (call() if concurrent == 1 else asyncio.gather(*(call() for _ in range(concurrent))))
            spent = (time.perf_counter() - start) / (max(1, batch // concurrent) * concurrent)
            found[name] += [spent] if number >= _WARM_ROUNDS else []
    return found


async def _measure_all_async(target: Target, rounds: int, batch: int) -> dict[str, dict[str, list[float]]]:
    calls = dict(list_async_calls(target))
    return {
        "async": await measure_async(calls, rounds, batch, 1),
        "concurrent": await measure_async(calls, rounds, 10 * batch, CONCURRENT),
    }


def run(options: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Measure everything that ``options`` ask for."""
    sys.path.insert(0, options["client"])
    target = Target(options)
    rounds, batch = options["rounds"], options["batch"]
    calls = dict(list_calls(target))
    missing: dict[str, list[float]] = {}
    try:
        if OTHER in calls:
            calls[OTHER]()
    except Exception as error:  # noqa: BLE001 - whatever a foreign client raises is the reason that it has no figures
        del calls[OTHER]
        missing[f"it cannot read the response ({type(error).__name__})"] = []
    found = {"sync": measure(calls, rounds, batch)} | asyncio.run(_measure_all_async(target, rounds, batch))
    return found | ({"missing": missing} if missing else {})


def main() -> None:
    """Measure the call that standard input describes."""
    print(json.dumps(run(json.load(sys.stdin))))
