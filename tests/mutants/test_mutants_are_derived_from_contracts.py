"""Mutants are derived from a contract alone, of every promised kind, with stable ids."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.errors import UsageError
from contract_watch.mutants.derivation import MutantConfig, derive_mutants, sample_evenly, select_mutants
from contract_watch.mutants.mutant import FAMILIES
from tests.support.mutant_lists import list_mutants

CREATE, UPDATE, DELETE, LIST = "createSmtpUser", "updateSmtpUser", "deleteSmtpUser", "listSmtpUsers"
_HASH = """
import hashlib
from contract_watch.contracts.registry import choose_contracts
from contract_watch.mutants.derivation import derive_mutants
ids = chr(10).join(mutant.id for mutant in derive_mutants(choose_contracts("jetemail")[0]))
print(hashlib.sha256(ids.encode()).hexdigest())
"""


@pytest.fixture(name="ids", scope="module")
def _ids() -> set[str]:
    return {mutant.id for mutant in list_mutants("jetemail")}


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_ids_are_the_same_in_every_process(hash_seed: str) -> None:
    """An id names the same mutant in every run, whatever Python's hash seed."""
    mine = "\n".join(mutant.id for mutant in list_mutants("jetemail"))
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _HASH]
    process = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 (our own)
    assert process.stdout.strip() == hashlib.sha256(mine.encode()).hexdigest()


def test_every_documented_status_is_replaced_by_every_other_and_by_undocumented_ones(
    jetemail: Contract, ids: set[str]
) -> None:
    """The replacements include 200, 500 and one undocumented status of the same class."""
    for operation in jetemail.operations.values():
        for status in operation.responses:
            found = {int(name.rsplit("/", 1)[1]) for name in ids if name.startswith(f"status/{operation.id}/{status}/")}
            assert found >= ({*operation.responses, 200, 500} - {status})
            strange = found - {*operation.responses, 200, 500}
            assert len(strange) == 1
            assert strange.pop() // 100 == status // 100


@pytest.mark.parametrize(
    "name",
    [
        f"body/{CREATE}/200/password/missing",
        f"body/{CREATE}/200/password/constant",
        f"body/{CREATE}/200/password-always",
        f"body/{CREATE}/200/undocumented",
        f"body/{CREATE}/200/undocumented-secret",
        f"body/{CREATE}/200/success/flipped",
        f"body/{DELETE}/404/problem",
        f"body/{DELETE}/404/empty-object",
        f"body/{DELETE}/404/array",
        *(f"body/{LIST}/200/smarthosts/*/quota/{what}" for what in (
            "missing", "null", "type-boolean", "type-string", "type-array", "type-object", "renamed", "emptied", "wrapped")),
        f"body/{LIST}/200/smarthosts/undocumented",
        *(f"media/{UPDATE}/400/{what}" for what in ("html", "text", "problem", "none", "cut", "empty")),
        *(f"requests/{CREATE}/username/{keyword}-{what}" for keyword in ("minLength", "maxLength")
          for what in ("tighter", "looser", "crash")),
        f"requests/{CREATE}/approvedDomains/maxItems-looser",
        f"requests/{CREATE}/quota/minimum-tighter",
        f"requests/{CREATE}/quota/coerced-string",
        f"requests/{CREATE}/ipRestrictions/pattern-looser-no-end/items",
        f"requests/{UPDATE}/status/refused-quota-locked",
        f"requests/{UPDATE}/status/enum-added-disabled",
        f"requests/{UPDATE}/quota/required",
        f"requests/{UPDATE}/quota/refused",
        f"requests/{UPDATE}/quota/renamed",
        f"requests/{DELETE}/username/optional",
        *(f"credentials/{where}/{what}" for where in (LIST, "all")
          for what in ("not-needed", "any-value", "any-scheme", "no-scheme")),
        *(f"credentials/all/{what}" for what in ("beginning", "last-left-out", "any-case", "other-header")),
        f"credentials/{UPDATE}/other-account",
        *(f"state/{CREATE}/{what}" for what in ("lost", "late", "again", "doubled", "lost/quota", "done/409", "replaced")),
        *(f"state/{DELETE}/{what}" for what in ("misplaced", "never-freed", "off/name-unknown")),
        f"state/{UPDATE}/off/flags-exclusive",
        f"methods/{LIST}/removed-404",
        "methods/outbound/smarthost/PUT",
    ],
)  # fmt: skip
def test_the_registry_holds(ids: set[str], name: str) -> None:
    """Every kind of drift has a mutant with a stable id; the parameters have one of each kind."""
    assert name in ids


