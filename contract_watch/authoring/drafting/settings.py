"""``contract.toml`` of a draft."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.authoring.drafting.credential_shape import CredentialShape
from contract_watch.authoring.drafting.resource_shape import ResourceShape
from contract_watch.authoring.drafting.schema_search import format_pointer
from contract_watch.authoring.drafting.toml_text import format_key, format_table, format_value

_RATE = {"requests": 60, "seconds": 60}


@dataclass(frozen=True)
class DraftSettings:
    """Everything that ``contract.toml`` says; ``operations`` maps kinds to the id of the first operation of that kind."""

    slug: str
    name: str
    upstream: str
    address: str
    operations: Mapping[str, str]
    shape: ResourceShape
    credential: CredentialShape
    paging: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    public: Sequence[str] = ()
    provoked: Mapping[str, str] = field(default_factory=dict)


def format_settings(settings: DraftSettings) -> str:
    """Return the text of the file."""
    shape, credential, variable = settings.shape, settings.credential, settings.slug.upper()
    top = {"name": settings.name, "published": "published.json", "upstream": settings.upstream, "address": settings.address,
           "public": list(settings.public)}  # fmt: skip
    lines = [f"{key} = {format_value(value)}" for key, value in top.items() if value]
    if settings.provoked:
        lines.append(f"provoked = {format_value(settings.provoked)}")
    lines += format_table("[rate]", _RATE, "A guess: write the limit that the vendor publishes.")
    lines += format_table("[[places]]", dict(credential.place))
    lines += format_table("[token]", dict(credential.token)) if credential.token else []
    lines += format_table("[[credentials]]", {"account": "main", "variable": f"{variable}_API_KEY", "test": credential.test,
                                              "required": True, "about": credential.about})  # fmt: skip
    lines += ["", "[identities]"]
    lines += [f"{format_key(name)} = {format_value(dict(roles))}" for name, roles in shape.identities.items()]
    for argument, value in shape.given.items():
        lines += _format_given(argument, value, variable)
    read = settings.operations.get("get") or settings.operations["list"]
    lines += format_table("[lifecycle]", {"create": settings.operations["create"], "remove": settings.operations["delete"],
                                          "read": read, "id": format_pointer(shape.id) if shape.id else ""})  # fmt: skip
    if shape.rows is not None:
        pointers = {"name": shape.row_name, "id": shape.row_id, "created": shape.created}
        listing = {"operation": shape.listed, "rows": format_pointer(shape.rows),
                   **{key: format_pointer((name,)) if name else "" for key, name in pointers.items()}}  # fmt: skip
        first = {"first_page": 0} if "first_page" in settings.paging else {}
        lines += format_table("[listing]", {**listing, **{k: v for k, v in settings.paging.items() if k not in first}})
        lines += [f"first_page = {value}" for value in first.values()]
    if resource := {"names": shape.template, "changed": shape.changed, **settings.resource}:
        table = format_table("[resource]", {key: value for key, value in resource.items() if value})
        lines += table if len(table) > 2 else []
    return "\n".join(lines) + "\n"


def _format_given(argument: str, value: str, prefix: str) -> list[str]:
    """Return the lines of the table of a given argument; its variable has a name that no credential has."""
    word = re.sub(r"[^A-Z0-9]+", "_", argument.strip("{}").upper()).strip("_") or "PARENT"
    variable = f"{prefix}_{word}{'_ID' if word.endswith('KEY') else ''}"
    about = f"the {argument.strip('{}')} of which a run tests the objects"
    return format_table(f"[given.{format_key(argument)}]", {"variable": variable, "test": value, "about": about})
