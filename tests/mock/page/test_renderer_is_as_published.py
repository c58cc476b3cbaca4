"""The renderer in the package is the one that its authors published, and only a verified one replaces it."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from contract_watch.errors import UsageError
from contract_watch.mock.page.files import ORIGIN_FILE, RENDERER
from scripts.fetch_page_assets import FILES, PACKAGE, main, write_renderer


def test_every_file_has_its_recorded_digest() -> None:
    """A file that was edited, added or lost is found."""
    origin = json.loads((RENDERER / ORIGIN_FILE).read_text(encoding="utf-8"))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in RENDERER.iterdir()}
    del found[ORIGIN_FILE]
    assert found == origin["sha256"]
    assert set(found) == set(FILES)
    assert (origin["package"], origin["license"]) == (PACKAGE, "Apache-2.0")
    assert "Apache License" in (RENDERER / "LICENSE").read_text(encoding="utf-8")


def make_package(path: Path, names: tuple[str, ...] = FILES) -> str:
    """Write a package with these files; return its integrity."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            content = f"content of {name}".encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return f"sha512-{base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()}"


def test_a_verified_package_is_written(tmp_path: Path) -> None:
    """The files come with a record of version, integrity and digests."""
    integrity = make_package(tmp_path / "package.tgz")
    write_renderer(tmp_path / "package.tgz", "9.8.7", integrity, tmp_path / "out")
    origin = json.loads((tmp_path / "out" / ORIGIN_FILE).read_text(encoding="utf-8"))
    assert (origin["version"], origin["integrity"]) == ("9.8.7", integrity)
    for name, digest in origin["sha256"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("integrity", ["", "sha512-wrong", "sha512-" + "A" * 86 + "=="])
def test_another_package_is_refused(tmp_path: Path, integrity: str) -> None:
    """Nothing is written from a package that npm did not promise."""
    make_package(tmp_path / "package.tgz")
    with pytest.raises(UsageError, match="integrity must be"):
        write_renderer(tmp_path / "package.tgz", "9.8.7", integrity, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_package_without_a_file_is_refused(tmp_path: Path) -> None:
    """The old files stay whole."""
    integrity = make_package(tmp_path / "package.tgz", FILES[1:])
    with pytest.raises(UsageError, match="LICENSE is missing; choose another version"):
        write_renderer(tmp_path / "package.tgz", "9.8.7", integrity, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", ["latest", "5", "5.1.0; ls", "../x", ""])
def test_a_version_is_three_numbers(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else reaches npm."""
    assert main([f"--version={version}"]) == 3
    assert capsys.readouterr().err.count("\n") == 1
