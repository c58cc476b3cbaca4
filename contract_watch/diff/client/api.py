"""The public API of a generated client as plain data, read from its source; nothing of it is imported or executed.

A symbol has the name that code imports it by: the shortest ``__all__`` that lists it (``acme_client.models.User``, not
``acme_client.models.user.User``), otherwise the module that defines it. Attributes and methods follow a dot, parameters
are in parentheses: ``acme_client.api.users.add_user.sync(body)``. Names with a leading underscore are private.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import griffe

from contract_watch.diff.client.types import ClientType, read_type
from contract_watch.errors import UsageError

ATTRS_CLASS = ("attrs.define", "attrs.frozen")
ATTRS_FIELD = "attrs.field"
_MAX_MEMBERS = 5_000
"""Members of one class, or as many in several as take the same time: some ten seconds."""
_SMALL_FILE_BYTES = 10_000
_ENUM_BASES = ("enum.Enum", "enum.StrEnum", "enum.IntEnum")


@dataclass(frozen=True)
class ClientParameter:
    """One parameter; ``kind`` is griffe's term (``keyword-only``), ``position`` counts from 0, ``default`` is source."""

    name: str
    kind: str
    type: ClientType | None
    default: str | None
    position: int


@dataclass(frozen=True)
class ClientFunction:
    """A function or a method."""

    parameters: tuple[ClientParameter, ...]
    returns: ClientType | None


@dataclass(frozen=True)
class ClientAttribute:
    """An attribute of a class or a module; ``is_init_argument`` is True if the constructor takes it, ``default`` is source."""

    type: ClientType | None
    default: str | None
    is_init_argument: bool = False

    @property
    def is_required(self) -> bool:
        """True if the constructor requires it."""
        return self.is_init_argument and self.default is None


@dataclass(frozen=True)
class ClientClass:
    """A class.

    ``enum_members`` maps the names of an enumeration to values (source), None for any other class.
    ``is_keyword_only`` is True if its constructor takes no argument by position.
    """

    bases: tuple[str, ...]
    attributes: Mapping[str, ClientAttribute]
    methods: Mapping[str, ClientFunction]
    enum_members: Mapping[str, str] | None
    is_keyword_only: bool = False


