"""The public API of a client package as lines of text, and the comparison of two such records.

One line describes one symbol: ``<kind> <name> <signature>``, without the package's name. The kinds are ``class``, ``function``, ``argument``, ``field``,
``member`` (of an enumeration) and ``value``. Functions and methods have a line for themselves and one for each argument, so
a new optional argument changes no line. The record also holds the names that a package imports from its private modules.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import griffe

from contract_watch.diff.client.api import ClientApi, read_api
from contract_watch.escaping import format_code_span

_PROTOCOL = frozenset(
    f"__{name}__"
    for name in ("aenter", "aexit", "contains", "delitem", "enter", "exit", "getitem", "iter", "len", "setitem")
)
"""Special methods that callers use through syntax."""
_REQUIRED = ", required"
Member = griffe.Object | griffe.Alias


def list_api(directory: Path, package: str) -> list[str]:
    """Return the sorted lines for the package ``package`` in ``directory``; nothing of it is executed.

    Raises:
        UsageError: the package is missing or is not valid Python.
    """
    api = read_api(directory, package)
    return sorted({line.replace(f"{package}.", "") for line in _Reader(api).list_lines()})


def list_breaks(recorded: Sequence[str], found: Sequence[str]) -> list[str]:
    """Return a message for each symbol whose users break; one of an added argument names the argument."""
    old, new = (dict(_split(line) for line in lines) for lines in (recorded, found))
    messages = []
    for symbol, signature in old.items():
        if symbol not in new:
            messages.append(f"{symbol} is gone")
        elif not _fits(symbol, signature, new[symbol]):
            messages.append(f"{symbol} was {format_code_span(signature)} and is {format_code_span(new[symbol])}")
    messages += [f"{symbol} is new and required" for symbol in new.keys() - old.keys() if _demands(symbol, old, new)]
    return sorted(messages)


def _split(line: str) -> tuple[str, str]:
    kind, name, *signature = line.split(" ", 2)
    return f"{kind} {name}", " ".join(signature)


def _fits(symbol: str, was: str, now: str) -> bool:
    """Return True if code for the signature ``was`` also fits ``now``: an argument may accept more."""
    if was == now or not symbol.startswith("argument "):
        return was == now
    (old_type, old_default), (new_type, new_default) = (_split_default(text) for text in (was, now))
    if old_default != new_default and not (old_default == _REQUIRED and new_default != _REQUIRED):
        return False
    return _list_alternatives(old_type) <= _list_alternatives(new_type)


def _split_default(signature: str) -> tuple[str, str]:
    if signature.endswith(_REQUIRED):
        return signature.removesuffix(_REQUIRED), _REQUIRED
    kind, _, default = signature.partition(" = ")
    return kind, default


def _list_alternatives(text: str) -> set[str]:
    try:
        return set(_walk_alternatives(ast.parse(text, mode="eval").body))
    except SyntaxError:
        return {text}


def _walk_alternatives(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.BinOp):
        yield from (*_walk_alternatives(node.left), *_walk_alternatives(node.right))
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
        values = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        yield from (f"Literal {ast.unparse(one)}" for one in values)
    else:
        yield ast.unparse(node)


def _demands(symbol: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Return True if the new ``symbol`` makes code for the old ones incomplete."""
    kind, _, name = symbol.partition(" ")
    if not new[symbol].endswith(_REQUIRED):
        return False
    if kind == "argument":
        return f"function {name.partition('(')[0]}" in old
    owner = name.rpartition(".")[0]
    if kind != "field" or f"class {owner}" not in old:
        return False
    short = owner.rpartition(".")[2]
    return any(one.startswith("argument ") and short in _name_parts(text) for one, text in old.items())


def _name_parts(text: str) -> set[str]:
    return set("".join(one if one.isidentifier() or one.isdigit() else " " for one in text).split())


