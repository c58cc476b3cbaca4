"""The parameters of a request that is about to leave, as the guard reads them: from the bytes, every value of each."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.contracts.nested_names import split_name
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import is_parameter_key, parse_cookies, parse_query, strip_location


def normalize_name(name: str) -> str:
    """Normalize an argument's name as the most lenient server would: case, dashes and Unicode form do not count."""
    normalized = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in normalized if character.isalnum())


class ParameterReader:
    """Reads the parameters outside the path. ``roles`` are the arguments that name objects, of any operation.

    A query parameter names an object if any part of its name is the name of such an argument; a header or cookie only
    if the contract says so.
    """

    def __init__(self, roles: Iterable[str]) -> None:
        bare: dict[str, set[str]] = {"query": set(), "header": set(), "cookie": set()}
        for name in roles:
            location = name.partition(":")[0] if is_parameter_key(name) else "query"
            bare[location].add(normalize_name(strip_location(name.strip("{}"))))
            bare["query"].add(normalize_name(strip_location(name.strip("{}"))))
        self._names = bare

    @staticmethod
    def is_declared(operation: Operation, query: str) -> bool:
        """Return True if every pair of a query belongs to a declared parameter, however a server separates them."""
        specs = [spec for spec in operation.specs.values() if spec.location == "query"]
        return ";" not in query and all(any(spec.claims(name) for spec in specs) for name, _ in parse_query(query))

    def read(self, operation: Operation, query: str, headers: Mapping[str, str]) -> dict[str, list[str]]:
        """Return every text under each key; ``headers`` have lower-case names."""
        found: dict[str, list[str]] = {}
        spelled = {spec.name.lower(): spec.name for spec in operation.specs.values() if spec.location == "header"}
        for name, text in parse_query(query):
            found.setdefault(f"query:{name}", []).append(text)
        for name, text in headers.items():
            if name in spelled or normalize_name(name) in self._names["header"]:
                found[f"header:{spelled.get(name, name)}"] = [text]
        for name, text in parse_cookies(headers.get("cookie", "")):
            found.setdefault(f"cookie:{name}", []).append(text)
        return found

    def names_object(self, key: str) -> bool:
        """Return True if the parameter ``key`` may name an object."""
        location, _, name = key.partition(":")
        return any(normalize_name(part) in self._names[location] for part in (name, *split_name(name)))


def nest_pairs(content: bytes) -> list[tuple[str, Any]]:
    """Return the pairs of a form, each part of a nested name as a name of its own, so that the guard looks at each.

    Raises:
        ValueError: it is no form, or servers may separate its pairs in another way.
    """
    text = content.decode("ascii")
    if ";" in text:
        raise ValueError("a form with semicolons")
    return [(part, value) for name, value in parse_query(text) for part in dict.fromkeys((name, *split_name(name)))]