@dataclass(frozen=True)
class ClientApi:
    """The public symbols of a package, by public name; ``griffe_module`` is griffe's model of the same package."""

    package: str
    modules: frozenset[str]
    functions: Mapping[str, ClientFunction]
    classes: Mapping[str, ClientClass]
    values: Mapping[str, ClientAttribute]
    public_names: Mapping[str, str] = field(compare=False, repr=False)
    griffe_module: griffe.Module = field(compare=False, repr=False)

    @cached_property
    def bases(self) -> dict[str, str]:
        """The first base of every class that has one."""
        return {name: found.bases[0] for name, found in self.classes.items() if found.bases}

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Every public name, including parameters, attributes and members of enumerations."""
        return frozenset(self._iterate_symbols())

    def _iterate_symbols(self) -> Iterator[str]:
        yield from (*self.modules, *self.classes, *self.values)
        methods = {f"{name}.{own}": method for name, one in self.classes.items() for own, method in one.methods.items()}
        for name, function in {**self.functions, **methods}.items():
            yield name
            yield from (f"{name}({parameter.name})" for parameter in function.parameters)
        for name, one in self.classes.items():
            yield from (f"{name}.{own}" for own in (*one.attributes, *(one.enum_members or ())))


def _check_size(package: Path) -> None:
    """Refuse a package that griffe would read for minutes: its time is the square of the members of each class."""
    work = 0
    for path in sorted(package.rglob("*.py")):
        if path.stat().st_size < _SMALL_FILE_BYTES:
            continue
        bodies = (
            node.body for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ClassDef | ast.Module)
        )
        work += sum(len(body) ** 2 for body in bodies)
        if work > _MAX_MEMBERS**2:
            raise UsageError(f"{package.name}: a client with more than {_MAX_MEMBERS:,} members in one class is not compared; "
                             "leave the largest enumeration out of the document")  # fmt: skip


def read_api(directory: Path, package: str) -> ClientApi:
    """Read the API of the package ``package`` in ``directory``.

    Raises:
        UsageError: the package is missing, is not valid Python, or has too many members in its classes.
    """
    if not (directory / package / "__init__.py").is_file():
        raise UsageError(f"{directory}: has no package {package}; run `make generate`")
    try:
        _check_size(directory / package)
        loaded = griffe.load(package, search_paths=[directory], try_relative_path=False, allow_inspection=False)
    except (griffe.LoadingError, SyntaxError) as error:
        raise UsageError(f"{directory / package}: is not valid Python; run `make generate`") from error
    if not isinstance(loaded, griffe.Module):
        raise UsageError(f"{directory / package}: is not a package; run `make generate`")
    modules = list(_iterate_modules(loaded))
    public = _find_public_names(modules)
    nameable = [module for module in modules if _is_nameable(module, public)]
    functions: dict[str, ClientFunction] = {}
    classes: dict[str, ClientClass] = {}
    values: dict[str, ClientAttribute] = {}
    for module in modules:
        for member in _iterate_public_members(module):
            name = public.get(member.path, member.path)
            if isinstance(member, griffe.Function):
                functions[name] = _read_function(member, public)
            elif isinstance(member, griffe.Class):
                classes[name] = _read_class(member, public)
            elif isinstance(member, griffe.Attribute) and member.name in (module.exports or ()):
                values[name] = _read_attribute(member, public, is_init_argument=False)
    return ClientApi(package, frozenset(m.path for m in nameable), functions, classes, values, public, loaded)


def _iterate_modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for inner in module.modules.values():
        if isinstance(inner, griffe.Module) and not inner.name.startswith("_"):
            yield from _iterate_modules(inner)


def _iterate_public_members(module: griffe.Module) -> Iterator[griffe.Object]:
    """Yield the objects that ``module`` itself defines and that are public."""
    for member in module.members.values():
        if isinstance(member, griffe.Function | griffe.Class | griffe.Attribute) and member.is_public:
            yield member


def _find_public_names(modules: list[griffe.Module]) -> dict[str, str]:
    """Return the shortest exported name of each exported object, by its full name."""
    names: dict[str, str] = {}
    for module in modules:
        for exported in module.exports or ():
            member = module.members.get(str(exported))
            if isinstance(member, griffe.Alias):
                shorter = f"{module.path}.{exported}"
                names[member.target_path] = min(names.get(member.target_path, shorter), shorter, key=len)
    return names


def _is_nameable(module: griffe.Module, public: Mapping[str, str]) -> bool:
    """Return True if code names ``module``: it is a package, or defines an object without a shorter name."""
    listed = module.exports or ()
    own = [
        one for one in _iterate_public_members(module) if not isinstance(one, griffe.Attribute) or one.name in listed
    ]
    return module.is_init_module or any(one.path not in public for one in own)


def _read_function(function: griffe.Function, public: Mapping[str, str]) -> ClientFunction:
    parameters = [
        ClientParameter(
            parameter.name,
            parameter.kind.value if parameter.kind is not None else "",
            read_type(parameter.annotation, public),
            None if parameter.default is None else str(parameter.default),
            position,
        )
        for position, parameter in enumerate(function.parameters)
    ]
    return ClientFunction(tuple(parameters), read_type(function.returns, public))


def _read_class(griffe_class: griffe.Class, public: Mapping[str, str]) -> ClientClass:
    bases = tuple(
        public.get(path, path)
        for path in (base.canonical_path if isinstance(base, griffe.Expr) else base for base in griffe_class.bases)
    )
    own = [member for member in griffe_class.members.values() if member.is_public]
    attributes = {member.name: member for member in own if isinstance(member, griffe.Attribute)}
    is_attrs = any(decorator.callable_path in ATTRS_CLASS for decorator in griffe_class.decorators)
    enumeration = any(base in _ENUM_BASES for base in bases)
    return ClientClass(
        bases,
        {}
        if enumeration
        else {
            name: _read_attribute(one, public, is_init_argument=is_attrs and _is_init_argument(one))
            for name, one in attributes.items()
        },
        {member.name: _read_function(member, public) for member in own if isinstance(member, griffe.Function)},
        {name: str(one.value) for name, one in attributes.items()} if enumeration else None,
        is_keyword_only=any(
            str(_get_keyword_arguments(decorator.value).get("kw_only")) == "True"
            for decorator in griffe_class.decorators
        ),
    )


def _is_init_argument(attribute: griffe.Attribute) -> bool:
    """Return True if the constructor of an attrs class takes ``attribute``."""
    if attribute.annotation is None or "property" in attribute.labels:
        return False
    return str(_get_keyword_arguments(attribute.value).get("init")) != "False"


def _read_attribute(
    attribute: griffe.Attribute, public: Mapping[str, str], *, is_init_argument: bool
) -> ClientAttribute:
    default = None if attribute.value is None else str(attribute.value)
    if isinstance(attribute.value, griffe.ExprCall) and attribute.value.function.canonical_path == ATTRS_FIELD:
        options = _get_keyword_arguments(attribute.value)
        default = next((str(options[name]) for name in ("default", "factory") if name in options), None)
    return ClientAttribute(read_type(attribute.annotation, public), default, is_init_argument)


def _get_keyword_arguments(value: str | griffe.Expr | None) -> dict[str, str | griffe.Expr]:
    """Return the keyword arguments of a call; empty if ``value`` is not a call."""
    if not isinstance(value, griffe.ExprCall):
        return {}
    return {one.name: one.value for one in value.arguments if isinstance(one, griffe.ExprKeyword)}
