"""Write the skeleton of a contract, ``contracts/<slug>/``: ``python -m scripts.new_contract --slug <slug> --name <name>``.

The skeleton is a whole contract of a made-up API, so that everything runs from the first minute; what is to be replaced
says FILL-IN. Nothing is ever overwritten: the folder appears whole, or not at all. Wrong input ends 3 with one line.
"""

import argparse
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from contract_watch.contracts.registry import ROOT, SLUG
from contract_watch.errors import UsageError

SKELETON_FILES = Path(__file__).resolve().parent / "templates" / "contract"
PLACEHOLDER = "FILL-IN:"
"""What the skeleton says where something is to be replaced."""
NAME_PATTERN = re.compile(r"\w(?:[\w .,&+()-]{0,58}[\w.)])?")
"""A vendor's name: it has to stand in TOML, YAML, JSON and Python as it is."""
# Where only the vendor's own files may spell its name; the test of that rule looks at the same.
_PACKAGES = ("contracts", "contract_watch", "contract_tests", "scripts", "generated")
_OTHER_FILES = ("Makefile", "pyproject.toml", "requirements.lock", ".ci", ".github")


def render_skeleton(slug: str, name: str) -> dict[str, str]:
    """The files of a new contract by their name, for a vendor of that slug and name."""
    words = {"@slug@": slug, "@VARIABLE@": slug.upper(), "@name@": name}
    files = {}
    for template in sorted(SKELETON_FILES.glob("*.txt")):
        text = template.read_text(encoding="utf-8")
        for word, given in words.items():
            text = text.replace(word, given)
        files[template.name.removesuffix(".txt")] = text
    return files


def write_skeleton(slug: str, name: str, root: Path = ROOT) -> Path:
    """Write the skeleton below ``root``; gives the new folder. A `UsageError` says why that cannot be, and the remedy."""
    _check_names(slug, name, root)
    folder = root / "contracts" / slug
    with TemporaryDirectory(prefix=f".{slug}-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / slug
        fresh.mkdir()
        for file, text in render_skeleton(slug, name).items():
            (fresh / file).write_text(text, encoding="utf-8", newline="\n")
        fresh.rename(folder)
    return folder


def _check_names(slug: str, name: str, root: Path) -> None:
    if not SLUG.fullmatch(slug) or keyword.iskeyword(slug):
        raise UsageError(f"SLUG {slug!r} is no slug: small letters and digits, a letter first, no word of Python's")
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(f"NAME {name!r} is no name: up to 60 letters, digits and spaces, as the vendor writes itself")
    for place in (root / "contracts" / slug, root / "generated" / slug):
        if place.exists() or place.is_symlink():
            raise UsageError(f"{place.relative_to(root)} is there already: choose another SLUG, or remove it first")
    for word, given in (("SLUG", slug), ("NAME", name)):
        spelled = re.compile(re.escape(given), re.IGNORECASE)
        found = next((path for path in _iterate_neutral_files(root) if spelled.search(_read_text(path))), None)
        if found is not None:
            raise UsageError(f"{word} {given!r} is spelled in {found.relative_to(root)}, and only a vendor's own files "
                             "may: choose a longer one")  # fmt: skip


def _iterate_neutral_files(root: Path) -> Iterator[Path]:
    """Every file that may not spell a vendor's name, Python's caches left out."""
    for name in (*_PACKAGES, *_OTHER_FILES):
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _read_text(path: Path) -> str:
    return f"{path.name}\n{path.read_text(encoding='utf-8', errors='replace')}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; make new-contract SLUG=<slug> NAME=<name>")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The command; gives its exit status: 0 written, 3 wrong input or a disk that takes nothing."""
    parser = _Parser(prog="new_contract", description="Write the skeleton of a contract.", allow_abbrev=False)
    parser.add_argument("--slug", required=True, help="the folder's name: small letters and digits")
    parser.add_argument("--name", required=True, help="the vendor's name as people write it")
    try:
        given = parser.parse_args(arguments)
        folder = write_skeleton(given.slug, given.name.strip(), root)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}; nothing was written", file=sys.stderr)
        return 3
    print(f"{folder.relative_to(root)}/ holds a contract of a made-up API. Next, as docs/adding-a-contract.md says:")
    print("  1. put the vendor's document in the place of published.json")
    print(f"  2. replace what says {PLACEHOLDER.rstrip(':')}, file by file; `make check-contracts` lists what is left")
    print(f"  3. make generate, then make contract VENDOR={given.slug}, then make mutants VENDOR={given.slug}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
