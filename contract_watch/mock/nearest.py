"""The explanation of a request whose path no contract declares: the nearest operation, and why it did not match."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from contract_watch.contracts.path_templates import SegmentTemplate, match_template, parse_template
from contract_watch.escaping import escape_text

MAX_LENGTH = 300
"""Characters of a path that are compared and shown."""
_MAX_METHOD = 40
_COMPARED = 5
"""Operations whose texts are compared; these are the ones that share most segments with the path."""
_LEAST_RATIO = 0.6
"""The similarity from which a path without a common segment counts as a misspelled one."""
_MAX_CACHED = 512


@dataclass(frozen=True)
class DeclaredRoute:
    """One method of one path that the mock serves: ``path`` is its template with the base path."""

    vendor: str
    operation: str
    method: str
    base_path: str
    path: str

    @property
    def template(self) -> Sequence[SegmentTemplate]:
        """The segments of the path."""
        return parse_template(self.path)

    def matches(self, path: str) -> bool:
        """Return True if a decoded path matches the template."""
        return match_template(self.template, path.split("/")) is not None

    def matches_any_case(self, path: str) -> bool:
        """Return True if a decoded path matches the template but for the case of its letters."""
        return match_template(parse_template(self.path.lower()), path.lower().split("/")) is not None

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" ({self.operation})" if self.operation else "")

    def describe(self) -> Mapping[str, str]:
        """Return vendor, operation, method and path."""
        return {"vendor": self.vendor, "operation": self.operation, "method": self.method, "path": self.path}


class PathExplainer:
    """The explanations of unknown paths, among ``routes``."""

    def __init__(self, routes: Sequence[DeclaredRoute]) -> None:
        self._routes = routes
        self._bases = sorted({route.base_path for route in routes if route.base_path})
        self._explain = lru_cache(maxsize=_MAX_CACHED)(self._find_explanation)

    def explain(self, method: str, path: str) -> tuple[str, DeclaredRoute | None]:
        """Return the reason why a decoded path is unknown, in one line, and the nearest route."""
        return self._explain(method[: _MAX_METHOD + 1], path[:MAX_LENGTH])

    def _find_explanation(self, method: str, path: str) -> tuple[str, DeclaredRoute | None]:
        problem, route = "no such path", None
        for one, found in self._list_slips(path):
            routes = list(found)
            if routes:
                problem, route = one, _choose_method(routes, method)
                break
        route = route or self._find_similar(method, path)
        nearest = f"; nearest is {route}" if route is not None else ""
        return f"{escape_text(method, _MAX_METHOD)} {escape_text(path, MAX_LENGTH)}: {problem}{nearest}", route

    def _list_slips(self, path: str) -> Iterator[tuple[str, Iterable[DeclaredRoute]]]:
        """Yield each slip that explains a path, with the routes that the corrected path matches."""
        routes = self._routes
        yield (
            "the path ends with a slash",
            (one for one in routes if path[-1:] == "/" and one.matches(path.rstrip("/"))),
        )
        plain = "/" + "/".join(filter(None, path.split("/")))
        yield "the path has an empty segment", (one for one in routes if plain != path and one.matches(plain))
        yield "the path differs in case", (one for one in routes if one.matches_any_case(path))
        for base in self._bases:
            yield (
                f"base path {base} is missing",
                (one for one in routes if one.base_path == base and one.matches(base + path)),
            )
            twice = path.removeprefix(base)
            yield f"base path {base} is there twice", (one for one in routes if twice != path and one.matches(twice))
        first, _, rest = path.removeprefix("/").partition("/")
        yield f"/{escape_text(first, 60)} is no base path", (one for one in routes if rest and one.matches("/" + rest))

    def _find_similar(self, method: str, path: str) -> DeclaredRoute | None:
        segments = path.split("/")
        known = set(filter(None, segments))
        scored = [
            (
                _count_common(route, segments, known),
                len(route.template) == len(segments),
                route.method == method,
                -number,
            )
            for number, route in enumerate(self._routes)
        ]
        best: tuple[float, DeclaredRoute] | None = None
        for common, _, _, number in heapq.nlargest(_COMPARED, scored):
            route = self._routes[-number]
            ratio = SequenceMatcher(None, path, _fill_in(route, segments), autojunk=False).ratio()
            score = common / max(len(segments), len(route.template)) + ratio + 0.1 * (route.method == method)
            if (common or ratio >= _LEAST_RATIO) and (best is None or score > best[0]):
                best = score, route
        return best[1] if best is not None else None


def _count_common(route: DeclaredRoute, segments: Sequence[str], known: set[str]) -> int:
    """Return the number of literal segments that a route shares with a path, those at its start twice."""
    literals = {one.literals[0] for one in route.template if one.is_literal and one.literals[0]}
    start = 0
    for expected, segment in zip(route.template[1:], segments[1:], strict=False):
        if expected.match(segment) is None:
            break
        start += expected.is_literal
    return len(literals & known) + start


def _fill_in(route: DeclaredRoute, segments: Sequence[str]) -> str:
    """Return the path of a route with the segments of another path in place of its parameters."""
    given = [*segments[: len(route.template)], *[""] * (len(route.template) - len(segments))]
    return "/".join(
        one.literals[0] if one.is_literal else text for one, text in zip(route.template, given, strict=True)
    )


def _choose_method(routes: Sequence[DeclaredRoute], method: str) -> DeclaredRoute:
    return next((route for route in routes if route.method == method), routes[0])
