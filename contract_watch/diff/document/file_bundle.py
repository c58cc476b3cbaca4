"""Documents of several files: everything that the files refer to moves into one document.

Files are read from the directory of the main file and below it, never from outside it or from the network. Their content
stands in the result under `x-files`, by its path, and every reference becomes a local one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.limits import MAX_BYTES, MAX_SHOWN_LENGTH, MAX_VALUES, TOO_MANY, InvalidDocumentError
from contract_watch.diff.document.reference_check import iterate_reference_holders
from contract_watch.escaping import escape_text

KEY = "x-files"
_MAX_FILES = 2000
_BUNDLE_HINT = "bundle it into one document first, with Redocly's `redocly bundle` for one"


@dataclass
class _Bundle:
    """The files that were read so far, by path below the directory of the main file, and those that wait."""

    main: Path
    document: dict[str, Any]
    parse: Callable[[bytes], Any]
    root: Path
    contents: dict[str, Any] = field(default_factory=dict)
    waiting: list[tuple[Path, Any]] = field(default_factory=list)
    size: int = 0
    value_count: int = 0


def bundle_files(document: dict[str, Any], path: Path, parse: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return ``document`` with the content of all files that it refers to; itself if there are none.

    Args:
        document: the document in the file at ``path``; its references are changed in place.
        path: the main file. Only its directory is read, and what is below it.
        parse: parses the content of a file.

    Raises:
        InvalidDocumentError: a reference leads outside the directory, to no file, or to one that cannot be parsed, or the
            files are too many or too large together.
    """
    bundle = _Bundle(path.resolve(), document, parse, path.resolve().parent)
    bundle.size = path.stat().st_size
    bundle.waiting.append((bundle.main, document))
    while bundle.waiting:
        file, content = bundle.waiting.pop()
        for holder, name in _iterate_references(content):
            holder[name] = _make_local(bundle, file, holder[name])
    return {**document, KEY: bundle.contents} if bundle.contents else document


def _iterate_references(content: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each object with a reference, and the name that holds it: `$ref`, or a value of a discriminator's mapping."""
    for holder in iterate_reference_holders(content):
        if isinstance(holder.get("$ref"), str):
            yield holder, "$ref"
        discriminator = holder.get("discriminator")
        mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
        if isinstance(mapping, dict):
            addresses = [
                value
                for value, target in mapping.items()
                if isinstance(target, str) and ("#" in target or target.endswith((".json", ".yaml", ".yml")))
            ]
            yield from ((mapping, value) for value in addresses)


def _make_local(bundle: _Bundle, file: Path, reference: str) -> str:
    """Return the local form of a reference in ``file``, and read the file that it leads to."""
    if reference.startswith("#") and file == bundle.main:
        return reference
    address, _, fragment = reference.partition("#")
    if "://" in address or address.startswith("//"):
        return reference  # the check of references refuses it
    target = _locate(bundle, file, address) if address else file
    if target == bundle.main:
        return f"#{fragment}"
    name = target.relative_to(bundle.root).as_posix()
    if name not in bundle.contents:
        bundle.contents[name] = _read(bundle, target, name)
        bundle.waiting.append((target, bundle.contents[name]))
    return "#" + quote(format_pointer((KEY, name)), safe="/~") + fragment


def _locate(bundle: _Bundle, file: Path, address: str) -> Path:
    try:
        target = (file.parent / unquote(address)).resolve()
        is_file = target.is_file()
    except (OSError, ValueError) as error:
        raise InvalidDocumentError(
            f'has the $ref "{_show(address)}", which is not the name of a file; correct it'
        ) from error
    if not target.is_relative_to(bundle.root):
        raise InvalidDocumentError(
            f'has the $ref "{_show(address)}", a file outside the directory of the document, which is not read; {_BUNDLE_HINT}'
        )
    if not is_file:
        raise InvalidDocumentError(
            f'has the $ref "{_show(address)}", and there is no such file; correct it, or add the file'
        )
    return target


def _read(bundle: _Bundle, target: Path, name: str) -> Any:
    bundle.size += target.stat().st_size
    if len(bundle.contents) >= _MAX_FILES or bundle.size > MAX_BYTES:
        raise InvalidDocumentError(
            f"is too large with its files (more than {_MAX_FILES:,} files or {MAX_BYTES:,} bytes); take the part that is needed"
        )
    try:
        content = bundle.parse(target.read_bytes())
    except InvalidDocumentError as error:
        raise InvalidDocumentError(f"refers to {_show(name)}{error.position}, which {error.message}") from error
    except OSError as error:
        raise InvalidDocumentError(f"refers to {_show(name)}, which cannot be read ({error.strerror})") from error
    bundle.value_count += _count_values(content) + (_count_values(bundle.document) if not bundle.value_count else 0)
    if bundle.value_count > MAX_VALUES:
        raise InvalidDocumentError(f"with its files {TOO_MANY}")
    return content


def _show(text: str) -> str:
    return escape_text(text, MAX_SHOWN_LENGTH)


def _count_values(content: Any) -> int:
    count, waiting = 0, [content]
    while waiting:
        one = waiting.pop()
        count += 1
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return count
