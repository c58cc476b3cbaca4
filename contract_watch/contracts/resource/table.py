"""The `[resource]` table of ``contract.toml``: what the document does not say about the objects of a vendor."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ResourceTable:
    """The table, with properties named as requests spell them.

    ``unique`` lists the properties whose value only one object of an account can have, by default the name that the
    caller chooses. ``unordered`` lists arrays in any order, without repetition. ``normalised`` maps properties to the way
    in which a vendor may normalise a value: ``case``, ``domain``, ``address``, ``number`` or ``space``. ``unset`` maps properties to
    values that mean "not sent". ``shown_as`` maps properties to their names in responses. ``hidden`` lists properties that
    no response shows, ``omits`` values that none shows, such as empty ones. ``secrets`` are those that are secret although
    responses show them: they are compared, and never written down. ``uncertain`` lists properties whose value is never
    compared, ``volatile`` those that the vendor
    changes on its own until a request sets them; ``open`` maps such a property to the interpretation whose values a new
    object can have. ``defaults`` maps properties to the value that create stores without
    one, beside the document's own defaults; those of ``empty`` are empty without one. ``alike`` maps a property to the interpretation whose values mean the same,
    ``forms`` a property to the interpretation whose values are the forms that responses can show it in: ``array`` or
    ``encoded`` (JSON in a string), ``boolean`` or ``integer``, or ``absent``.
    ``loose`` lists operations whose response may show any objects. ``changed`` is the property of rows with the time of the last change. ``full`` lists updates that reset what they do
    not name. ``invalid``, ``unknown`` and ``taken`` are the statuses of a request that violates its schema, names an
    unknown object, or a value that is taken; several statuses are an interpretation, the likeliest first.
    ``filters`` maps an argument of the list to the property of rows that it selects them by. ``idempotency`` is the
    argument that makes a repeated create answer with the first object. ``sanitised`` says that the vendor may change a
    name outside the documented pattern instead of refusing it. ``names`` is the form of the names that a run gives, where a
    plain one is no valid name: ``{n}@example.com`` or ``{n}.example.com``. ``tenants`` maps an account to the one that owns the
    objects which it sees. ``keywords`` maps a keyword of a request's schema to the rule that states it in prose.
    ``refusals`` maps a status, or an operation's as in ``createUser/404``, to properties that the mock shows in a refusal;
    rules add their own. ``unserved`` maps a status to those of a refusal that no operation documents, such as an unknown
    path's. ``error_code`` points to the one of these that identifies the error, so it must be the same.
    """

    unique: list[str] = field(default_factory=list)
    unordered: list[str] = field(default_factory=list)
    normalised: dict[str, str] = field(default_factory=dict)
    unset: dict[str, Any] = field(default_factory=dict)
    shown_as: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    omits: list[Any] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)
    volatile: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    alike: dict[str, str] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    changed: str = ""
    full: list[str] = field(default_factory=list)
    invalid: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    idempotency: str = ""
    sanitised: bool = False
    names: str = ""
    tenants: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, Any] = field(default_factory=dict)
    unserved: dict[str, Any] = field(default_factory=dict)
    error_code: str = ""
