"""The settings of a user after a request: those that it set, the defaults, and the unknown ones."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.smtp2go.rules import ADD, EDIT, PATCH, PROPERTIES
from contracts.smtp2go.users import DEFAULTS, FEEDBACK, GENERATED, RATELIMIT, UNKNOWN, Smtp2goState, Smtp2goUser
from contracts.smtp2go.validity import Validity, classify_value, predict_stored_value


def build_added_user(state: Smtp2goState, account: str, name: str, body: Mapping[str, Any]) -> Smtp2goUser:
    """Build a new user."""
    sent = _get_sent_settings(state, ADD, body)
    clauses = {setting: f"{ADD}/effect/{setting}" for setting in ("username", *PROPERTIES)}
    settings = _normalise_settings(state, {**DEFAULTS, **sent})
    password = _get_password(state, ADD, body) if "email_password" in body else GENERATED
    return Smtp2goUser(account, name, password, settings, frozenset(sent), clauses, frozenset(clauses))


def build_edited_user(state: Smtp2goState, user: Smtp2goUser, body: Mapping[str, Any]) -> Smtp2goUser:
    """Return ``user`` after a full edit."""
    sent = _get_sent_settings(state, EDIT, body)
    defaults = {**DEFAULTS, "status": UNKNOWN}  # add's default is published, full edit's is not
    if state.is_complete:
        defaults["status"] = user.settings["status"] if state.get_choice("omitted-status") == "kept" else "allowed"
    clauses = {**user.clause_by_setting, **{setting: f"{EDIT}/effect/{setting}" for setting in PROPERTIES}}
    password = _get_password(state, EDIT, body) if "email_password" in body else user.password
    settings = _normalise_settings(state, {**defaults, **sent})
    return replace(user, password=password, settings=settings, sent_settings=frozenset(sent), clause_by_setting=clauses,
                   unviewed_changes=frozenset(PROPERTIES))  # fmt: skip


def build_patched_user(state: Smtp2goState, user: Smtp2goUser, body: Mapping[str, Any]) -> Smtp2goUser:
    """Return ``user`` after a patch."""
    sent = _get_sent_settings(state, PATCH, body)
    if sent.pop("feedback_domain", None) is not None and not state.is_complete:
        sent["feedback_domain"] = UNKNOWN  # not on the page of patch, so the vendor can ignore it or not
    named = {setting for setting in PROPERTIES if setting in body and setting != "feedback_domain"}
    clauses = {**user.clause_by_setting, **{setting: f"{PATCH}/effect/{setting}" for setting in named}}
    password = _get_password(state, PATCH, body) if "email_password" in body else user.password
    settings = _normalise_settings(state, {**user.settings, **sent})
    unviewed_changes = frozenset(named) if state.is_complete else user.unviewed_changes | named
    return replace(user, password=password, settings=settings, sent_settings=user.sent_settings | set(sent),
                   clause_by_setting=clauses, unviewed_changes=unviewed_changes)  # fmt: skip


def _get_password(state: Smtp2goState, operation: str, body: Mapping[str, Any]) -> Any:
    """Return the password after a request with one; a blank one makes the vendor generate it."""
    password = body["email_password"]
    if not password:
        return GENERATED
    is_valid = classify_value(operation, "email_password", password) is Validity.VALID
    return password if is_valid or state.is_complete else UNKNOWN


def _get_sent_settings(state: Smtp2goState, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known values of the settings in a request; the mock stores them unchanged."""
    sent = {setting: body[setting] for setting in DEFAULTS if setting in body}
    if state.is_complete:
        return {setting: DEFAULTS[setting] if value == "" else value for setting, value in sent.items()}
    return {setting: predict_stored_value(operation, setting, value) for setting, value in sent.items()}


def _normalise_settings(state: Smtp2goState, settings: dict[str, Any]) -> dict[str, Any]:
    """Reset the settings that depend on a disabled one: of a rate limit, of feedback."""
    if state.is_complete:
        off = settings["custom_ratelimit"] is not True
        return {**settings, **dict.fromkeys(RATELIMIT)} if off else settings
    if settings["custom_ratelimit"] is False:  # value and period apply only while it is on
        settings = {**settings, **dict.fromkeys(RATELIMIT)}
        unknown = []
    else:
        unknown = [name for name in RATELIMIT if settings["custom_ratelimit"] is not True or settings[name] is None]
    unknown += FEEDBACK if settings["feedback_enabled"] is not True else ()
    return {**settings, **dict.fromkeys(unknown, UNKNOWN)}
