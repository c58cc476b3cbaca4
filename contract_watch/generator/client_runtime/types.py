"""Types that the modules of this package share."""

from collections.abc import Iterator, Mapping
from typing import IO, Any, BinaryIO, Generic, Literal, TypeVar

from ._secrets import mask_header
from .errors import APIResponseValidationError


class Unset:
    """The type of `UNSET`, the value of a field that nobody has set; there is one instance, copies and pickles included."""

    _instance: "Unset | None" = None

    def __new__(cls) -> "Unset":  # noqa: PYI034 - there is one instance, of this class
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __copy__(self) -> "Unset":
        return self

    def __deepcopy__(self, memo: object) -> "Unset":
        return self

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()

FileContent = IO[bytes] | bytes | str
"""The content of a file in a form."""
FileTypes = (
    # (filename, file (or bytes), content_type)
    tuple[str | None, FileContent, str | None]
    # (filename, file (or bytes), content_type, headers)
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = list[tuple[str, FileTypes]]


class File:
    """A file to upload."""

    def __init__(self, payload: BinaryIO, file_name: str | None = None, mime_type: str | None = None) -> None:
        self.payload = payload
        self.file_name = file_name
        self.mime_type = mime_type

    def to_tuple(self) -> FileTypes:
        """Return the file as a part of a form."""
        return self.file_name, self.payload, self.mime_type


class Headers(Mapping[str, str]):
    """Response headers; names ignore case. A header that came twice has its values joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, items: Mapping[str, str] | list[tuple[str, str]] = ()) -> None:  # type: ignore[assignment]
        self._values: dict[str, tuple[str, str]] = {}
        for name, value in items.items() if isinstance(items, Mapping) else items:
            known = self._values.get(name.lower())
            self._values[name.lower()] = (name, value) if known is None else (name, f"{known[1]}, {value}")

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({ {name: mask_header(name, value) for name, value in self._values.values()}!r})"


T_co = TypeVar("T_co", covariant=True)


class Response(Generic[T_co]):
    """A response and what was read from it.

    Attributes:
        parsed: The parsed body; None if the status is not documented, has no body, or the body is not as documented.
        status_code: The HTTP status.
        headers: The headers; names ignore case.
        content: The body as it came, decompressed.
        error: The reason that the body could not be read as documented, else None.
        method: The method of the request.
        url: The address of the request, without secrets.
        request_id: The vendor's id of the request, if it sent one.
        attempts: The number of requests that were sent.
    """

    __slots__ = ("attempts", "content", "error", "headers", "method", "parsed", "request_id", "status_code", "url")

    def __init__(
        self,
        status_code: int,
        content: bytes,
        headers: Headers,
        parsed: T_co,
        *,
        error: APIResponseValidationError | None = None,
        method: str = "",
        url: str = "",
        request_id: str | None = None,
        attempts: int = 1,
    ) -> None:
        self.status_code = status_code
        self.content = content
        self.headers = headers
        self.parsed = parsed
        self.error = error
        self.method = method
        self.url = url
        self.request_id = request_id
        self.attempts = attempts

    @property
    def status(self) -> int:
        """The HTTP status, as `APIError.status`."""
        return self.status_code

    def __repr__(self) -> str:
        return f"<Response {self.status_code} to {self.method} {self.url}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        own: Any = (self.status_code, self.content, dict(self.headers), self.parsed)
        return bool(own == (other.status_code, other.content, dict(other.headers), other.parsed))

    __hash__ = None  # type: ignore[assignment] # a body is mutable


__all__ = ["UNSET", "File", "FileTypes", "Headers", "RequestFiles", "Response", "Unset"]
