"""The registry of contracts: each directory ``contracts/<slug>/`` that has a ``contract.toml``."""

import hashlib
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from contract_watch.cli import format_command
from contract_watch.contracts import directories
from contract_watch.contracts.config import (
    AcceptedDocument,
    ClientConfig,
    Consent,
    Credential,
    CredentialLocation,
    GrpcConfig,
    Lifecycle,
    LimitsConfig,
    ListConfig,
    RateConfig,
    TokenConfig,
)
from contract_watch.contracts.credential_locations import check_locations
from contract_watch.contracts.given import GivenArguments, parse_given
from contract_watch.contracts.model import Model
from contract_watch.contracts.model_loader import load_model
from contract_watch.contracts.openapi import OpenApi, Operation, read_json, read_toml
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.roles import as_table, parse_name_template, parse_roles
from contract_watch.contracts.servers import find_base_path, list_hosts, list_parent_domains, parse_pinned_address
from contract_watch.contracts.tables import TYPE_NAMES, parse_names, parse_provoked, parse_table, parse_tables
from contract_watch.errors import UsageError

ROOT = directories.ROOT
SLUG = re.compile(r"[a-z][a-z0-9]*")


class Contract:
    """One vendor's contract.

    Properties read their file on first access; a file that is missing or malformed raises a `UsageError` that names it.
    """

    def __init__(self, slug: str, root: Path = ROOT, home: str = "contracts") -> None:
        self.slug = slug
        self.root = root
        self.directory = root / home / slug
        self.config_file = self.directory / "contract.toml"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The parsed ``contract.toml``, with every required top-level key."""
        settings = read_toml(self.config_file)
        required = {"name": str, "published": str, "rate": dict, "places": list, "credentials": list,
                    "identities": dict, "lifecycle": dict}  # fmt: skip
        for key, kind in required.items():
            if key not in settings:
                raise UsageError(f"{self.config_file}: `{key}` is missing; add {TYPE_NAMES[kind]}")
            if not isinstance(settings[key], kind):
                raise UsageError(f"{self.config_file}: `{key}` must be {TYPE_NAMES[kind]}, got {settings[key]!r}")
        return settings

    def _load_tables(self, key: str, kind: type[Any]) -> list[Any]:
        """Return the tables under ``key`` as instances of the dataclass ``kind``."""
        return self.parse_tables(key, self.settings[key], kind)

    def parse_tables(self, key: str, raw: Any, kind: type[Any], file: Path | None = None) -> list[Any]:
        """See `parse_tables`."""
        return parse_tables(file or self.config_file, key, raw, kind)

    def _parse_table(self, key: str, raw: Any, kind: type[Any]) -> Any:
        return parse_table(self.config_file, key, raw, kind)

    @cached_property
    def name(self) -> str:
        """The vendor's name in prose, such as ``Acme``."""
        return str(self.settings["name"])

    @cached_property
    def credential_locations(self) -> list[CredentialLocation]:
        """The locations of a credential in a request, the default one first."""
        locations: list[CredentialLocation] = self._load_tables("places", CredentialLocation)
        check_locations(self.config_file, locations, self.token)
        return locations

    @cached_property
    def token(self) -> TokenConfig | None:
        """The endpoint that gives access tokens for keys; None if requests carry the keys themselves."""
        return self._parse_table("token", self.settings["token"], TokenConfig) if "token" in self.settings else None

    @cached_property
    def credentials(self) -> list[Credential]:
        """The credential of each account, the default one first."""
        return self._load_tables("credentials", Credential)

    def check_keys_differ(self, keys: dict[str, str]) -> dict[str, str]:
        """Return ``keys`` (by account) unchanged; raise `UsageError` if two accounts share one key.

        The rules tell accounts apart by their keys alone.
        """
        for credential in self.credentials:
            for other in self.credentials:
                if other is not credential and keys.get(other.account, "") == keys.get(credential.account):
                    raise UsageError(f"{credential.variable} and {other.variable} hold the same key; unset one of them")
        return keys

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The operations that create, remove and read an object."""
        lifecycle: Lifecycle = self._parse_table("lifecycle", self.settings["lifecycle"], Lifecycle)
        for operation in (lifecycle.create, lifecycle.remove, lifecycle.read, *lifecycle.affects_others):
            self._check_operation_declared(operation, "lifecycle")
        return lifecycle

    @cached_property
    def rate(self) -> RateConfig:
        """The vendor's rate limit for one account."""
        rate: RateConfig = self._parse_table("rate", self.settings["rate"], RateConfig)
        return rate

    @cached_property
    def limits(self) -> LimitsConfig:
        """The upper limits of one run on the vendor's own server."""
        if "limits" not in self.settings:
            return LimitsConfig()
        limits: LimitsConfig = self._parse_table("limits", self.settings["limits"], LimitsConfig)
        limits.check(str(self.config_file))
        return limits

    @cached_property
    def list_config(self) -> ListConfig | None:
        """The configuration of the operation that lists an account's objects; None if the vendor has none."""
        if "listing" not in self.settings:
            return None
        listing: ListConfig = self._parse_table("listing", self.settings["listing"], ListConfig)
        self._check_operation_declared(listing.operation, "listing")
        listing.check(str(self.config_file))
        return listing.complete(self.operations[listing.operation].get_arguments())

    @cached_property
    def client(self) -> ClientConfig:
        """The configuration of the generated client."""
        client: ClientConfig = self._parse_table("client", self.settings.get("client", {}), ClientConfig)
        return client

    @cached_property
    def consents(self) -> dict[str, Consent]:
        """The consent that each operation of `Lifecycle.affects_others` needs on a real account, by operation."""
        raw = self.settings.get("consent", {})
        if not isinstance(raw, dict) or raw.keys() != set(self.lifecycle.affects_others):
            raise UsageError(
                f"{self.config_file}: `consent` must have one table for each operation of `lifecycle.crossing` and no other"
            )
        consents: dict[str, Consent] = {
            name: self._parse_table(f"consent.{name}", table, Consent) for name, table in raw.items()
        }
        for name, consent in consents.items():
            self._check_operation_declared(consent.undo, f"consent.{name}.undo")
        return consents

    @cached_property
    def identities(self) -> dict[str, dict[str, str]]:
        """The role (see `roles.ROLES`) of each argument that names something, by operation and argument."""
        identities: dict[str, dict[str, str]] = {}
        for operation, roles in self.settings["identities"].items():
            self._check_operation_declared(operation, "identities")
            arguments = self.operations[operation].get_arguments()
            identities[operation] = parse_roles(operation, roles, arguments, self.config_file)
        return identities

    @cached_property
    def given(self) -> GivenArguments:
        """The arguments that name an object above the resource, with the values of the present run."""
        raw = self.settings.get("given", {})
        return parse_given(raw, self.operations, self.identities, self.config_file)

    @property
    def idempotency_argument(self) -> str:
        """The argument of create with which a repeated request makes no second object; empty if there is none."""
        return str(as_table(self.settings.get("resource")).get("idempotency", ""))

    @cached_property
    def name_suffix(self) -> str:
        """The part of a name after a run's own, from ``names`` of `[resource]`; empty if names are plain."""
        return parse_name_template(self.settings.get("resource"), self.config_file)

    def get_roles(self, operation: str | None) -> dict[str, str]:
        """Return the role of each argument of ``operation`` that names something."""
        return self.identities.get(operation or "", {})

    def creates_names(self, operation: str | None) -> bool:
        """Return True if an object exists under the ``new`` arguments of ``operation`` afterwards.

        Where the server assigns ids, an update only gives an object another mark.
        """
        return not self.lifecycle.id or operation == self.lifecycle.create

    def is_read_only(self, operation: str | None) -> bool:
        """Return True if ``operation`` changes nothing: by its method, or as the contract's read or list operation."""
        return operation in self._read_only_operations

    @cached_property
    def _read_only_operations(self) -> frozenset[str]:
        named = (self.lifecycle.read, self.list_config.operation if self.list_config is not None else "")
        return frozenset(name for name, one in self.operations.items() if one.is_read_only or name in named)

    @cached_property
    def unprovoked_statuses(self) -> dict[str, str]:
        """Documented statuses that no request provokes (``429`` or ``operation/404``), each with its reason."""
        reasons = parse_provoked(self.config_file, self.settings.get("provoked", {}))
        for operation in filter(None, (key.rpartition("/")[0] for key in reasons)):
            self._check_operation_declared(operation, "provoked")
        return reasons

    def is_unprovoked(self, operation: Operation, status: int) -> bool:
        """Return True if no request provokes a documented status: a server error, or one that the contract names."""
        return (
            status >= 500
            or str(status) in self.unprovoked_statuses
            or f"{operation.id}/{status}" in self.unprovoked_statuses
        )

    @cached_property
    def grpc(self) -> GrpcConfig | None:
        """The gRPC service and the method of every operation; None if the vendor has no gRPC."""
        if "grpc" not in self.settings:
            return None
        grpc: GrpcConfig = self._parse_table("grpc", self.settings["grpc"], GrpcConfig)
        for operation in grpc.methods:
            self._check_operation_declared(operation, "grpc.methods")
        if self.token is not None or any(one.query for one in self.credential_locations):
            raise UsageError(
                f"{self.config_file}: `grpc` cannot carry a key in the query, nor an access token; remove it"
            )
        if named := [one.id for one in self.operations.values() if one.specs or one.codec.is_form]:
            raise UsageError(
                f"{self.config_file}: `grpc` cannot carry the parameters or the form of {named[0]}; "
                "remove `grpc`, or these parameters in overlay.yaml"
            )
        if missing := [operation for operation in self.operations if operation not in grpc.methods]:
            raise UsageError(f"{self.config_file}: `grpc.methods` has no method for {missing[0]}; add it")
        return grpc

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that the vendor supports, the default one first."""
        return ("rest", "grpc", "grpc-web") if self.grpc is not None else ("rest",)

    def _check_operation_declared(self, operation: str, key: str) -> None:
        if operation not in self.operations:
            raise UsageError(
                f"{self.config_file}: `{key}` names the operation {operation!r}, which the document does not declare; "
                "use an operationId of the effective document"
            )

    @property
    def published_file(self) -> Path:
        """The published document: ``published`` below the contract's own directory, else below the root."""
        own = self.directory / str(self.settings["published"])
        return own if own.is_file() else self.root / str(self.settings["published"])

    @property
    def output_directory(self) -> Path:
        """The directory of what is generated from the contract."""
        return self.root / "generated" / self.slug

    @cached_property
    def public_names(self) -> frozenset[str]:
        """Names of properties that look like a secret's and are none, from ``public``."""
        return frozenset(map(str.lower, parse_names(self.config_file, "public", self.settings.get("public", []))))

    @cached_property
    def published(self) -> OpenApi:
        """The vendor's published document, unchanged."""
        path = self.published_file
        raw = read_json(path)
        if not isinstance(raw, dict) or not str(raw.get("openapi", "")).startswith("3."):
            raise UsageError(f"{path}: is not an OpenAPI 3 document; its `openapi` must be a version 3.x")
        return OpenApi(raw, str(path), self._credential_keys)

    @cached_property
    def effective(self) -> OpenApi:
        """The effective document, published document plus overlay, which client, mock and suite read."""
        overlay = self.directory / "overlay.yaml"
        actions = read_overlay(overlay)
        raw = apply_overlay(self.published.raw, actions, str(overlay.relative_to(self.root)))
        if self.accepted_documents and isinstance(raw.get("info"), dict):
            raw["info"]["version"] = self.accepted_documents[-1].client
        return OpenApi(raw, f"{self.settings['published']} with its overlay", self._credential_keys)

    @property
    def _credential_keys(self) -> frozenset[str]:
        """The parameters that carry credentials; settings that cannot be read are reported by `credential_locations`."""
        tables = [one for one in self.settings["places"] if isinstance(one, dict)]
        return frozenset(f"{kind}:{one.get(kind, '')}".lower() for one in tables for kind in ("header", "query"))

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations of the effective document by id."""
        return self.effective.operations

    @cached_property
    def model(self) -> Model:
        """The vendor's model (see `load_model`)."""
        return load_model(self)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Host names of the vendor's own servers that ``servers`` or the document name; a target there counts as live."""
        return list_hosts(self.settings.get("servers", []), self.effective.raw, self.config_file)

    @cached_property
    def parent_domains(self) -> frozenset[str]:
        """Domains whose subdomains are all the vendor's: ``servers`` of the form ``https://*.example.com``."""
        return list_parent_domains(self.settings.get("servers", []))

    @cached_property
    def address(self) -> str | None:
        """The URL that ``TARGET=live`` sends keys to, base path included; None if the contract does not pin it.

        Where `address_variable` names the server it is the path below that. No document changes it.
        """
        if "address" not in self.settings:
            return None
        is_path = bool(self.address_variable)
        return parse_pinned_address(self.settings["address"], self.config_file, is_path=is_path)

    @cached_property
    def accepted_documents(self) -> list[AcceptedDocument]:
        """The published documents accepted since the first, the newest last, from ``accepted.toml``."""
        path = self.directory / "accepted.toml"
        raw = read_toml(path).get("accepted") if path.exists() else None
        return self.parse_tables("accepted", raw, AcceptedDocument, path) if raw else []

    def describe_age(self) -> str:
        """Describe since when the contract holds: the day of the accepted document, else the document's version."""
        if self.accepted_documents:
            return f"the document accepted on {self.accepted_documents[-1].date}"
        info = self.published.raw.get("info")
        version = info.get("version") if isinstance(info, dict) else None
        return f"version {version} of the vendor's document" if isinstance(version, str) and version else ""

    @property
    def upstream(self) -> str:
        """The URL where the vendor publishes its document now; empty if none is known."""
        url = self.settings.get("upstream", "")
        if not isinstance(url, str):
            raise UsageError(f"{self.config_file}: `upstream` must be a URL, got {url!r}")
        return url

    @property
    def address_variable(self) -> str:
        """The environment variable with the URL of one's own instance; empty if all customers share one server."""
        name = self.settings.get("address_variable", "")
        if not isinstance(name, str):
            raise UsageError(f"{self.config_file}: `address_variable` must be a string, got {name!r}")
        return name

    @cached_property
    def base_path(self) -> str:
        """The path of the document's first server, for the mock and for targets without a path; see `address` for live."""
        return find_base_path(self.effective.raw)

    @cached_property
    def public_content(self) -> str:
        """The effective document, the ids of the model's rules and the operation ids: no part of it is a secret."""
        return "\n".join([json.dumps(self.effective.raw, ensure_ascii=False), *self.model.rules, *self.operations])

    @cached_property
    def digest(self) -> str:
        """The SHA-256 digest of the effective document, the configuration, the rules and the Python sources."""
        parts = [json.dumps(self.effective.raw, sort_keys=True, ensure_ascii=False)]
        parts.append(json.dumps(self.settings, sort_keys=True, default=str))
        sources = [*self.directory.glob("*.py"), *self.directory.glob("rules.yaml")]
        parts += [path.read_text(encoding="utf-8") for path in sorted(sources)]
        return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load_contracts(root: Path | None = None) -> dict[str, Contract]:
    """Return every contract by slug, in alphabetical order: those below ``root``, or all that are configured."""
    found = directories.find_contracts(root)
    return {
        name: Contract(name, own.parents[1], own.parent.name) for name, own in found.items() if SLUG.fullmatch(name)
    }


def choose_contracts(vendor: str, root: Path | None = None, *, option: str = "--vendor") -> list[Contract]:
    """Return the contract with the slug ``vendor``, or every contract for ``all``; raise `UsageError` for others: of ``option``."""
    contracts = load_contracts(root)
    if vendor == "all":
        return list(contracts.values())
    if not contracts:
        raise UsageError(
            f"{directories.describe()}: has no contract {vendor!r}; run `{format_command('new-contract', 'new')}`, or set CONTRACTS"
        )
    if vendor not in contracts:
        raise UsageError(f"{option}: unknown vendor {vendor!r}; choose from {', '.join(contracts)} or all")
    return [contracts[vendor]]