def test_every_rule_and_every_optional_property_has_its_mutant(jetemail: Contract, ids: set[str]) -> None:
    """Each rule of the model has a mutant without it, and so has each property's effect."""
    rules = [rule.split("/") for rule in jetemail.model.rules if "/rule/" in rule]
    assert [
        f"state/{operation}/off/{name}" for operation, _, name in rules if f"state/{operation}/off/{name}" not in ids
    ] == []
    effects = [rule.split("/") for rule in jetemail.model.rules if "/effect/" in rule]
    lost = {tuple(name.split("/")[1:]) for name in ids if "/lost/" in name}
    whole = ("removed", "username", "untouched", "refused")
    assert [e for e in effects if e[2] not in whole and (e[0], "lost", e[2]) not in lost] == []


def test_a_contract_of_another_shape_has_mutants_too(root: Path) -> None:
    """No mutant depends on one vendor's names.

    A document with other statuses and properties has mutants for its new parts and none for the removed ones.
    """
    document = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    post = document["paths"]["/outbound/smarthost"]["post"]
    del post["responses"]["409"]
    post["requestBody"]["content"]["application/json"]["schema"]["properties"]["note"] = {
        "type": "integer",
        "maximum": 9,
    }
    (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    found = {mutant.id for mutant in derive_mutants(Contract("jetemail", root))}
    assert {f"requests/{CREATE}/note/maximum-{what}" for what in ("tighter", "looser", "crash")} <= found
    assert [
        name for name in found if name.startswith(f"status/{CREATE}/409") or name == f"state/{CREATE}/replaced"
    ] == []


def test_a_sample_takes_of_every_family_the_same_every_time(jetemail: Contract) -> None:
    """CI's sample is fixed and has six mutants of each family.

    The family `headers` is empty: no response of this vendor documents a header.
    """
    found = select_mutants(jetemail, "", (1, 1), 6)
    sizes = {family: sum(mutant.family == family for mutant in found) for family in FAMILIES}
    assert sizes == {**dict.fromkeys(FAMILIES, 6), "headers": 0}
    assert [mutant.id for mutant in found] == [mutant.id for mutant in select_mutants(jetemail, "", (1, 1), 6)]
    assert sample_evenly([1, 2], 6) == [1, 2]


def test_shards_share_out_every_mutant_once(jetemail: Contract, ids: set[str]) -> None:
    """Three shards together contain each mutant exactly once."""
    parts = [mutant.id for number in (1, 2, 3) for mutant in select_mutants(jetemail, "", (number, 3))]
    assert sorted(parts) == sorted(ids)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "floors"),
        ("[floors]\nscore = 0.9\n", "floors"),
        ("[floors]\nscore = 'much'\ndiagnosis = 1\nrequests = 1\n", "floors"),
        ("[floors", "TOML"),
        ("[floors]\nscore = 1\ndiagnosis = 1\nrequests = 1\n[[equivalent]]\nids = ['x']\nreason = ' '\n", "reason"),
        ("[floors]\nscore = 1\ndiagnosis = 1\nrequests = 1\n[[equivalent]]\nids = 'x'\nreason = 'y'\n", "ids"),
    ],
)
def test_a_malformed_judgement_is_one_line(root: Path, text: str, words: str) -> None:
    """An error in mutants.toml is a usage error with the file and its required keys."""
    contract = Contract("jetemail", root)
    (contract.directory / "mutants.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        MutantConfig(contract)
    assert "mutants.toml" in str(caught.value)
    assert "\n" not in str(caught.value)
