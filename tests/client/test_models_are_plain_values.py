"""Models are built by keyword, compared, copied and pickled; only what a caller sets is sent."""

import copy
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import attrs
import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import (
    BOTH_WAYS,
    EVERY_PACKAGE,
    call_once,
    get_package,
    open_client,
    prepare_detailed,
)
from tests.support.clients.raw_server import RawServer, respond


def _list_models(package: ClientPackage) -> Iterator[Any]:
    models = package.load("models")
    for info in pkgutil.iter_modules(models.__path__):
        module = importlib.import_module(f"{models.__name__}.{info.name}")
        yield from (one for one in vars(module).values() if attrs.has(one) and one.__module__ == module.__name__)


@EVERY_PACKAGE
def test_no_model_takes_a_field_by_position(package: ClientPackage) -> None:
    """A property that the vendor inserts, or two that change places, moves no argument."""
    models = list(_list_models(package))
    assert len(models) >= 8
    for model in models:
        kinds = {one.kind for one in inspect.signature(model.__init__).parameters.values()} - {
            inspect.Parameter.POSITIONAL_OR_KEYWORD
        }
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY}
        assert list(inspect.signature(model.__init__).parameters)[1:] == [field.name for field in attrs.fields(model)]
        with pytest.raises(TypeError):
            model("positional")


@EVERY_PACKAGE
@BOTH_WAYS
def test_only_what_is_set_is_sent(package: ClientPackage, way: str, server: RawServer) -> None:
    """No default of the document enters a body: an update changes what its caller names."""
    for call in package.calls.values():
        server.requests.clear()
        server.default = respond(call.status, content=call.body)
        call_once(package, way, server.url, call)
        content = server.requests[0].content
        sent = server.requests[0].json_body if content else {}
        names = {name.lower().replace("_", "") for name in sent}
        assert names <= {name.lower().replace("_", "") for name in call.arguments}, call.method
        assert len(sent) == sum(1 for name in call.arguments if f"{{{name}}}" not in call.path), call.method


@EVERY_PACKAGE
def test_bodies_survive_copies_and_pickles(package: ClientPackage, server: RawServer) -> None:
    """A deep-copied or pickled body is sent as the original: an unset field stays unset."""
    for call in package.calls.values():
        function, arguments = prepare_detailed(package, call)
        if "body" not in arguments:
            continue
        body = arguments["body"]
        server.default = respond(call.status, content=call.body)
        server.requests.clear()
        pickled = pickle.loads(pickle.dumps(body))  # noqa: S301 - our own
        for one in (body, copy.copy(body), copy.deepcopy(body), pickled, attrs.evolve(body)):
            assert one == body
            with open_client(package, server.url) as client:
                function.sync_detailed(client=client, **{**arguments, "body": one})
        assert len({request.content for request in server.requests}) == 1


@EVERY_PACKAGE
def test_there_is_one_unset_value(package: ClientPackage) -> None:
    """Copies and pickles of `UNSET` are `UNSET` itself."""
    unset = package.load().UNSET
    copies = [copy.copy(unset), copy.deepcopy([unset])[0], *(pickle.loads(pickle.dumps(unset, n)) for n in range(6))]  # noqa: S301
    assert all(one is unset for one in copies)
    assert not unset


@EVERY_PACKAGE
def test_evolved_models_keep_undocumented_properties(package: ClientPackage) -> None:
    """`attrs.evolve` and a round trip through JSON lose nothing that the vendor sent, and share nothing."""
    models = {model.__name__: model for model in _list_models(package)}
    model = models["ApiError"]
    examples: dict[str, dict[str, Any]] = {
        "jetemail": {"success": False, "error": "x"},
        "smtp2go": {"request_id": "12345678-1234-4234-8234-123456789abc", "data": {"error": "x", "error_code": "y"}},
        "zitadel": {"code": 3, "message": "x", "details": []},
    }
    required = examples[package.slug]
    value = model.from_dict({**required, "undocumented": [1]})
    evolved = attrs.evolve(value)
    assert evolved.to_dict() == value.to_dict() == {**required, "undocumented": [1]}
    evolved["another"] = 2
    assert "another" not in value


def _call_in_child(arguments: tuple[str, str]) -> None:
    slug, url = arguments
    package = get_package(slug)
    call_once(package, "sync", url, package.create)


def test_errors_cross_a_process_pool(server: RawServer) -> None:
    """An error that a worker raises arrives in the parent, and the pool lives on."""
    errors = {slug: get_package(slug).load("errors").APIStatusError for slug in ("jetemail", "smtp2go", "zitadel")}
    server.default = respond(520, {"error": "no"})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        for slug, kind in errors.items():
            for _ in range(2):
                error = pool.submit(_call_in_child, (slug, server.url)).exception()
                assert isinstance(error, kind)
                assert error.body == {"error": "no"}


@pytest.mark.parametrize("slug", ["jetemail", "smtp2go"])
def test_unexpected_statuses_are_pickled(slug: str, server: RawServer) -> None:
    """`UnexpectedStatus` of the generator's functions survives a pickle with its status and body."""
    package = get_package(slug)
    server.default = respond(520, {"x": 1})
    function, arguments = prepare_detailed(package, package.create)
    kind = package.load("errors").UnexpectedStatus
    client = open_client(package, server.url, raise_on_unexpected_status=True)
    with client, pytest.raises(kind) as caught:
        function.sync_detailed(client=client, **arguments)
    copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (copied.status, copied.status_code, copied.content, str(copied)) == (
        520,
        520,
        b'{"x": 1}',
        str(caught.value),
    )


@EVERY_PACKAGE
@BOTH_WAYS
def test_responses_are_pickled(package: ClientPackage, way: str, server: RawServer) -> None:
    """A response of `api.raw` and its parsed body survive copies and pickles."""
    server.default = respond(package.read.status, content=package.read.body, X_Request_Id="17")
    response = call_once(package, way, server.url, package.read, raw=True)
    copied = pickle.loads(pickle.dumps(response))  # noqa: S301 - our own
    assert copied == response == copy.deepcopy(response)
    assert copied.parsed == response.parsed
    assert (copied.headers["x-request-id"], copied.request_id) == ("17", response.request_id)


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
@EVERY_PACKAGE
def test_connections_refuse_to_be_copied(package: ClientPackage, copier: Any) -> None:
    """A connection holds a key: copying or pickling it is one clear error."""
    module = package.load()
    for one in (
        module.connect(package.key, base_url="http://127.0.0.1"),
        module.aconnect(package.key, base_url="http://127.0.0.1"),
        open_client(package, "http://127.0.0.1"),
    ):
        with pytest.raises(TypeError, match="holds connections and a key"):
            copier(one)
