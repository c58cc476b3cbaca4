"""The parser of ``rules.yaml``: rules as data, and the interpretations that they leave open.

A rule's `when` is a map of ``request``, ``object`` and ``account`` to JSON Schemas. Each part that it names must be valid.
A `clause` with a slash is one of the document's own, such as ``response/404``; another one is the rule's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from contract_watch.contracts.matchers import FreshSecret
from contract_watch.contracts.resource.rule import Rule
from contract_watch.contracts.yaml_file import load_yaml
from contract_watch.errors import UsageError

FILE = "rules.yaml"
_SECTIONS = {"rules": "rule", "effects": "effect"}
_PARTS = ("request", "object", "account")
_KEYS = {
    "of", "says", "when", "refuse", "or_granted", "interpretation", "scope", "clause",
    "sets", "resets", "forgets", "generates", "hides", "body",
}  # fmt: skip
_MAX_BYTES = 1_000_000
RESPONSE = "response"
"""The value of `clause` for a refusal that no document promises: its clause is that of the documented response."""
ANY = "any"
"""The value of `refuse` that stands for every documented refusal."""


@dataclass(frozen=True)
class RulesFile:
    """The rules of one vendor in the order of the file, and its interpretations by name, the likeliest value first."""

    rules: tuple[Rule, ...] = ()
    interpretations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def list_rules(self, operation: str) -> list[Rule]:
        """Return the rules of ``operation``."""
        return [rule for rule in self.rules if operation in rule.operations]


def load_rules(path: Path, refusals: Mapping[str, tuple[int, ...]]) -> RulesFile:
    """Load the rules of the file ``path``; a missing file holds none.

    ``refusals`` maps each operation to the statuses that `refuse: any` stands for.

    Raises:
        UsageError: the file is malformed, or names an unknown operation or interpretation.
    """
    if not path.exists():
        return RulesFile()
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _MAX_BYTES:
            raise UsageError(f"{path}: is longer than {_MAX_BYTES} bytes; split the contract")
        raw = load_yaml(text) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not YAML ({str(error).splitlines()[0]}); correct it") from error
    if not isinstance(raw, dict) or not raw.keys() <= {*_SECTIONS, "interpretations"}:
        raise UsageError(f"{path}: must be a map with the keys rules, effects and interpretations")
    interpretations = dict(_parse_interpretations(path, raw.get("interpretations", {})))
    rules: list[Rule] = []
    for section, prefix in _SECTIONS.items():
        table = {} if raw.get(section) is None else raw[section]
        if not isinstance(table, dict):
            raise UsageError(f"{path}: `{section}` must be a map from a rule's name to the rule")
        for name, one in table.items():
            rules += _RuleParser(path, f"{section}.{name}", str(name), prefix, refusals, interpretations).parse(one)
    return RulesFile(tuple(rules), interpretations)


def _parse_interpretations(path: Path, raw: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(raw, dict):
        raise UsageError(f"{path}: `interpretations` must be a map from a name to its values, the likeliest first")
    for name, values in raw.items():
        if not isinstance(values, list) or len(values) < 2 or not all(isinstance(value, str) for value in values):
            raise UsageError(
                f"{path}: interpretations.{name}: must be a list of two strings or more, the likeliest first, got {values!r}"
            )
        yield str(name), tuple(values)


class _RuleParser:
    """A parser of one rule; ``label`` names it in errors."""

    def __init__(
        self,
        path: Path,
        label: str,
        name: str,
        prefix: str,
        refusals: Mapping[str, tuple[int, ...]],
        interpretations: dict[str, tuple[str, ...]],
    ) -> None:
        self._where = f"{path}: {label}"
        self._name, self._prefix = name, prefix
        self._refusals, self._interpretations = refusals, interpretations

    def parse(self, raw: Any) -> Iterator[Rule]:
        """Yield the rule, once for each operation if its refusals differ by operation."""
        if not isinstance(raw, dict):
            raise UsageError(f"{self._where}: must be a map with `of` and `says`, got {raw!r}")
        if unknown := raw.keys() - _KEYS:
            raise UsageError(
                f"{self._where}: has the unknown key {min(map(str, unknown))!r}; use {', '.join(sorted(_KEYS))}"
            )
        operations = self._parse_operations(raw.get("of"))
        says = raw.get("says")
        if not isinstance(says, str) or not says.strip():
            raise UsageError(f"{self._where}: has no `says`; write a sentence")
        cited = str(raw.get("clause", self._name))
        clause = cited if cited == RESPONSE or "/" in cited else f"{self._prefix}/{cited}"
        when = self._parse_when(raw.get("when", {}))
        effects = self._parse_effects(raw)
        interpretation, values = self._parse_interpretation(raw.get("interpretation"))
        scope = raw.get("scope", "")
        if scope not in ("", "operation", "request"):
            raise UsageError(f"{self._where}: `scope` must be operation or request, got {scope!r}")
        for operation in operations:
            refuse = self._parse_refusals(operation, raw.get("refuse"))
            named, applied = interpretation, values
            if named and refuse and not applied and not set(map(str, refuse)) <= set(self._interpretations[named]):
                raise UsageError(
                    f"{self._where}: `refuse` must list statuses of the interpretation {named!r}, got {refuse}"
                )
            if len(refuse) > 1 and not interpretation:
                named, applied = self._name, ()
                extra = ("granted",) if raw.get("or_granted") else ()
                self._interpretations.setdefault(self._name, (*map(str, refuse), *extra))
                self._interpretations[self._name] = _merge(self._interpretations[self._name], map(str, refuse))
            yield Rule(
                self._name, clause, (operation,), says.strip(), when, refuse, named, applied, scope,
                bool(raw.get("or_granted")), **effects,
            )  # fmt: skip

    def _parse_operations(self, raw: Any) -> list[str]:
        operations = [raw] if isinstance(raw, str) else raw
        if not isinstance(operations, list) or not operations:
            raise UsageError(f"{self._where}: has no `of`; name the operations of the rule")
        for operation in operations:
            if not isinstance(operation, str) or operation not in self._refusals:
                known = ", ".join(self._refusals)
                raise UsageError(f"{self._where}: names the unknown operation {operation!r}; choose from {known}")
        return operations

    def _parse_when(self, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict) or not raw.keys() <= set(_PARTS):
            raise UsageError(f"{self._where}: `when` must map {', '.join(_PARTS)} to JSON Schemas, got {raw!r}")
        schema = {"type": "object", "properties": raw, "required": list(raw)}
        try:
            jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions(), offline=True)
        except ValueError as error:
            problem = str(error).splitlines()[0]
            raise UsageError(f"{self._where}: `when` is not a JSON Schema ({problem}); correct it") from error
        return schema

    def _parse_refusals(self, operation: str, raw: Any) -> tuple[int, ...]:
        if raw is None:
            return ()
        if raw == ANY:
            return self._refusals[operation]
        statuses = raw if isinstance(raw, list) else [raw]
        if not statuses or not all(type(status) is int and 400 <= status < 600 for status in statuses):
            raise UsageError(f"{self._where}: `refuse` must be a status, a list of statuses or `{ANY}`, got {raw!r}")
        return tuple(statuses)

    def _parse_interpretation(self, raw: Any) -> tuple[str, tuple[str, ...]]:
        if raw is None:
            return "", ()
        is_status = isinstance(raw, str)  # each value that is a status refuses with that status
        raw = {raw: list(self._interpretations.get(raw, ()))} if is_status else raw
        if not isinstance(raw, dict) or len(raw) != 1:
            raise UsageError(
                f"{self._where}: `interpretation` must map one name to the values under which the rule applies"
            )
        name, values = next(iter(raw.items()))
        values = [values] if isinstance(values, str) else values
        declared = self._interpretations.get(name)
        if declared is None:
            raise UsageError(
                f"{self._where}: names the unknown interpretation {name!r}; declare it in `interpretations`"
            )
        if not isinstance(values, list) or not values or not set(values) <= set(declared):
            raise UsageError(
                f"{self._where}: `interpretation.{name}` must be some of {', '.join(declared)}, got {values!r}"
            )
        return str(name), () if is_status else tuple(values)

    def _parse_effects(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        effects: dict[str, Any] = {}
        for key in ("sets", "body"):
            if key in raw:
                effects[key] = self._require(raw[key], dict, key, "a map from a property to its value")
        for key in ("resets", "forgets", "hides"):
            if key in raw:
                effects[key] = tuple(self._require(raw[key], list, key, "a list of properties"))
        if "generates" in raw:
            table = self._require(raw["generates"], dict, "generates", "a map from a property to shortest and longest")
            effects["generates"] = {name: self._parse_secret(name, bounds) for name, bounds in table.items()}
        return effects

    def _parse_secret(self, name: str, raw: Any) -> FreshSecret:
        numbers = isinstance(raw, dict) and raw.keys() == {"shortest", "longest"}
        if not numbers or not all(type(value) is int and value > 0 for value in raw.values()):
            raise UsageError(
                f"{self._where}: `generates.{name}` must have shortest and longest, in characters, got {raw!r}"
            )
        length = min(max(raw["shortest"], 24), raw["longest"])
        return FreshSecret(raw["shortest"], raw["longest"], length)

    def _require(self, value: Any, kind: type[Any], key: str, description: str) -> Any:
        if not isinstance(value, kind):
            raise UsageError(f"{self._where}: `{key}` must be {description}, got {value!r}")
        return value


def _merge(values: tuple[str, ...], more: Any) -> tuple[str, ...]:
    """Return ``values`` with the ones of ``more`` that are missing, before ``granted``."""
    rest = [value for value in values if value != "granted"]
    merged = list(dict.fromkeys([*rest, *more]))
    return (*merged, "granted") if "granted" in values else tuple(merged)
