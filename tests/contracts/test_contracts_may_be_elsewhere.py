"""CONTRACTS names directories with contracts; models, documents and outputs are found next to each."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch import cli
from contract_watch.authoring.skeleton import write_skeleton
from contract_watch.contracts.directories import CODE, find_contracts, format_variable, list_directories
from contract_watch.contracts.registry import ROOT, choose_contracts, load_contracts
from contract_watch.contracts.vendor_package import import_model
from contract_watch.engine.fleet.checkout import describe_checkout
from contract_watch.errors import UsageError


@pytest.fixture(autouse=True)
def _forget_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore CONTRACTS and the vendors' modules after each test."""
    monkeypatch.setenv("CONTRACTS", "")
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "contracts"}
    for name in [name for name in before if name.startswith("contracts.acme")]:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "contracts"]:
        del sys.modules[name]
    sys.modules.update(before)


_MODEL = (
    "from contract_watch.contracts.resource.model import ResourceModel\n\n\nclass Model(ResourceModel):\n    pass\n\n\n"
)


def _make_contract(home: Path, slug: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patch:
        patch.setenv("CONTRACTS", str(home))
        directory = write_skeleton(slug, slug.title())
    (directory / "model.py").write_text(_MODEL, encoding="utf-8")
    return directory


def test_unset_means_the_checkout() -> None:
    """Without CONTRACTS, or with an empty one, the checkout's contracts are found."""
    assert list_directories() == [ROOT / "contracts"]
    assert format_variable() == ""
    assert CODE == ROOT


def test_set_means_those_directories_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout's own contracts are among them if they are listed; output and documents are next to each."""
    acme = _make_contract(tmp_path / "team" / "vendors", "acme", monkeypatch)
    monkeypatch.setenv("CONTRACTS", str(acme.parent))
    (contract,) = choose_contracts("all")
    assert contract.directory == acme
    assert contract.output_directory == tmp_path / "team" / "generated" / "acme"
    assert contract.published_file == acme / "published.json"
    assert "createThing" in contract.operations
    monkeypatch.setenv("CONTRACTS", os.pathsep.join([str(acme.parent), str(ROOT / "contracts")]))
    everything = load_contracts()
    assert list(everything) == sorted([*load_contracts(ROOT), "acme"])
    assert {slug: one.published_file for slug, one in everything.items() if slug != "acme"} == {
        slug: one.published_file for slug, one in load_contracts(ROOT).items()
    }


def test_relative_directories_are_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name means the same for processes that run in another directory."""
    acme = _make_contract(tmp_path / "vendors", "acme", monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTRACTS", "vendors")
    assert find_contracts() == {"acme": acme}
    assert format_variable() == str(acme.parent)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("one", "two"), "have the same slug; rename one, or leave it out"),
        (("none",), "none does not exist; name directories with <slug>/contract.toml in them"),
        (("one/acme/model.py",), "model.py is a file; name directories"),
    ],
)
def test_directories_that_cannot_be_used_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], says: str
) -> None:
    """The same slug twice, a missing directory and a file are errors that name CONTRACTS."""
    for name in ("one", "two"):
        _make_contract(tmp_path / name, "acme", monkeypatch)
    monkeypatch.setenv("CONTRACTS", os.pathsep.join(str(tmp_path / name) for name in names))
    with pytest.raises(UsageError) as refusal:
        load_contracts()
    assert str(refusal.value).startswith("CONTRACTS: ")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_model_is_loaded_from_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package called contracts on Python's path takes no vendor's place; a vendor's own imports work."""
    clash = tmp_path / "clash" / "contracts" / "acme"
    clash.mkdir(parents=True)
    for path in (clash.parent / "__init__.py", clash / "__init__.py"):
        path.touch()
    (clash / "model.py").write_text("raise RuntimeError('the wrong model')\n", encoding="utf-8")
    acme = _make_contract(tmp_path / "vendors", "acme", monkeypatch)
    (acme / "names.py").write_text("OWN = 'mine'\n", encoding="utf-8")
    with (acme / "model.py").open("a", encoding="utf-8") as file:
        file.write("from contracts.acme.names import OWN as OWN\nfrom .names import OWN as SAME\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "contracts"]:
        del sys.modules[name]
    monkeypatch.syspath_prepend(clash.parents[1])
    monkeypatch.setenv("CONTRACTS", str(acme.parent))
    (contract,) = load_contracts().values()
    assert contract.model.rules
    module = sys.modules["contracts.acme.model"]
    assert (module.OWN, module.SAME, module.__file__) == ("mine", "mine", str(acme / "model.py"))


def test_copies_of_a_contract_have_models_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy in which a new document is tried does not replace the modules of the contract itself."""
    first = _make_contract(tmp_path / "one", "acme", monkeypatch)
    copy = tmp_path / "two" / "acme"
    shutil.copytree(first, copy)
    with (copy / "model.py").open("a", encoding="utf-8") as file:
        file.write("COPY = True\n")
    one, two = import_model("acme", first), import_model("acme", copy)
    assert (hasattr(one, "COPY"), hasattr(two, "COPY")) == (False, True)
    assert sys.modules["contracts.acme.model"] is one
    assert import_model("acme", first) is one
    assert import_model("acme", copy) is two


def test_a_model_with_an_error_can_be_loaded_once_it_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in a vendor's package leaves nothing half loaded."""
    acme = _make_contract(tmp_path, "acme", monkeypatch)
    (acme / "__init__.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        import_model("acme", acme)
    (acme / "__init__.py").unlink()
    assert import_model("acme", acme).Model


def test_machines_of_a_cluster_may_keep_contracts_in_different_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digests of contracts depend on their contents, not on where a machine keeps them."""
    first = _make_contract(tmp_path / "one", "acme", monkeypatch)
    shutil.copytree(first, tmp_path / "elsewhere" / "vendors" / "acme")
    found = []
    for home in (first.parent, tmp_path / "elsewhere" / "vendors"):
        monkeypatch.setenv("CONTRACTS", str(home))
        found.append(describe_checkout())
    assert found[0] == found[1]
    (tmp_path / "elsewhere" / "vendors" / "acme" / "model.py").write_text("", encoding="utf-8")
    assert describe_checkout() != found[0]


def test_the_option_sets_the_variable_for_child_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--contracts`` is CONTRACTS with absolute paths; an empty one changes nothing."""
    monkeypatch.chdir(tmp_path)
    parser = cli.CommandParser("example", "An example.")
    parser.add_vendor_option()
    parser.parse_args(["--contracts=", "--vendor", "acme"])
    assert os.environ["CONTRACTS"] == ""
    parser.parse_args(["--contracts", os.pathsep.join(["a", "b/c"])])
    assert os.environ["CONTRACTS"] == os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b" / "c")])
    with pytest.raises(UsageError, match=r"^--contracts: .* does not exist; name directories"):
        load_contracts()
    monkeypatch.setenv("CONTRACTS", str(tmp_path / "d"))
    with pytest.raises(UsageError, match=r"^CONTRACTS: .* does not exist; name directories"):
        load_contracts()
