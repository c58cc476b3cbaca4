"""New directories of contracts, and the skeleton: the contract of a made-up API, so that everything runs at once.

Each line of the skeleton to replace says FILL-IN. Nothing is ever overwritten: a directory appears whole, or not at all.
"""

import keyword
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch.contracts.directories import choose_home
from contract_watch.contracts.registry import SLUG
from contract_watch.errors import InconclusiveError, UsageError

SKELETON_FILES = Path(__file__).resolve().parent / "skeleton_files"
PLACEHOLDER = "FILL-IN:"
"""The mark of a line to replace."""
NAME_PATTERN = re.compile(r"\w(?:[\w .,&+()-]{0,58}[\w.)])?")
"""A vendor's name, which stands in TOML, YAML, JSON and Python without escapes."""
# In these only a vendor's own files may spell its name; the test of that rule reads the same.
_PACKAGES = ("contracts", "contract_watch", "contract_tests", "scripts", "generated")
_OTHER_FILES = ("Makefile", "pyproject.toml", "requirements.lock", ".ci", ".github")


def render_skeleton(slug: str, name: str) -> dict[str, str]:
    """Return the files of a new contract by name."""
    words = {"@slug@": slug, "@VARIABLE@": slug.upper(), "@name@": name}
    files = {}
    for template in sorted(SKELETON_FILES.glob("*.txt")):
        text = template.read_text(encoding="utf-8")
        for word, given in words.items():
            text = text.replace(word, given)
        files[template.name.removesuffix(".txt")] = text
    return files


def write_skeleton(slug: str, name: str, root: Path | None = None) -> Path:
    """Write the skeleton as a new contract; see `choose_directory` and `write_contract`. Return its directory."""
    directory = choose_directory(slug, name, root)
    write_contract(directory, render_skeleton(slug, name))
    return directory


def choose_directory(slug: str, name: str, root: Path | None = None) -> Path:
    """Return the directory of a new contract, in ``root/contracts`` or the first of the configured directories.

    Raises:
        UsageError: the slug or the name cannot be used.
    """
    home = choose_home(root)
    _check_names(slug, name, home)
    return home / slug


def write_contract(directory: Path, files: Mapping[str, str]) -> None:
    """Write the files of a new contract into ``directory``, which must not exist.

    Raises:
        InconclusiveError: the disk takes nothing.
    """
    home, slug = directory.parent, directory.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{slug}-", dir=directory.parent) as scratch:
            fresh = Path(scratch) / slug
            fresh.mkdir()
            for file, text in files.items():
                (fresh / file).write_text(text, encoding="utf-8", newline="\n")
            fresh.rename(directory)
    except OSError as error:
        raise InconclusiveError(f"{error.filename}: {error.strerror}; nothing was written") from error


def _check_names(slug: str, name: str, home: Path) -> None:
    root = home.parent
    if not SLUG.fullmatch(slug) or keyword.iskeyword(slug):
        raise UsageError(f"--slug must be small letters and digits, a letter first, no keyword of Python, got {slug!r}")
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"--name must be up to 60 letters, digits and spaces, as the vendor writes itself, got {name!r}"
        )
    for place in (home / slug, root / "generated" / slug):
        if place.exists() or place.is_symlink():
            raise UsageError(f"{place.relative_to(root)}: exists already; choose another --slug, or remove it first")
    if not (root / "contract_watch").is_dir():
        return  # a repository of somebody else's has no such rule
    for option, given in (("--slug", slug), ("--name", name)):
        spelled = re.compile(re.escape(given), re.IGNORECASE)
        found = next((path for path in _iterate_neutral_files(root) if spelled.search(_read_text(path))), None)
        if found is not None:
            raise UsageError(f"{option} {given!r} occurs in {found.relative_to(root)}, and only a vendor's own files may "
                             "name it; choose a longer one")  # fmt: skip


def _iterate_neutral_files(root: Path) -> Iterator[Path]:
    """Yield every file that may not spell a vendor's name, without Python's caches."""
    for name in (*_PACKAGES, *_OTHER_FILES):
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _read_text(path: Path) -> str:
    return f"{path.name}\n{path.read_text(encoding='utf-8', errors='replace')}"
