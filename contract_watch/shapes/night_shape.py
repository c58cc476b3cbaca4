"""The shapes of one night, read from the form in which the history keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NightField:
    """One field in one night; see `contract_watch.shapes.observation.FieldShape`."""

    seen: int
    of: int
    types: Mapping[str, int]
    formats: Mapping[str, int]
    values: Mapping[str, int] | None

    @property
    def share(self) -> float:
        """Return the share of parents that had the field."""
        return self.seen / self.of if self.of else 0.0

    @property
    def steady_formats(self) -> list[str]:
        """Return the formats that every string of the field had."""
        strings = self.types.get("string", 0)
        return [name for name, count in self.formats.items() if strings and count == strings]


@dataclass(frozen=True)
class NightShape:
    """The responses of one operation and status in one night."""

    responses: int
    headers: Mapping[str, int]
    fields: Mapping[str, NightField]
    is_truncated: bool

    def get_field(self, pointer: str) -> NightField | None:
        """Return a field, with ``seen`` 0 if only its parent came; None if not even that came."""
        if pointer in self.fields:
            return self.fields[pointer]
        parent = pointer.rpartition("/")[0]
        holder = self.fields.get(parent)
        objects = self.responses if not parent else holder.types.get("object", 0) if holder is not None else 0
        return NightField(0, objects, {}, {}, {}) if objects and not pointer.endswith("/*") else None


def read_night_shape(content: Mapping[str, Any]) -> NightShape:
    """Return the shape in ``content``, which `ResponseShape.to_json` made.

    Raises:
        KeyError, TypeError, ValueError: it is malformed.
    """
    fields = {
        str(pointer): NightField(int(one["seen"]), int(one["of"]), one["types"], one["formats"], one["values"])
        for pointer, one in content["fields"].items()
    }
    return NightShape(int(content["responses"]), content["headers"], fields, bool(content["is_truncated"]))
