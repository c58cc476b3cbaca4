"""The contracts at hand: each folder below ``contracts/`` that holds a ``contract.toml``, known by its slug."""

import hashlib
import importlib
import json
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from contracts.document import OpenApi, Operation, read_json
from contracts.errors import UsageError
from contracts.model import Model
from contracts.overlay import apply_overlay, read_overlay

ROOT = Path(__file__).resolve().parent.parent
SLUG = re.compile(r"[a-z][a-z0-9]*")


@dataclass(frozen=True)
class Place:
    """Where a credential may stand: in ``header``, written as ``form`` with the key in place of ``{}``."""

    name: str
    header: str
    form: str


@dataclass(frozen=True)
class Credential:
    """One account's key: the environment variable that holds it, and the value that test targets take when unset.

    ``required`` credentials a run cannot do without; ``about`` says in words which account it is.
    """

    account: str
    variable: str
    test: str
    required: bool
    about: str


@dataclass(frozen=True)
class Lifecycle:
    """The operations that make, remove and read back an object."""

    create: str
    remove: str
    read: str


@dataclass(frozen=True)
class Rate:
    """An account's allowance: ``requests`` in any ``seconds``."""

    requests: int
    seconds: float


class Contract:
    """One vendor's contract. Everything is read from the folder when first asked for; a bad file is a `UsageError`."""

    def __init__(self, slug: str, root: Path = ROOT) -> None:
        self.slug = slug
        self.root = root
        self.folder = root / "contracts" / slug
        self.file = self.folder / "contract.toml"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """``contract.toml`` as it stands, checked for the keys that every contract needs."""
        try:
            settings = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{self.file}: cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.file}: is not TOML: {error}") from error
        wanted = {"name": str, "published": str, "rate": dict, "places": list, "credentials": list,
                  "identities": dict, "lifecycle": dict}  # fmt: skip
        for key, kind in wanted.items():
            if not isinstance(settings.get(key), kind):
                raise UsageError(f"{self.file}: needs `{key}`, a {kind.__name__}")
        return settings

    def _tables(self, key: str, kind: type) -> list[Any]:
        """The tables under ``key`` as instances of ``kind``, whose fields they must match in name and type."""
        raw = self.settings[key]
        types = get_type_hints(kind)
        made = []
        for table in raw if isinstance(raw, list) else [raw]:
            if not isinstance(table, dict):
                raise UsageError(f"{self.file}: `{key}` is a table")
            if wrong := [
                *(f"unknown {n!r}" for n in table.keys() - types),
                *(f"no {n!r}" for n in types.keys() - table),
            ]:
                raise UsageError(f"{self.file}: `{key}` does not fit: {', '.join(sorted(wrong))}")
            for name, wanted in types.items():
                fits = isinstance(table[name], int | float) if wanted is float else type(table[name]) is wanted
                if not fits or (wanted is float and isinstance(table[name], bool)):
                    raise UsageError(f"{self.file}: `{key}.{name}` is a {wanted.__name__}, not {table[name]!r}")
            made.append(kind(**table))
        return made

    @cached_property
    def name(self) -> str:
        """The vendor's name as people write it."""
        return str(self.settings["name"])

    @cached_property
    def places(self) -> list[Place]:
        """Where a credential may stand, the usual place first."""
        return self._tables("places", Place)

    @cached_property
    def credentials(self) -> list[Credential]:
        """The accounts' keys, the one that most requests use first."""
        return self._tables("credentials", Credential)

    def told_apart(self, keys: dict[str, str]) -> dict[str, str]:
        """``keys``, by account, as they are; a `UsageError` where two accounts have one: no rule could tell them apart."""
        for credential in self.credentials:
            for other in self.credentials:
                if other is not credential and keys.get(other.account, "") == keys.get(credential.account):
                    raise UsageError(f"{credential.variable} and {other.variable} hold the same key: unset one of them")
        return keys

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """How an object is made, removed and read back."""
        found: Lifecycle = self._tables("lifecycle", Lifecycle)[0]
        for operation in (found.create, found.remove, found.read):
            self._declared(operation, "lifecycle")
        return found

    @cached_property
    def rate(self) -> Rate:
        """The account's allowance."""
        found: Rate = self._tables("rate", Rate)[0]
        return found

    @cached_property
    def identities(self) -> dict[str, dict[str, str]]:
        """By operation, the body fields (JSON pointers) that name objects, each ``new`` or ``existing``."""
        raw: dict[str, dict[str, str]] = self.settings["identities"]
        for operation, fields in raw.items():
            self._declared(operation, "identities")
            if not isinstance(fields, dict):
                raise UsageError(f"{self.file}: identities.{operation} is a table from JSON pointers to roles")
            for pointer, role in fields.items():
                if role not in ("new", "existing") or not pointer.startswith("/"):
                    raise UsageError(f"{self.file}: identities.{operation}: {pointer!r} = {role!r} is not a JSON pointer "
                                     "with the role `new` or `existing`")  # fmt: skip
        return raw

    def _declared(self, operation: str, key: str) -> None:
        if operation not in self.operations:
            raise UsageError(
                f"{self.file}: `{key}` names the operation {operation!r}, which the document does not declare"
            )

    @cached_property
    def published(self) -> OpenApi:
        """The published document, untouched."""
        path = self.root / self.settings["published"]
        raw = read_json(path)
        if not isinstance(raw, dict) or not str(raw.get("openapi", "")).startswith("3."):
            raise UsageError(f"{path}: is not an OpenAPI 3 document")
        return OpenApi(raw, str(path))

    @cached_property
    def effective(self) -> OpenApi:
        """The published document with the overlay applied: what client, mock and suite go by."""
        overlay = self.folder / "overlay.yaml"
        actions = read_overlay(overlay)
        raw = apply_overlay(self.published.raw, actions, str(overlay.relative_to(self.root)))
        return OpenApi(raw, f"{self.settings['published']} with its overlay")

    @property
    def operations(self) -> dict[str, Operation]:
        """The effective document's operations by id."""
        return self.effective.operations

    @cached_property
    def model(self) -> Model:
        """The vendor's executable behaviour, from ``model.py``."""
        module = importlib.import_module(f"contracts.{self.slug}.model")
        model: Model = module.build(self.effective, self.published)
        return model

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Host names of the vendor's own servers: what counts as live."""
        ours = self.settings.get("servers", [])
        if not isinstance(ours, list) or not all(isinstance(url, str) for url in ours):
            raise UsageError(f"{self.file}: `servers` is a list of addresses")
        urls = [server.get("url", "") for server in self.effective.raw.get("servers", [])]
        hosts = (urlsplit(url).hostname for url in (*urls, *ours))
        return frozenset(host.lower() for host in hosts if host)

    @cached_property
    def base_path(self) -> str:
        """The path of the first server, which stays when a target replaces scheme and authority."""
        servers = self.effective.raw.get("servers") or [{}]
        return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")

    @cached_property
    def digest(self) -> str:
        """What this contract says, as one hash: its effective document and its model's sources."""
        parts = [json.dumps(self.effective.raw, sort_keys=True, ensure_ascii=False)]
        parts += [path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.py"))]
        return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def contracts(root: Path = ROOT) -> dict[str, Contract]:
    """Every contract below ``root`` by slug, in alphabetical order."""
    found = sorted(path.parent.name for path in (root / "contracts").glob("*/contract.toml"))
    return {slug: Contract(slug, root) for slug in found if SLUG.fullmatch(slug)}


def choose(vendor: str, root: Path = ROOT) -> list[Contract]:
    """The contracts that ``vendor`` names: one slug, or ``all``; a `UsageError` lists the slugs there are."""
    known = contracts(root)
    if vendor == "all":
        return list(known.values())
    if vendor not in known:
        raise UsageError(f"vendor {vendor!r} is unknown: choose from {', '.join(known)} or all")
    return [known[vendor]]
