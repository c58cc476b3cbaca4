"""The names of a client's symbols: the generator's own, made safe for the code that it writes around them.

Python normalises identifiers (NFKC), so that a full-width ``ｓｅｌｆ`` is ``self``. The generator compares names as they are
written, and knows only Python's own words. `adapt_generator` normalises each name first, and reserves the words that the
generated code uses itself. A reserved name gets an underscore: the property ``cls`` is the attribute ``cls_``.
"""

import json
import unicodedata

from openapi_python_client import strings

from contract_watch.generator.client_runtime import _values

RESERVED_IN_MODELS = frozenset(
    (
        "additional_keys",
        "additional_properties",
        "cast",
        "cls",
        "d",
        "field_dict",
        "files",
        "from_dict",
        "json",
        "prop",
        "prop_name",
        "src_dict",
        "to_dict",
        "to_multipart",
        "types",
        "raw_values",
        "raw",
        *(name for name in dir(_values) if not name.startswith("_")),
        "show_extra",
    )
)
"""Variables, methods and imports of a generated class, in whose code each property is a variable too."""
RESERVED_CLASSES = frozenset(
    (
        "Any",
        "Api",
        "AsyncApi",
        "AsyncRawApi",
        "AuthenticatedClient",
        "BinaryIO",
        "BytesIO",
        "Client",
        "File",
        "FileTypes",
        "Generator",
        "HTTPStatus",
        "IntEnum",
        "Literal",
        "Mapping",
        "RawApi",
        "Received",
        "RequestFiles",
        "Response",
        "StrEnum",
        "T",
        "TextIO",
        "TypeVar",
        "UNSET",
        "UUID",
        "UndocumentedStatusError",
        "Unset",
    )
)
"""Classes and constants that generated modules import."""

_sanitize = strings.sanitize


def _sanitize_normalized(value: str) -> str:
    """Return the characters of ``value`` that an identifier may have, as Python reads them."""
    return _sanitize(unicodedata.normalize("NFKC", value))


def read_written(content: str) -> str:
    """Return the string that the generator writes as ``content`` between double quotes."""
    text: str = json.loads(f'"{content}"')
    return text


def adapt_generator() -> None:
    """Have the generator in this process choose names that Python reads as they are written; may be called again."""
    strings.RESERVED_WORDS |= RESERVED_IN_MODELS | RESERVED_CLASSES
    strings.sanitize = _sanitize_normalized
