"""What a user has after a request: what it set, what fell back to its default, what nobody can know."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.smtp2go.rules import ADD, EDIT, PATCH, PROPERTIES
from contracts.smtp2go.users import DEFAULTS, FEEDBACK, GENERATED, RATELIMIT, UNKNOWN, State, User
from contracts.smtp2go.validity import Verdict, stored, verdict


def added(state: State, account: str, name: str, body: Mapping[str, Any]) -> User:
    """A new user."""
    sent = _sent(state, ADD, body)
    owed = {setting: f"{ADD}/effect/{setting}" for setting in ("username", *PROPERTIES)}
    settings = _settled(state, {**DEFAULTS, **sent})
    password = _password(state, ADD, body) if "email_password" in body else GENERATED
    return User(account, name, password, settings, frozenset(sent), owed, frozenset(owed))


def edited(state: State, user: User, body: Mapping[str, Any]) -> User:
    """``user`` after a full edit."""
    sent = _sent(state, EDIT, body)
    defaults = {**DEFAULTS, "status": UNKNOWN}  # add's default is published, full edit's is not
    if state.knows_all:
        defaults["status"] = user.settings["status"] if state.told("omitted-status") == "kept" else "allowed"
    owed = {**user.owed, **{setting: f"{EDIT}/effect/{setting}" for setting in PROPERTIES}}
    password = _password(state, EDIT, body) if "email_password" in body else user.password
    settings = _settled(state, {**defaults, **sent})
    return replace(user, password=password, settings=settings, explicit=frozenset(sent), owed=owed,
                   fresh=frozenset(PROPERTIES))  # fmt: skip


def patched(state: State, user: User, body: Mapping[str, Any]) -> User:
    """``user`` after a patch."""
    sent = _sent(state, PATCH, body)
    if sent.pop("feedback_domain", None) is not None and not state.knows_all:
        sent["feedback_domain"] = UNKNOWN  # the patch's page has no such property: it may be ignored, or not
    named = {setting for setting in PROPERTIES if setting in body and setting != "feedback_domain"}
    owed = {**user.owed, **{setting: f"{PATCH}/effect/{setting}" for setting in named}}
    password = _password(state, PATCH, body) if "email_password" in body else user.password
    settings = _settled(state, {**user.settings, **sent})
    return replace(user, password=password, settings=settings, explicit=user.explicit | set(sent), owed=owed,
                   fresh=frozenset(named) if state.knows_all else user.fresh | named)  # fmt: skip


def _password(state: State, operation: str, body: Mapping[str, Any]) -> Any:
    """The password after a request that names one; a blank one is to be generated."""
    sent = body["email_password"]
    if not sent:
        return GENERATED
    good = verdict(operation, "email_password", sent) is Verdict.GOOD
    return sent if good or state.knows_all else UNKNOWN


def _sent(state: State, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a request names, as they are known afterwards. The mock takes them as they are."""
    sent = {setting: body[setting] for setting in DEFAULTS if setting in body}
    if state.knows_all:
        return {setting: DEFAULTS[setting] if value == "" else value for setting, value in sent.items()}
    return {setting: stored(operation, setting, value) for setting, value in sent.items()}


def _settled(state: State, settings: dict[str, Any]) -> dict[str, Any]:
    """``settings`` without what holds only beside another: a rate limit that is off, feedback that is."""
    if state.knows_all:
        off = settings["custom_ratelimit"] is not True
        return {**settings, **dict.fromkeys(RATELIMIT)} if off else settings
    if settings["custom_ratelimit"] is False:  # value and period hold only while it is on
        settings = {**settings, **dict.fromkeys(RATELIMIT)}
        idle = []
    else:
        idle = [name for name in RATELIMIT if settings["custom_ratelimit"] is not True or settings[name] is None]
    idle += FEEDBACK if settings["feedback_enabled"] is not True else ()
    return {**settings, **dict.fromkeys(idle, UNKNOWN)}
