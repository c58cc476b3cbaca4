"""Nearly right keys differ from the right one in one way each, and a shell builds the same from its variable alone."""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.planning.near_keys import (
    KEY_KINDS,
    build_near_key,
    choose_kind,
    find_other_header,
    format_near_key,
    list_near_keys,
)
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import OwnName, make_request
from tests.support.credential_forms import FORMS
from tests.support.patience import PATIENCE

KEYS = [
    "api_test_paid_0123456789abcdef",
    "mk'a/c&d<e%7e+f=~0123456789",
    "sk-LIVE.Zz9_0123456789ABCDEFw",
    "$(id)`id`\"\\'!*?[a]~x",
    "c29tZSBzZWNyZXQgb2YgYmFzZTY0IQ==",
    "api-12345678-1234-abcd-1234-123456789abc",
    "short",
    "0123456789",
]
PAIRS = [f"made-client:{key}" for key in KEYS]


@pytest.mark.parametrize("kind", KEY_KINDS)
@pytest.mark.parametrize("key", KEYS + PAIRS)
def test_a_shell_builds_the_same_key(kind: str, key: str) -> None:
    """The expression gives the wrong key in a shell that has the right one, and contains none of it."""
    is_pair = key in PAIRS
    wrong = build_near_key(kind, key, is_pair=is_pair)
    listed = list_near_keys(key, is_pair=is_pair)
    expression = format_near_key(listed[wrong], "MADE_KEY", is_pair=is_pair)
    shown = subprocess.run(  # noqa: S603 (the expression under test)
        [shutil.which("sh") or "sh", "-c", f'printf %s "{expression}"'], env={**os.environ, "MADE_KEY": key},
        capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert shown.stdout.decode() == wrong
    assert key not in expression


@pytest.mark.parametrize("kind", KEY_KINDS)
@pytest.mark.parametrize("key", KEYS)
def test_every_near_key_is_wrong(kind: str, key: str) -> None:
    """No kind gives the key, nor what a decoder of base64 or a reader of UUIDs takes for it; a client's id stays."""
    wrong = build_near_key(kind, key)
    assert wrong != key
    assert wrong.rstrip("=") != key.rstrip("=")
    assert key[-36:].lower() != wrong[-36:].lower() or len(wrong) != len(key) or "-1234-" not in key
    pair = build_near_key(kind, f"made-client:{key}", is_pair=True)
    assert pair.startswith("made-client:")
    assert pair != f"made-client:{key}"


def test_the_kinds_are_those_that_they_name() -> None:
    """Each kind overlooks what its name says, and keeps the prefix that servers may read apart."""
    key = "api_Test_0123456789abcdeF"
    built = {kind: build_near_key(kind, key) for kind in KEY_KINDS}
    assert built == {
        "prolonged": f"{key}x",
        "shortened": key[:-1],
        "changed": f"{key[:-1]}6",
        "other-case": "api_tEST_0123456789ABCDEf",
        "preceded": f"x{key}",
    }


def test_a_changed_last_character_survives_no_decoder() -> None:
    """The last character of a base64 text, whatever it is, changes to one that decodes to other bytes."""
    for secret in (b"0123456789abc", b"0123456789ab", b"0123456789a"):
        for last in range(256):
            key = base64.urlsafe_b64encode(secret + bytes([last])).decode().rstrip("=")
            wrong = build_near_key("changed", key)
            decoded = base64.urlsafe_b64decode(wrong + "=" * (-len(wrong) % 4))
            assert decoded != secret + bytes([last])
            assert wrong.lower() != key.lower()


@pytest.mark.parametrize("form", FORMS)
def test_no_artefact_shows_a_near_key(tmp_path: Path, form: str) -> None:
    """A run redacts every kind of every key, plain and in the encodings that it knows, and sees one in a response."""
    contract = FORMS[form].write(tmp_path, form)
    key = contract.credentials[0].test
    secrets = RunSecrets(contract, {"main": key})
    is_pair = ":" in key
    for kind in KEY_KINDS:
        wrong = build_near_key(kind, key, is_pair=is_pair)
        for spelled in (wrong, wrong.encode().hex(), base64.b64encode(wrong.encode()).decode(), wrong.upper()):
            shown = secrets.redactor.redact_string(f"before {spelled} after")
            assert wrong[: len(wrong) // 2] not in shown
            assert spelled[3:-3] not in shown
        assert secrets.contains_secret(f"the key {wrong} is not known")


def test_kinds_take_turns(tmp_path: Path) -> None:
    """The operations of a plan get the kinds in turn, and one that changes nothing gets the key in another header."""
    contract = FORMS["madeboth"].write(tmp_path, "madeboth")
    key = contract.credentials[0].test
    planned = {probe.id: probe for probe in plan_probes(contract)}
    sent = [_read_sent_headers(contract, planned[f"credentials/{one}/wrong"].id) for one in contract.operations]
    expected = [f"Bearer {build_near_key(choose_kind(turn), key)}" for turn in range(len(sent))]
    assert [headers["authorization"] for headers in sent] == expected
    assert len(set(expected)) == min(len(expected), len(KEY_KINDS))
    assert _read_sent_headers(contract, f"credentials/{contract.lifecycle.read}/elsewhere") == {"x-api-key": key}
    assert find_other_header(contract) == ("X-Api-Key", "{}")


def _read_sent_headers(contract: Contract, probe_id: str) -> dict[str, str]:
    (step,) = next(probe.steps for probe in plan_probes(contract) if probe.id == probe_id)
    return dict(make_request(contract, step, _Values(contract)).headers)


class _Values:
    """The values of a request that is not sent."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def fill(self, word: str, modifier: str) -> str:
        """Implement `Values.fill`."""
        return OwnName("ct-name")(word, modifier)

    def get_identity(self, name: str) -> str:
        """Implement `Values.get_identity`."""
        return name

    def get_key(self, account: str) -> str:
        """Implement `Values.get_key`."""
        return next(one.test for one in self._contract.credentials if one.account == account)
