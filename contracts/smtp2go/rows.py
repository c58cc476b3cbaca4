"""How answers show users: what was set has to stand in them, what was not may be shown as nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    Constant,
    Expected,
    Fields,
    FreshSecret,
    Listing,
    Mismatch,
    Path,
    Pattern,
    Promised,
    Where,
)
from contracts.smtp2go import passwords, periods
from contracts.smtp2go.names import fold, may_meet
from contracts.smtp2go.rules import ADD, PATCH, PROPERTIES, VIEW
from contracts.smtp2go.users import RATELIMIT, UNKNOWN, State, User

_NONE = (None, "")
_NO_PERIOD = "0:00:00"
_MAY_BE_LEFT_OUT = ("email_password", "click_tracking_enabled")
"""What was set and need not be shown: a deprecated property, and one that only the patch's page knows in answers."""
_SHOWN_AS = {"ip_pool": "ippool"}


@dataclass(frozen=True)
class Replacement(FreshSecret):
    """A fresh secret that is not ``old``."""

    old: str = field(default="", repr=False)

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        yield from super().mismatches(value, path)
        if value == self.old:
            yield Mismatch(path, "value", "another password than before")


def fresh_password(old: Any = UNKNOWN) -> FreshSecret:
    """A password that the vendor generates, in place of ``old`` where that is known."""
    bounds = (passwords.SHORTEST_GENERATED, passwords.LONGEST, 24)
    return Replacement(*bounds, old) if isinstance(old, str) else FreshSecret(*bounds)


def listing(state: State, user: User, operation: str, password: Pattern | None = None) -> Listing:
    """The rows of an answer to a change of ``user``: that user, as it is now, and nobody else."""
    clause = user.owed["username"] if operation == ADD else f"{operation}/response/200"
    row = shown_user(state, user, operation, password)
    known = {user.name: Expected(row, clause)}
    return Listing("username", known, absent=lambda _name: clause)


def named_by_the_answer(state: State, user: User, password: Pattern | None) -> Listing:
    """The same where only the answer tells what the vendor made of an odd name."""
    accepts: Callable[[str], bool] = lambda name: may_meet(user.name, name)  # noqa: E731
    row = shown_user(state, user, ADD, password, name=Where(user.name, lambda _name: True, "a name"))
    return Listing("username", {}, [Expected(row, f"{ADD}/effect/username", accepts)])


def overview(state: State, account: str, asked: str | None) -> Listing:
    """What a view shows: the account's users, each once, as they were last set; or the one asked for."""
    found = state.find(account, asked) if asked is not None else None
    wanted = state.mine(account) if asked is None else [found] if found is not None else []
    known = {u.name: Expected(shown_user(state, u, VIEW), u.owed["username"], otherwise=state.suspect(u, "username"))
             for u in wanted}  # fmt: skip

    def absent(name: str) -> str | None:
        if asked is not None and not _may_match(asked, name):
            return f"{VIEW}/rule/only-named"
        if any(user.name == name for user in state.users) or not state.known_absent(name, account):
            return None
        return state.gone.get(name, f"{ADD}/rule/refused-changes-nothing")

    return Listing("username", known, absent=absent)


def _may_match(asked: str, name: str) -> bool:
    """Whether a view of ``asked`` may show ``name``: how a name is looked for no page says, part of it may do."""
    return fold(asked) in fold(name) or may_meet(asked, name)


def shown_user(
    state: State, user: User, operation: str, password: Pattern | None = None, name: Pattern | None = None
) -> Fields:
    """One user as ``operation`` shows it; ``password`` and ``name`` are their patterns where the answer is to tell them."""
    required: dict[str, Pattern] = {"username": name or Constant(user.name)}
    optional: dict[str, Pattern] = {}
    said = set[str]()
    for setting in PROPERTIES:
        pattern = _pattern(state, user, setting, password)
        if pattern is None:
            continue
        shown, clause = _SHOWN_AS.get(setting, setting), user.owed.get(setting)
        if clause is not None:
            pattern = Promised(clause, pattern, state.suspect(user, setting))
        (required if _has_to_be_shown(user, setting) else optional)[shown] = pattern
        if state.knows_all and _is_said(state, user, setting, operation):
            said.add(shown)
    allowed = Where(True, lambda value: isinstance(value, bool), "true or false")
    if operation == PATCH:
        return _patched_row(state, user, required, {**optional, "sending_allowed": allowed}, said | {"sending_allowed"})
    if "custom_ratelimit" in optional:
        required["custom_ratelimit"] = optional.pop("custom_ratelimit")
    return Fields({**required, "sending_allowed": allowed}, optional, said=frozenset(said & optional.keys()))


