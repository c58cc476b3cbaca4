"""SMTP2GO's interpretations, and the rules that only prose states."""

from itertools import permutations

ADD, EDIT, PATCH = "addSmtpUser", "editSmtpUser", "patchSmtpUser"
REMOVE, VIEW = "removeSmtpUser", "viewSmtpUsers"

SETTERS = (ADD, EDIT, PATCH)
"""The operations that set a user's settings."""

PROPERTIES = (
    "email_password",
    "description",
    "custom_ratelimit",
    "custom_ratelimit_value",
    "custom_ratelimit_period",
    "ip_pool",
    "feedback_enabled",
    "feedback_domain",
    "feedback_html",
    "feedback_text",
    "open_tracking_enabled",
    "click_tracking_enabled",
    "archive_enabled",
    "audit_email",
    "bounce_notifications",
    "status",
)
"""The settings of requests and responses, without the name."""

_REFUSALS = ("400", "404", "402", "403")
"""The possible statuses of a refusal that no page documents, from the vendor's table, the most likely first."""

INTERPRETATIONS: dict[str, tuple[str, ...]] = {
    "names": ("exact", "folded"),
    "stored-names": ("verbatim", "lowered"),
    "odd-names": ("accepted", "refused"),
    "name-taken": (*_REFUSALS, "replaced", "kept"),
    "unique": ("account", "global"),
    "removed-name": ("free", "taken"),
    "unknown-user": _REFUSALS,
    "unknown-removal": (*_REFUSALS, "200"),
    "unknown-subaccount": (*_REFUSALS, "ignored"),
    "unknown-pool": ("accepted", *_REFUSALS),
    "archiving": ("accepted", "402", "403", "400"),
    "unknown-properties": ("ignored", "refused"),
    "nothing-to-patch": ("200", "400"),
    "absent-body": ("empty", "refused"),
    "odd-values": ("accepted", "refused"),
    "incomplete-ratelimit": ("accepted", "refused"),
    "ratelimit-bounds": ("everywhere", "edit"),
    "shown-periods": ("verbatim", "clock"),
    "omitted-password": ("kept", "generated", "emptied"),
    "omitted-status": ("allowed", "kept"),
    "omitted-text": ("empty", "null", "absent"),
    "shown-passwords": ("shown", "hidden"),
    "shown-clicks": ("patched", "always", "never"),
    "patched-rows": ("whole", "sent"),
    "bearer-case": ("any", "exact"),
    "key-order": tuple("-".join(order) for order in permutations(("header", "body", "bearer"))),
    "head": ("405", "200"),
    "options": ("405", "204"),
}

_EFFECT_SENTENCES = {
    ADD: "Responses contain the {} that add set, or its default.",
    EDIT: "Responses contain the {} that a full edit set, or its default if it had none.",
    PATCH: "Responses contain the {} that a patch set.",
}

RULES: dict[str, str] = {
    f"{ADD}/rule/name-taken": "Adding a user with a name that exists in the account creates no second one.",
    f"{ADD}/rule/refused-changes-nothing": "A rejected request creates no user.",
    f"{ADD}/effect/username": "An added user is listed.",
    f"{EDIT}/rule/name-unknown": "A full edit of a user that does not exist in the account is rejected.",
    f"{PATCH}/rule/name-unknown": "A patch of a user that does not exist in the account is rejected.",
    f"{REMOVE}/rule/name-unknown": "Removing a user that does not exist in the account is rejected or removes none.",
    f"{EDIT}/effect/untouched": "A full edit changes no other user.",
    f"{PATCH}/effect/untouched": "A patch changes no setting that it does not name, and no other user.",
    f"{REMOVE}/effect/untouched": "A removal changes no other user.",
    f"{REMOVE}/effect/removed": "A removed user is no longer listed.",
    f"{VIEW}/rule/only-named": "A view of one user contains that one only; a view of an unknown one is an empty list.",
    **{
        f"{operation}/rule/permission": "A key without permission for an operation is rejected with 400 and that code."
        for operation in (*SETTERS, REMOVE, VIEW)
    },
    **{
        f"{operation}/rule/{name}": sentence
        for operation in SETTERS
        for name, sentence in {
            "password-entropy": "A password has at least 64 bits of entropy.",
            "ratelimit-period": "A rate limit's period is a count of hours, days, weeks or months, or a time.",
        }.items()
    },
    **{
        f"{operation}/effect/password-generated": "A blank password is replaced by a generated one of 128 bits or more."
        for operation in SETTERS
    },
    **{
        f"{operation}/effect/{name}": _EFFECT_SENTENCES[operation].format(name)
        for operation in SETTERS
        for name in PROPERTIES
        if (operation, name) != (PATCH, "feedback_domain")
    },
}
