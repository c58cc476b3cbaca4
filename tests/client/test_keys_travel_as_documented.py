"""A client sends its key where the contract says, in a query or encoded too, and no text of it shows the key."""

import base64
import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from contract_watch.generator.outputs import generate_outputs
from tests.support.credential_forms import FORMS

pytestmark = pytest.mark.usefixtures("remembered_clients")
KEY, PAIR = "mk/c&d+e=0123456789", "made-client:mk/c&d+e=0123456789"
URL = "http://127.0.0.1:9/v1"


@pytest.fixture(name="load", scope="module")
def _load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Import the generated package of a form."""
    before = list(sys.path)

    def load(form: str) -> Any:
        if f"{form}_client" not in sys.modules:
            contract = FORMS[form].write(tmp_path_factory.mktemp(form), form)
            generate_outputs(contract, contract.output_directory)
            sys.path.insert(0, str(contract.output_directory / "client"))
        return importlib.import_module(f"{form}_client")

    yield load
    sys.path[:] = before
    for name in [name for name in sys.modules if name.partition("_client")[0] in FORMS]:
        del sys.modules[name]


def _call(package: Any, key: str, status: int = 200) -> tuple[httpx.Request, str]:
    """List the things; return the request, and every text about it: representations, error, log."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        body: dict[str, Any] = {"things": []} if status == 200 else {"message": f"No such thing at {request.url}"}
        return httpx.Response(status, json=body)

    texts = []
    with package.connect(key, base_url=URL, max_retries=0, transport=httpx.MockTransport(respond)) as api:
        texts.append(repr(api))
        try:
            texts.append(repr(api.raw.list_things()))
        except package.errors.APIError as error:
            texts += [str(error), repr(error), str(error.url)]
    return requests[0], "\n".join(texts)


@pytest.mark.parametrize("status", [200, 401])
def test_a_key_in_the_query_is_in_no_text(
    load: Callable[[str], Any], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The request has it as one parameter, encoded; representations, errors and logs at DEBUG mask it."""
    with caplog.at_level(logging.DEBUG):
        request, texts = _call(load("madequery"), KEY, status)
    assert request.url.params.get_list("api_key") == [KEY]
    assert "authorization" not in request.headers
    shown = texts + caplog.text
    assert caplog.records
    assert KEY not in shown
    assert httpx.QueryParams({"api_key": KEY})["api_key"] not in shown
    assert "mk%2Fc" not in shown
    assert "api_key=[secret]" in shown


def test_the_generators_own_client_logs_no_address_with_a_key(load: Callable[[str], Any]) -> None:
    """Httpx logs every address, so the client that is built on it refuses the key and names the way in."""
    package = load("madequery")
    with pytest.raises(package.errors.ConfigurationError, match=r"use connect\(\)") as error:
        package.AuthenticatedClient(base_url=URL, token=KEY)
    assert KEY not in str(error.value)


def test_basic_is_encoded_by_the_client(load: Callable[[str], Any]) -> None:
    """`connect` and the generator's own client take user:password; a key without a colon is refused."""
    package = load("madebasic")
    request, texts = _call(package, PAIR, 401)
    wanted = "Basic " + base64.b64encode(PAIR.encode()).decode()
    assert request.headers["authorization"] == wanted
    assert PAIR not in texts
    assert wanted.split()[1] not in texts
    made = package.AuthenticatedClient(base_url=URL, token=PAIR)
    assert made.get_httpx_client().headers["authorization"] == wanted
    with pytest.raises(package.errors.ConfigurationError, match="user:password"):
        package.connect("no-colon", base_url=URL)


def test_a_caller_passes_a_token(load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The client fetches none: it reads no client secret from the environment, and sends what it is given."""
    package = load("madetoken")
    monkeypatch.setenv("MADE_KEY", PAIR)
    with pytest.raises(package.errors.ConfigurationError, match="api_key is missing"):
        package.connect(base_url=URL)
    request, _ = _call(package, "current-token-0123")
    assert request.headers["authorization"] == "Bearer current-token-0123"