class _Reader:
    """Reads one package."""

    def __init__(self, api: ClientApi) -> None:
        self._api = api
        self._names = dict(api.public_names)

    def list_lines(self) -> Iterator[str]:
        """Yield the lines of every public symbol."""
        waiting = [self._api.griffe_module]
        while waiting:
            module = waiting.pop()
            waiting += [one for one in module.modules.values() if isinstance(one, griffe.Module) and one.name[0] != "_"]
            listed = {str(one) for one in module.exports or ()}
            for name, member in module.members.items():
                is_own = not isinstance(member, griffe.Alias) and member.is_public
                if (name in listed or is_own) and (module.exports is None or name in listed):
                    yield from self._describe(member, is_listed=name in listed)

    def _describe(self, member: Member, *, is_listed: bool) -> Iterator[str]:
        found = member.final_target if isinstance(member, griffe.Alias) else member
        name = self._names.get(found.path, found.path)
        if isinstance(found, griffe.Function):
            yield from self._describe_function(name, found)
        elif isinstance(found, griffe.Class):
            yield from self._describe_class(name, found)
        elif isinstance(found, griffe.Attribute) and is_listed:
            public = member.path if isinstance(member, griffe.Alias) else name
            kind = str(found.annotation or "")
            yield f"value {public} {kind}".rstrip()

    def _describe_function(self, name: str, function: griffe.Function, *, is_method: bool = False) -> Iterator[str]:
        words = "async " if "async" in function.labels else ""
        yield f"function {name} {words}-> {function.returns or 'None'}"
        parameters = [one for one in function.parameters if not (is_method and one.name in ("self", "cls"))]
        for position, one in enumerate(parameters):
            kind = one.kind.value if one.kind is not None else ""
            # The place of a positional argument is part of its signature.
            shown = f"{one.name}" if kind == "keyword-only" else f"{one.name}@{position}"
            default = _REQUIRED if one.default is None else f" = {one.default}"
            default = "" if kind.startswith("variadic") else default
            yield f"argument {name}({shown}) {one.annotation or 'Any'}{default}"

    def _describe_class(self, name: str, found: griffe.Class) -> Iterator[str]:
        bases = [self._names.get(path, path) for path in _list_base_paths(found)]
        shown = [one for one in bases if not _is_private(one)]
        yield f"class {name} ({', '.join(shown)})"
        known = self._api.classes.get(name)
        for own, member in self._iterate_members(found, has_private_base=len(shown) < len(bases)):
            if isinstance(member, griffe.Function):
                yield from self._describe_function(
                    f"{name}.{own}", member, is_method="staticmethod" not in member.labels
                )
            elif known is not None and known.enum_members is not None:
                yield f"member {name}.{own} = {member.value}"
            else:
                field = known.attributes.get(own) if known is not None else None
                required = _REQUIRED if field is not None and field.is_required else ""
                yield f"field {name}.{own} {_find_field_type(found, member)}{required}"

    def _iterate_members(
        self, found: griffe.Class, *, has_private_base: bool
    ) -> Iterator[tuple[str, griffe.Function | griffe.Attribute]]:
        """Yield the public members, with those that come from a private base class."""
        for name, member in {**found.inherited_members, **found.members}.items():
            target = member.final_target if isinstance(member, griffe.Alias) else member
            if not isinstance(target, griffe.Function | griffe.Attribute):
                continue
            owner = target.path.rpartition(".")[0]
            if owner != found.path and self._names.get(owner, owner) != owner:
                continue  # it is in the lines of the public base
            is_constructor = name == "__init__" and not has_private_base
            if name[0] != "_" or name in _PROTOCOL or is_constructor:
                yield name, target


def _find_field_type(owner: griffe.Class, field: griffe.Attribute) -> str:
    """Return the type of a field; one that the constructor fills has the type of its argument."""
    constructor = owner.members.get("__init__")
    if field.annotation is None and isinstance(constructor, griffe.Function):
        if isinstance(field.value, griffe.ExprCall):
            return str(field.value.function)
        found = next((one.annotation for one in constructor.parameters if one.name == str(field.value)), None)
        return str(found or "Any")
    return str(field.annotation or "Any")


def _list_base_paths(found: griffe.Class) -> list[str]:
    return [base if isinstance(base, str) else base.canonical_path for base in found.bases]


def _is_private(path: str) -> bool:
    return any(part.startswith("_") for part in path.split(".")) or path.startswith("typing.")
