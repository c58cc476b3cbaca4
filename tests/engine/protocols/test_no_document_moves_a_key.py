"""TARGET=live sends keys to the pinned address, whatever servers the documents name."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.engine.command.live_runs import list_missing_variables
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.targets import find_vendor, get_origin, join_base_path, resolve_address
from contract_watch.engine.protocols.wire import RestProtocol, TransportError, Wire
from contract_watch.errors import UsageError
from contract_watch.generator.client_facts import build_facts
from tests.support.loopback_server import LoopbackResponse, serve_app

PINNED = "https://api.jetemail.com"
EVIL = "https://evil.example"
Edit = Callable[[dict[str, Any]], Any]


def _set_servers(*servers: Any) -> Edit:
    return lambda document: document.update(servers=list(servers))


def _set_of_operations(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        item["servers"] = [{"url": EVIL}]
        for spec in item.values():
            if isinstance(spec, dict):
                spec["servers"] = [{"url": EVIL}]


SERVERS: dict[str, Edit] = {
    "moved": _set_servers({"url": EVIL}),
    "reordered": _set_servers({"url": EVIL}, {"url": PINNED}),
    "added": _set_servers({"url": PINNED}, {"url": EVIL}),
    "path": _set_servers({"url": f"{PINNED}/evil"}),
    "plain": _set_servers({"url": "http://api.jetemail.com"}),
    "port": _set_servers({"url": f"{PINNED}:8443"}),
    "user": _set_servers({"url": f"{PINNED}@evil.example"}),
    "variable": _set_servers(
        {"url": "https://{host}", "variables": {"host": {"default": "evil.example", "enum": ["a.b"]}}}
    ),
    "relative": _set_servers({"url": "/evil"}),
    "relative-host": _set_servers({"url": "//evil.example/v1"}),
    "relative-user": _set_servers({"url": "@evil.example/v1"}),
    "unreadable": _set_servers({"url": "https://[evil"}),
    "no-list": lambda document: document.update(servers={"url": EVIL}),
    "no-object": _set_servers(EVIL, None, 3),
    "none": _set_servers(),
    "of-operations": _set_of_operations,
}


@pytest.fixture(name="edit", params=list(SERVERS))
def _edit(request: pytest.FixtureRequest) -> Edit:
    return SERVERS[request.param]


def _edit_published(root: Path, edit: Edit) -> None:
    document = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    edit(document)
    (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")


def test_no_published_document_changes_the_address(root: Path, edit: Edit) -> None:
    """Whatever servers a published document names, at any level, the address and the client's README stay."""
    _edit_published(root, edit)
    contract = Contract("jetemail", root)
    assert resolve_address(contract, "live", {}) == PINNED
    assert build_facts(contract)["url"] == f'"{PINNED}"'


def test_no_overlay_changes_the_address(root: Path) -> None:
    """The overlay may name servers, which are not asked."""
    path = root / "contracts/jetemail/overlay.yaml"
    action = f"\n  - target: $.servers\n    description: Test.\n    remove: true\n  - target: $\n    description: Test.\n    update: {{servers: [{{url: {EVIL}}}]}}\n"  # fmt: skip
    path.write_text(path.read_text(encoding="utf-8").rstrip() + action, encoding="utf-8")
    contract = Contract("jetemail", root)
    assert contract.effective.raw["servers"] == [{"url": EVIL}]
    assert resolve_address(contract, "live", {}) == PINNED


def test_no_document_changes_the_address_of_ones_own_instance(tmp_path: Path) -> None:
    """The customer's variable names the server, and the contract the path below it; a document decides neither."""
    source = ROOT / "contracts" / "zitadel"
    directory = tmp_path / "contracts" / "zitadel"
    directory.mkdir(parents=True)
    for name in ("contract.toml", "overlay.yaml"):
        (directory / name).write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")
    document = json.loads((source / "published.json").read_text(encoding="utf-8"))
    for url in (EVIL, "@evil.example/v1", "/evil"):
        (directory / "published.json").write_text(json.dumps({**document, "servers": [{"url": url}]}), encoding="utf-8")
        contract = Contract("zitadel", tmp_path)
        own = {"ZITADEL_URL": "https://mails.example.com", "ZITADEL_TOKEN": "x"}
        assert resolve_address(contract, "live", own) == "https://mails.example.com"
        assert "ZITADEL_URL" in list_missing_variables(contract, {"ZITADEL_TOKEN": "x"})
        with pytest.raises(UsageError, match="ZITADEL_URL is not set"):
            resolve_address(contract, "live", {})


def test_no_base_path_becomes_a_part_of_the_host(root: Path, edit: Edit) -> None:
    """On any other target too, a document's base path stays a path: `@evil.example` is no host."""
    _edit_published(root, edit)
    base = join_base_path(Contract("jetemail", root), "http://127.0.0.1:8025")
    assert get_origin(base) == "http://127.0.0.1:8025"


def test_no_path_of_a_document_becomes_a_host() -> None:
    """A path such as `@evil.example/x` makes another host of the address: the connection refuses to go there."""
    with (
        serve_app(lambda _request: LoopbackResponse(200, {})) as evil,
        serve_app(lambda _request: LoopbackResponse(200, {})) as at,
    ):
        wire = Wire(at.url)
        for path in (f"@127.0.0.1:{evil.server_port}/x", f"0@127.0.0.1:{evil.server_port}/x"):
            with pytest.raises((TransportError, ValueError)) as caught:
                RestProtocol(at.url, wire, {}).send(EncodedRequest("GET", at.url + path, {"authorization": "key"}, b""))
            assert getattr(caught.value, "kind", "elsewhere") == "elsewhere"
        wire.close()
        assert (evil.requests, at.requests) == ([], [])


