"""A contract whose objects are named by addresses: every name of a run has that form and is recognised everywhere."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from contract_watch.authoring.self_check import run_self_check
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.account.guard import BlockedRequestError, Guard, LiveMode
from contract_watch.engine.account.inventory import ListedObject
from contract_watch.engine.account.object_names import (
    NameGenerator,
    build_name_variants,
    find_plain_name,
    is_same_name,
    parse_name,
)
from contract_watch.engine.account.sweep import KnownRuns, find_candidates
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.protocols.wire import encode_as_rest
from contract_watch.engine.running.fresh_names import FreshNames
from contract_watch.errors import UsageError

SLUG = "posthorn"
DAY = dt.date(2026, 11, 21)
SUFFIXES = ("@example.com", ".example.com", "@mail.example.com")


@pytest.fixture(name="posthorn")
def _posthorn(tmp_path: Path) -> Contract:
    shutil.copytree(ROOT / "tests" / "data" / SLUG, tmp_path / "contracts" / SLUG)
    return Contract(SLUG, tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("length", [None, 10, 48, 63, 64, 65, 120, 121, 122, 181, 254])
def test_a_name_has_the_form_and_the_length(suffix: str, length: int | None) -> None:
    """Padding goes into the domain, whose labels have at most 63 characters; the run's own part is whole."""
    names = NameGenerator(DAY, suffix=suffix)
    plain, name = names.create_name(), names.create_name(length)
    assert plain == f"{names.name_prefix}1-n{suffix}"
    assert name.startswith(f"{names.name_prefix}2-n{suffix[0]}")
    assert name.endswith(suffix[1:])
    assert len(name) == (length if length and length > len(plain) else len(plain))
    assert all(0 < len(label) <= 63 for label in name.replace("@", ".").split("."))
    assert names.owns(name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_own_names_are_recognised_and_others_are_not(suffix: str) -> None:
    """The form, the check character and the suffix must all be right."""
    names = NameGenerator(DAY, suffix=suffix)
    name, longer = names.create_name(), names.create_name(100)
    for one in (name, longer, *build_name_variants(name).values()):
        parsed = parse_name(one, suffix)
        assert parsed is not None
        assert (parsed.day, parsed.run_id) == (DAY, names.run_id)
        assert find_plain_name(one, suffix) == name or one == longer
    core = name.removesuffix(suffix)
    typo = core[:12] + ("a" if core[12] != "a" else "b") + core[13:]
    for other in (
        core,
        f"{core}{suffix}.org",
        f"{core}@evil.example",
        f"{core}{suffix[0]}y.{suffix[1:]}",
        typo + suffix,
        "x" + suffix,
    ):
        assert parse_name(other, suffix) is None, other
    assert parse_name(name) is None
    assert is_same_name(name.upper(), name)
    assert not is_same_name(core.upper() + "@evil.example", name)


def test_recorded_names_are_translated_in_their_form() -> None:
    """A replay names objects anew: as long as before if they were padded, and in the same spelling."""
    old, new = NameGenerator(DAY, suffix="@example.com"), NameGenerator(DAY, suffix="@example.com")
    fresh, name, longer = FreshNames(new), old.create_name(), old.create_name(90)
    first, second = fresh.translate(name), fresh.translate(longer)
    assert (new.owns(first), first != name, first.endswith("-n@example.com")) == (True, True, True)
    assert (len(second), second.endswith(".example.com"), new.owns(second)) == (90, True, True)
    assert fresh.translate(name.upper()) == first.upper()


def test_guard_lets_own_addresses_through_alone(posthorn: Contract) -> None:
    """An address elsewhere is somebody else's, whatever it begins with: a vendor may write to it."""
    names = NameGenerator(DAY, suffix=posthorn.name_suffix)
    guard = Guard(posthorn, "/v1", {"main": "k"}, names, LiveMode.MUTATE)
    own = names.create_name()

    def check(address: str) -> None:
        operation = posthorn.operations["createMailbox"]
        request: Request = make_operation_request(
            posthorn, operation, {"address": address}, "main", {"X-Posthorn-Key": "k"}
        )
        guard.check_request(encode_as_rest("http://127.0.0.1/v1", request, posthorn.operations))

    for address in (own, names.create_name(100), own.upper()):
        check(address)
    core = own.removesuffix("@example.com")
    for address in (
        f"{core}@evil.example",
        f"{core}@example.com,a@b.example",
        f"{core}@zzz.example.com.evil.example",
        "a@b.example",
    ):
        with pytest.raises(BlockedRequestError):
            check(address)


def test_sweep_finds_addresses_of_killed_runs() -> None:
    """An old address of a run's form is deleted; the same name without the contract's suffix is somebody else's."""
    names = NameGenerator(dt.date(2026, 11, 10), suffix="@example.com")
    old = dt.datetime(2026, 11, 10, tzinfo=dt.UTC).timestamp()
    rows = [ListedObject("main", name, name, old, {}) for name in (names.create_name(), names.create_name(80))]
    rows.append(ListedObject("main", NameGenerator(dt.date(2026, 11, 10)).create_name(), "x", old, {}))
    found = find_candidates(rows, KnownRuns({}, frozenset()), {}, old + 1_000_000, 3600, "@example.com")
    assert [one.listed for one in found] == rows[:2]


def test_suite_names_mailboxes_by_address(posthorn: Contract) -> None:
    """The whole plan runs against the contract's own mock: create, rename, taken and longest addresses among it."""
    checked = run_self_check(posthorn)
    assert (checked.stop_reason, checked.record.findings, checked.record.left_behind) == (None, [], [])
    assert [clause for clause in checked.unreached if "/rule/" in clause or "/effect/" in clause] == []
    assert "createMailbox/request/address/maxLength" not in checked.unreached


@pytest.mark.parametrize(
    "names", ["@example.com", "{n}", "x{n}@example.com", "{n}@Example.com", "{n}@a b", "{n}@", "{n}-x", 7]
)
def test_a_malformed_form_is_one_line(names: object, posthorn: Contract) -> None:
    """The run's own part comes first; what follows is lower case, and begins with a character that no name has."""
    text = posthorn.config_file.read_text(encoding="utf-8")
    written = f'"{names}"' if isinstance(names, str) else str(names)
    posthorn.config_file.write_text(text.replace('"{n}@example.com"', written), encoding="utf-8")
    with pytest.raises(UsageError, match=r"contract\.toml: `resource.names` must be a"):
        _ = (contract := Contract(SLUG, posthorn.root)).name_suffix, contract.model