def _patched_row(
    state: State, user: User, required: dict[str, Pattern], optional: dict[str, Pattern], said: set[str]
) -> Fields:
    """The row of a patch's answer: its page's example leaves most out, so only the name has to be there.

    The mock says all that it would say elsewhere, or only what the patch named.
    """
    every = {**optional, **required}
    if "custom_ratelimit" in every:
        every["custom_rate_limit"] = every["custom_ratelimit"]  # as the page spells it in answers
    named = {"username": every.pop("username")}
    if not state.knows_all:
        return Fields(named, every)
    sent = {_SHOWN_AS.get(setting, setting) for setting in user.fresh}
    shown = sent if state.told("patched-rows") == "sent" else said | required.keys()
    return Fields(named, every, said=frozenset(shown & every.keys()))


def _has_to_be_shown(user: User, setting: str) -> bool:
    """Whether a request set it to something."""
    named = setting in user.explicit and setting not in _MAY_BE_LEFT_OUT
    return named and user.settings[setting] is not None and user.settings[setting] is not UNKNOWN


def _is_said(state: State, user: User, setting: str, operation: str) -> bool:
    """Whether the mock says a setting that need not be shown."""
    if setting == "email_password":
        return state.told("shown-passwords") == "shown"
    if setting == "click_tracking_enabled":
        shown = state.told("shown-clicks")
        return shown == "always" or (shown == "patched" and operation == PATCH)
    if setting == "ip_pool":
        return user.settings[setting] is not None
    return user.settings[setting] is not None or state.told("omitted-text") != "absent" or setting in RATELIMIT


def _pattern(state: State, user: User, setting: str, password: Pattern | None) -> Pattern | None:
    """What a setting must be shown as; None where anything will do."""
    if setting == "email_password":
        return password or _password(user.password)
    wanted = user.settings[setting]
    if wanted is UNKNOWN:
        return None
    if wanted is None:
        return _nothing(state, setting)
    if not isinstance(wanted, str):
        return Constant(wanted)
    if setting == "custom_ratelimit_period":
        said = periods.clock(wanted) if state.knows_all and state.told("shown-periods") == "clock" else wanted
        return Where(said, lambda value: isinstance(value, str) and periods.same(value, wanted), f"the period {wanted}")
    if setting in ("audit_email", "bounce_notifications", "feedback_domain"):
        same = wanted.casefold()
        return Where(wanted, lambda value: isinstance(value, str) and value.casefold() == same, wanted)
    return Constant(wanted)


def _password(wanted: Any) -> Pattern | None:
    if wanted is UNKNOWN:
        return None
    if wanted is None:
        return Where("", lambda value: value in _NONE, "no password")
    return Where(wanted, lambda value: value == wanted, "the password that was set")


def _nothing(state: State, setting: str) -> Pattern:
    """How nothing is shown: of texts no page says it; a custom rate limit that there is not is null and `0:00:00`."""
    if setting == "custom_ratelimit_period":
        return Where(_NO_PERIOD, lambda value: value in (*_NONE, _NO_PERIOD), _NO_PERIOD)
    if setting in ("custom_ratelimit_value", "ip_pool"):
        return Where(None, lambda value: value is None or (value == 0 and value is not False), "null")
    nothing: tuple[Any, ...] = (*_NONE, "default") if setting == "feedback_domain" else _NONE
    empty: Mapping[str, Any] = {"audit_email": None, "feedback_domain": "default"}
    said = None if state.knows_all and state.told("omitted-text") == "null" else empty.get(setting, "")
    return Where(said, lambda value: value in nothing, "nothing")