def test_every_contract_pins_its_address() -> None:
    """Each pin is an https URL or, below a customer's own server, a path; the vendor's host counts as live."""
    for contract in load_contracts().values():
        assert contract.address is not None
        if not contract.address_variable:
            assert contract.address.startswith("https://")
            assert find_vendor(contract.address, {}) == contract.slug


def test_the_pinned_host_is_guarded_whatever_the_document_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that no longer names the vendor's server does not lift the guard of runs on it."""
    _edit_published(root, SERVERS["moved"])
    contract = Contract("jetemail", root)
    monkeypatch.setattr("contract_watch.engine.protocols.targets.choose_contracts", lambda _vendor: [contract])
    assert find_vendor(PINNED, {}) == "jetemail"
    assert find_vendor(EVIL, {}) == "jetemail", "what the document names is guarded too"
    with pytest.raises(UsageError, match="use https"):
        resolve_address(contract, "http://api.jetemail.com", {})


def test_a_document_on_loopback_does_not_block_local_runs(root: Path) -> None:
    """Documents of frameworks name a server for developers, on which no account is to be guarded."""
    _edit_published(root, _set_servers({"url": "http://localhost:8080"}, {"url": "http://127.0.0.1"}))
    assert Contract("jetemail", root).hosts == frozenset()


@pytest.mark.parametrize(
    ("server", "hosts"),
    [
        ({"url": "https://{a}.b.example", "variables": {"a": {"default": "x", "enum": ["x", "Y"]}}}, {"x.b.example", "y.b.example"}),
        ({"url": "https://{a}.b.example", "variables": {"a": {"default": "x"}}}, {"x.b.example"}),
        ({"url": "https://{a}.b.example"}, set()),
        ({"url": "https://{a}{b}.c", "variables": {n: {"enum": list(range(100))} for n in "ab"}}, set()),
        ({"url": EVIL, "variables": 3}, {"evil.example"}),
    ],
)  # fmt: skip
def test_variables_name_hosts_too(root: Path, server: Any, hosts: set[str]) -> None:
    """Each value of a variable, its default included, is a host of the vendor's; a flood of values is none."""
    _edit_published(root, _set_servers(server))
    assert Contract("jetemail", root).hosts == hosts


def _set_address(root: Path, line: str) -> Contract:
    file = root / "contracts" / "jetemail" / "contract.toml"
    text, count = re.subn(r"address = .*\n", lambda _match: line, file.read_text(encoding="utf-8"), count=1)
    assert count == 1
    file.write_text(text, encoding="utf-8")
    return Contract("jetemail", root)


def test_without_a_pin_nothing_goes_to_a_live_server(root: Path) -> None:
    """TARGET=live needs the pin; other targets do not."""
    contract = _set_address(root, "")
    with pytest.raises(UsageError) as caught:
        resolve_address(contract, "live", {})
    assert str(caught.value) == (
        f"{contract.config_file}: `address` is missing; add the URL that --target live sends keys to"
    )
    assert resolve_address(contract, "http://127.0.0.1:1", {}) == "http://127.0.0.1:1"


@pytest.mark.parametrize("value", [
    '"http://api.jetemail.com"', '"api.jetemail.com"', '""', '"/v1"', "3", '"https://user@api.jetemail.com"',
    '"https://api.jetemail.com?x=1"', '"https://api.jetemail.com#x"', '"https://{region}.jetemail.com"', '"https://API.jetemail.com"',
    '"https://api.jetemail.com//evil.example"', '"https://api.jetemail.com/ "', '"https://api。jetemail.com"', '"https://api.jetemail.com\\n"',
    '"https://"', '["https://api.jetemail.com"]',
])  # fmt: skip
def test_a_pin_is_one_plain_address(root: Path, value: str) -> None:
    """Anything but an https URL of a host and perhaps a path is refused, in one line."""
    contract = _set_address(root, f"address = {value}\n")
    with pytest.raises(UsageError, match="`address` must be an https URL such as") as caught:
        resolve_address(contract, "live", {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["https://api.jetemail.com", "v1", "//evil.example", "/v1?x", "@evil.example", ""])
def test_a_pin_below_ones_own_server_is_a_path(root: Path, value: str) -> None:
    """A contract whose variable names the server cannot name another."""
    contract = _set_address(root, f'address_variable = "JETEMAIL_URL"\naddress = "{value}"\n')
    if not value:
        assert resolve_address(contract, "live", {"JETEMAIL_URL": "https://own.example"}) == "https://own.example"
        return
    with pytest.raises(UsageError, match="`address` must be a path such as"):
        resolve_address(contract, "live", {"JETEMAIL_URL": "https://own.example"})


def test_a_path_is_joined_with_ones_own_server(root: Path) -> None:
    """The path applies unless the variable has one of its own."""
    contract = _set_address(root, 'address_variable = "JETEMAIL_URL"\naddress = "/v1/"\n')
    for own, expected in (
        ("https://own.example", "https://own.example/v1"),
        ("https://own.example/x/", "https://own.example/x"),
    ):
        assert resolve_address(contract, "live", {"JETEMAIL_URL": own}) == expected
