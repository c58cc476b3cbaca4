"""No file is half written: not after a failed write, and not after an interruption at any moment."""

import os
from pathlib import Path
from typing import Any

import pytest

from contract_watch.report.atomic_file import write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Write the new content, and leave no other file."""
    path = tmp_path / "report.json"
    write_atomically(path, "old")
    write_atomically(path, "new\udcff")
    assert path.read_bytes() == b"new\\udcff"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["opened", "flushed"])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Keep the old content if Ctrl-C comes while the temporary file is created or written."""
    path = tmp_path / "report.json"
    write_atomically(path, "old")
    opened = Path.open

    def interrupted(*given: Any, **how: Any) -> Any:
        opened(*given, **how).close()
        raise KeyboardInterrupt

    def broken(_handle: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "opened":
            patch.setattr(Path, "open", interrupted)
        else:
            patch.setattr(os, "fsync", broken)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    """Write a file whose name is as long as file systems allow."""
    write_atomically(tmp_path / ("n" * 240), "text")
    assert (tmp_path / ("n" * 240)).read_text() == "text"
