"""The contracts at hand: each folder below ``contracts/`` that holds a ``contract.toml``, known by its slug."""

import hashlib
import importlib
import json
import re
import sys
from dataclasses import MISSING, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_origin, get_type_hints
from urllib.parse import urlsplit

from contract_watch.contracts.config import (
    AcceptedDocument,
    Consent,
    Credential,
    CredentialLocation,
    GrpcConfig,
    Lifecycle,
    LimitsConfig,
    ListConfig,
    RateConfig,
)
from contract_watch.contracts.model import Model
from contract_watch.contracts.openapi import OpenApi, Operation, read_json, read_toml
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.errors import UsageError

_CHECKOUT = Path(__file__).resolve().parents[2]
ROOT = _CHECKOUT if (_CHECKOUT / "contracts").is_dir() else Path.cwd()
"""The directory that holds ``contracts/`` and ``generated/``: the checkout, or where the installed package is used."""
if ROOT != _CHECKOUT and str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # models are imported as contracts.<slug>.model
SLUG = re.compile(r"[a-z][a-z0-9]*")


ROLES = ("new", "existing", "foreign")
"""What an argument names: an object to be, one that is, or something that a run never makes."""


class Contract:
    """One vendor's contract. Everything is read from the folder when first asked for; a bad file is a `UsageError`."""

    def __init__(self, slug: str, root: Path = ROOT) -> None:
        self.slug = slug
        self.root = root
        self.directory = root / "contracts" / slug
        self.config_file = self.directory / "contract.toml"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """``contract.toml`` as it stands, checked for the keys that every contract needs."""
        settings = read_toml(self.config_file)
        wanted = {"name": str, "published": str, "rate": dict, "places": list, "credentials": list,
                  "identities": dict, "lifecycle": dict}  # fmt: skip
        for key, kind in wanted.items():
            if not isinstance(settings.get(key), kind):
                raise UsageError(f"{self.config_file}: needs `{key}`, a {kind.__name__}")
        return settings

    def _load_tables(self, key: str, kind: type[Any]) -> list[Any]:
        """The tables under ``key`` as instances of ``kind``, whose fields they must match in name and type."""
        return self._parse_tables(key, self.settings[key], kind)

    def _parse_tables(self, key: str, raw: Any, kind: type[Any], file: Path | None = None) -> list[Any]:
        file = file or self.config_file
        types = get_type_hints(kind)
        keys = {one.metadata.get("key", one.name): one for one in fields(kind)}
        required = {name for name, one in keys.items() if one.default is MISSING and one.default_factory is MISSING}
        instances = []
        for table in raw if isinstance(raw, list) else [raw]:
            if not isinstance(table, dict):
                raise UsageError(f"{file}: `{key}` is a table")
            if wrong := [
                *(f"unknown {n!r}" for n in table.keys() - keys),
                *(f"no {n!r}" for n in required - table.keys()),
            ]:
                raise UsageError(f"{file}: `{key}` does not fit: {', '.join(sorted(wrong))}")
            for name, value in table.items():
                expected = get_origin(types[keys[name].name]) or types[keys[name].name]  # dict for dict[str, str]
                fits = isinstance(value, int | float) if expected is float else type(value) is expected
                if not fits or (expected is float and isinstance(value, bool)):
                    raise UsageError(f"{file}: `{key}.{name}` is a {expected.__name__}, not {value!r}")
            instances.append(kind(**{keys[name].name: value for name, value in table.items()}))
        return instances

    @cached_property
    def name(self) -> str:
        """The vendor's name as people write it."""
        return str(self.settings["name"])

    @cached_property
    def credential_locations(self) -> list[CredentialLocation]:
        """Where a credential may stand, the usual place first: a header."""
        found: list[CredentialLocation] = self._load_tables("places", CredentialLocation)
        if not found or not found[0].header or any(bool(place.header) == bool(place.field) for place in found):
            raise UsageError(
                f"{self.config_file}: each of `places` has a `header` or a `field`, and the first a `header`"
            )
        return found

    @cached_property
    def credentials(self) -> list[Credential]:
        """The accounts' keys, the one that most requests use first."""
        return self._load_tables("credentials", Credential)

    def check_keys_differ(self, keys: dict[str, str]) -> dict[str, str]:
        """``keys``, by account, as they are; a `UsageError` where two accounts have one: no rule could tell them apart."""
        for credential in self.credentials:
            for other in self.credentials:
                if other is not credential and keys.get(other.account, "") == keys.get(credential.account):
                    raise UsageError(f"{credential.variable} and {other.variable} hold the same key: unset one of them")
        return keys

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """How an object is made, removed and read back."""
        found: Lifecycle = self._load_tables("lifecycle", Lifecycle)[0]
        for operation in (found.create, found.remove, found.read, *found.affects_others):
            self._check_operation_declared(operation, "lifecycle")
        return found

    @cached_property
    def rate(self) -> RateConfig:
        """The account's allowance."""
        found: RateConfig = self._load_tables("rate", RateConfig)[0]
        return found

    @cached_property
    def limits(self) -> LimitsConfig:
        """What a run on the vendor may do at most."""
        found: LimitsConfig = (
            self._load_tables("limits", LimitsConfig)[0] if "limits" in self.settings else LimitsConfig()
        )
        fine = 0 < found.share <= 1 and found.requests > 0 and found.objects > 0 and 0 < found.minutes <= 6 * 60
        if not fine:
            raise UsageError(
                f"{self.config_file}: `limits`: share is above 0, up to 1; the others are above 0; minutes up to 360"
            )
        return found

    @cached_property
    def list_config(self) -> ListConfig | None:
        """How all objects of an account can be seen, if the vendor can list them."""
        if "listing" not in self.settings:
            return None
        found: ListConfig = self._load_tables("listing", ListConfig)[0]
        self._check_operation_declared(found.operation, "listing")
        pointers = (found.rows, found.name, found.id, found.created, found.offset, found.limit)
        if any(pointer and pointer[0] != "/" for pointer in pointers) or not (found.rows and found.name):
            raise UsageError(
                f"{self.config_file}: `listing` has JSON pointers, such as /users, and needs `rows` and `name`"
            )
        if bool(found.offset) != bool(found.limit) or found.size < 1:
            raise UsageError(f"{self.config_file}: `listing` has `offset` and `limit`, or neither; `size` is above 0")
        return found

    @cached_property
    def consents(self) -> dict[str, Consent]:
        """By operation that changes other objects than the one it names, what it needs on a real account."""
        raw = self.settings.get("consent", {})
        if not isinstance(raw, dict) or raw.keys() != set(self.lifecycle.affects_others):
            raise UsageError(
                f"{self.config_file}: `consent` has a table for each operation of `lifecycle.crossing`, and no other"
            )
        found: dict[str, Consent] = {
            n: self._parse_tables(f"consent.{n}", table, Consent)[0] for n, table in raw.items()
        }
        for name, consent in found.items():
            self._check_operation_declared(consent.undo, f"consent.{name}.undo")
        return found

    @cached_property
    def identities(self) -> dict[str, dict[str, str]]:
        """By operation, the arguments that name something, each with its role (see `ROLES`)."""
        found: dict[str, dict[str, str]] = {}
        for operation, roles in self.settings["identities"].items():
            self._check_operation_declared(operation, "identities")
            if not isinstance(roles, dict):
                raise UsageError(f"{self.config_file}: identities.{operation} is a table from arguments to roles")
            known = self.operations[operation].get_arguments()
            for written, role in roles.items():
                argument = written.removeprefix("/")
                if role not in ROLES or argument not in known or (written[:1] not in "/{"):
                    raise UsageError(f"{self.config_file}: identities.{operation}: {written!r} = {role!r} is not `/property` or "
                                     f"`{{parameter}}` of that operation with one of the roles {', '.join(ROLES)}")  # fmt: skip
            found[operation] = {written.removeprefix("/"): role for written, role in roles.items()}
        return found

    def get_roles(self, operation: str | None) -> dict[str, str]:
        """The arguments of ``operation`` that name something, each with its role."""
        return self.identities.get(operation or "", {})

    def is_read_only(self, operation: str | None) -> bool:
        """Whether ``operation`` changes nothing."""
        declared = self.operations.get(operation or "")
        if declared is None:
            return False
        listed = self.list_config.operation if self.list_config is not None else ""
        return declared.is_read_only or declared.id in (self.lifecycle.read, listed)

    @cached_property
    def unprovoked_statuses(self) -> dict[str, str]:
        """Documented statuses that no request provokes, each with the reason why: ``429``, or ``operation/404``."""
        raw = self.settings.get("provoked", {})
        for status, why in raw.items() if isinstance(raw, dict) else [("", None)]:
            operation, _, number = status.rpartition("/")
            if not re.fullmatch(r"[45][0-9]{2}", number) or not isinstance(why, str):
                raise UsageError(
                    f"{self.config_file}: `provoked` is a table from statuses, or operation/status, to the reason why nothing "
                    f"provokes them; {status!r} is no such entry"
                )
            if operation:
                self._check_operation_declared(operation, "provoked")
        return dict(raw)

    def is_unprovoked(self, operation: Operation, status: int) -> bool:
        """Whether no request provokes a documented status of ``operation``: server errors, and what the contract names."""
        return (
            status >= 500
            or str(status) in self.unprovoked_statuses
            or f"{operation.id}/{status}" in self.unprovoked_statuses
        )

    @cached_property
    def grpc(self) -> GrpcConfig | None:
        """How the vendor speaks gRPC, if it does: with a method for every operation."""
        if "grpc" not in self.settings:
            return None
        found: GrpcConfig = self._load_tables("grpc", GrpcConfig)[0]
        for operation in found.methods:
            self._check_operation_declared(operation, "grpc.methods")
        if missing := [operation for operation in self.operations if operation not in found.methods]:
            raise UsageError(f"{self.config_file}: `grpc.methods` has no method for {missing[0]}")
        return found

    @property
    def protocols(self) -> tuple[str, ...]:
        """The ways to speak to the vendor, the usual one first."""
        return ("rest", "grpc", "grpc-web") if self.grpc is not None else ("rest",)

    def _check_operation_declared(self, operation: str, key: str) -> None:
        if operation not in self.operations:
            raise UsageError(
                f"{self.config_file}: `{key}` names the operation {operation!r}, which the document does not declare"
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
        overlay = self.directory / "overlay.yaml"
        actions = read_overlay(overlay)
        raw = apply_overlay(self.published.raw, actions, str(overlay.relative_to(self.root)))
        if self.accepted_documents and isinstance(raw.get("info"), dict):
            raw["info"]["version"] = self.accepted_documents[-1].client
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
            raise UsageError(f"{self.config_file}: `servers` is a list of addresses")
        urls = [server.get("url", "") for server in self.effective.raw.get("servers", [])]
        hosts = (urlsplit(url).hostname for url in (*urls, *ours) if "{" not in url)
        return frozenset(host.lower().rstrip(".") for host in hosts if host and not host.startswith("*."))

    @cached_property
    def parent_domains(self) -> frozenset[str]:
        """Domains below which every host is the vendor's: ``servers`` of the form ``https://*.example.com``."""
        hosts = (urlsplit(url).hostname or "" for url in self.settings.get("servers", []))
        return frozenset(host[2:].lower() for host in hosts if host.startswith("*."))

    @cached_property
    def server_origin(self) -> str:
        """Scheme and authority of the first server that the document names; empty where it names none that is whole."""
        parts = urlsplit(str((self.effective.raw.get("servers") or [{}])[0].get("url", "")))
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc and "{" not in parts.netloc else ""

    @cached_property
    def accepted_documents(self) -> list[AcceptedDocument]:
        """The vendor's documents that were taken over since the first, the newest last; from `accepted.toml`."""
        path = self.directory / "accepted.toml"
        if not path.exists():
            return []
        return self._parse_tables("accepted", read_toml(path).get("accepted", []), AcceptedDocument, path)

    @property
    def upstream(self) -> str:
        """The address where the vendor publishes its document now; empty where nobody knows one."""
        named = self.settings.get("upstream", "")
        if not isinstance(named, str):
            raise UsageError(f"{self.config_file}: `upstream` is the address of a document")
        return named

    @property
    def address_variable(self) -> str:
        """The environment variable that holds the vendor's address, where each customer has one of his own; else empty."""
        named = self.settings.get("address_variable", "")
        if not isinstance(named, str):
            raise UsageError(f"{self.config_file}: `address_variable` is the name of an environment variable")
        return named

    @cached_property
    def base_path(self) -> str:
        """The path of the first server, which stays when a target replaces scheme and authority."""
        servers = self.effective.raw.get("servers") or [{}]
        return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")

    @cached_property
    def public_content(self) -> str:
        """All that the effective document and the model's rules say: none of it is a secret."""
        said = [json.dumps(self.effective.raw, ensure_ascii=False), *self.model.rules, *self.operations]
        return "\n".join(said)

    @cached_property
    def digest(self) -> str:
        """What this contract says, as one hash: its effective document and its model's sources."""
        parts = [json.dumps(self.effective.raw, sort_keys=True, ensure_ascii=False)]
        parts += [path.read_text(encoding="utf-8") for path in sorted(self.directory.glob("*.py"))]
        return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load_contracts(root: Path = ROOT) -> dict[str, Contract]:
    """Every contract below ``root`` by slug, in alphabetical order."""
    found = sorted(path.parent.name for path in (root / "contracts").glob("*/contract.toml"))
    return {slug: Contract(slug, root) for slug in found if SLUG.fullmatch(slug)}


def choose_contracts(vendor: str, root: Path = ROOT) -> list[Contract]:
    """The contracts that ``vendor`` names: one slug, or ``all``; a `UsageError` lists the slugs there are."""
    known = load_contracts(root)
    if vendor == "all":
        return list(known.values())
    if vendor not in known:
        raise UsageError(f"vendor {vendor!r} is unknown: choose from {', '.join(known)} or all")
    return [known[vendor]]
