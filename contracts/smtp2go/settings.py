"""What a user has after a request: what it set, what fell back to its default, what nobody can know."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.smtp2go.rules import ADD, EDIT, PATCH, PROPERTIES
from contracts.smtp2go.users import DEFAULTS, FEEDBACK, GENERATED, RATELIMIT, UNKNOWN, Smtp2goState, Smtp2goUser
from contracts.smtp2go.validity import Validity, classify_value, predict_stored_value


def build_added_user(state: Smtp2goState, account: str, name: str, body: Mapping[str, Any]) -> Smtp2goUser:
    """A new user."""
    sent = _get_sent_settings(state, ADD, body)
    owed = {setting: f"{ADD}/effect/{setting}" for setting in ("username", *PROPERTIES)}
    settings = _normalise_settings(state, {**DEFAULTS, **sent})
    password = _get_password(state, ADD, body) if "email_password" in body else GENERATED
    return Smtp2goUser(account, name, password, settings, frozenset(sent), owed, frozenset(owed))


def build_edited_user(state: Smtp2goState, user: Smtp2goUser, body: Mapping[str, Any]) -> Smtp2goUser:
    """``user`` after a full edit."""
    sent = _get_sent_settings(state, EDIT, body)
    defaults = {**DEFAULTS, "status": UNKNOWN}  # add's default is published, full edit's is not
    if state.is_complete:
        defaults["status"] = user.settings["status"] if state.get_choice("omitted-status") == "kept" else "allowed"
    owed = {**user.clause_by_setting, **{setting: f"{EDIT}/effect/{setting}" for setting in PROPERTIES}}
    password = _get_password(state, EDIT, body) if "email_password" in body else user.password
    settings = _normalise_settings(state, {**defaults, **sent})
    return replace(user, password=password, settings=settings, sent_settings=frozenset(sent), clause_by_setting=owed,
                   unviewed_changes=frozenset(PROPERTIES))  # fmt: skip


def build_patched_user(state: Smtp2goState, user: Smtp2goUser, body: Mapping[str, Any]) -> Smtp2goUser:
    """``user`` after a patch."""
    sent = _get_sent_settings(state, PATCH, body)
    if sent.pop("feedback_domain", None) is not None and not state.is_complete:
        sent["feedback_domain"] = UNKNOWN  # the patch's page has no such property: it may be ignored, or not
    named = {setting for setting in PROPERTIES if setting in body and setting != "feedback_domain"}
    owed = {**user.clause_by_setting, **{setting: f"{PATCH}/effect/{setting}" for setting in named}}
    password = _get_password(state, PATCH, body) if "email_password" in body else user.password
    settings = _normalise_settings(state, {**user.settings, **sent})
    return replace(user, password=password, settings=settings, sent_settings=user.sent_settings | set(sent), clause_by_setting=owed,
                   unviewed_changes=frozenset(named) if state.is_complete else user.unviewed_changes | named)  # fmt: skip


def _get_password(state: Smtp2goState, operation: str, body: Mapping[str, Any]) -> Any:
    """The password after a request that names one; a blank one is to be generated."""
    sent = body["email_password"]
    if not sent:
        return GENERATED
    good = classify_value(operation, "email_password", sent) is Validity.VALID
    return sent if good or state.is_complete else UNKNOWN


def _get_sent_settings(state: Smtp2goState, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a request names, as they are known afterwards. The mock takes them as they are."""
    sent = {setting: body[setting] for setting in DEFAULTS if setting in body}
    if state.is_complete:
        return {setting: DEFAULTS[setting] if value == "" else value for setting, value in sent.items()}
    return {setting: predict_stored_value(operation, setting, value) for setting, value in sent.items()}


def _normalise_settings(state: Smtp2goState, settings: dict[str, Any]) -> dict[str, Any]:
    """``settings`` without what holds only beside another: a rate limit that is off, feedback that is."""
    if state.is_complete:
        off = settings["custom_ratelimit"] is not True
        return {**settings, **dict.fromkeys(RATELIMIT)} if off else settings
    if settings["custom_ratelimit"] is False:  # value and period hold only while it is on
        settings = {**settings, **dict.fromkeys(RATELIMIT)}
        idle = []
    else:
        idle = [name for name in RATELIMIT if settings["custom_ratelimit"] is not True or settings[name] is None]
    idle += FEEDBACK if settings["feedback_enabled"] is not True else ()
    return {**settings, **dict.fromkeys(idle, UNKNOWN)}
