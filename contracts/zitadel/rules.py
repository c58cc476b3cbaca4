"""ZITADEL's interpretations, and the rules that only prose or the vendor's source states."""

ADD, GET, REMOVE = "addSmtpConfig", "getSmtpConfigById", "removeSmtpConfig"
LIST = "listSmtpConfigs"
ACTIVATE, DEACTIVATE = "activateSmtpConfig", "deactivateSmtpConfig"
PASSWORD, EMAIL_PASSWORD = "updateSmtpConfigPassword", "updateEmailProviderSmtpPassword"
PASSWORDS = (PASSWORD, EMAIL_PASSWORD)
"""The deprecated operation and its successor, which do the same."""
CHANGE_OPERATIONS = (ADD, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
ID_OPERATIONS = (GET, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
READ_OPERATIONS = (GET, LIST)
"""The operations that change nothing; both need the same permission."""

STRING_FIELDS = ("senderAddress", "senderName", "host", "user", "replyToAddress", "description")
SETTINGS = (*STRING_FIELDS, "tls")
"""The settings that add sets and reads return; no response contains the password."""

INTERPRETATIONS: dict[str, tuple[str, ...]] = {
    # Authorisation comes before validation; no document orders it and the decoding of the body.
    "decoding": ("after-authorisation", "before-authorisation"),
    "bearer-case": ("exact", "any"),
    # Changes need iam.write, both reads iam.read by the vendor's proto file. An account without iam.write can have
    # iam.read or not.
    "read-permission": ("refused", "granted"),
    # The source requires an active configuration; the reference leaves an inactive one open.
    "inactive-password": ("404", "200"),
    "deactivate-inactive": ("400", "200", "404"),
    "remove-active": ("200", "400"),
    "absent-body": ("empty", "400"),
    "null-body": ("400", "empty"),
    # The source rejects a host that it cannot split into host and port; the documents only name both.
    "unread-body": ("decoded", "ignored"),
    "host-without-port": ("400", "200"),
    "spaces": ("trimmed", "kept"),
    # Empty details of an error are omitted; no document says if an error with an id in its message has details.
    "error-details": ("shown", "omitted"),
    # Ids have up to 100 characters; only the messages of activation and deactivation allow 200.
    "longest-id": ("200", "100"),
    # The source sets one of the two dates in the response to a change; the reference's example has both.
    "change-dates": ("change", "both"),
    "activation-dates": ("creation", "change", "both"),
    # The list's message also has the reply-to address; the vendor's source does not set it.
    "listed-reply-to": ("omitted", "shown"),
    # The suite waits for a change to become visible; only the mock follows this interpretation.
    "projection": ("current", "lagging"),
    "head": ("405", "200"),
    "options": ("405", "204"),
}

_CHANGE_NAMES = {
    ADD: "An addition",
    ACTIVATE: "An activation",
    DEACTIVATE: "A deactivation",
    REMOVE: "A removal",
    PASSWORD: "A new password",
    EMAIL_PASSWORD: "A new password",
}

RULES: dict[str, str] = {
    **{f"{name}/rule/permission": "Changing anything needs the permission iam.write: 403, code 7." for name in CHANGE_OPERATIONS},
    **{f"{name}/rule/id-unknown": "An unknown or removed id is 404, code 5." for name in ID_OPERATIONS},
    f"{ACTIVATE}/rule/already-active": "Activating the active configuration is 400, code 9.",
    f"{ADD}/rule/one-spelling": "A field under both of its names in one message is 400, code 3.",
    f"{ADD}/effect/created": "An added configuration can be read by the id in the response.",
    f"{ADD}/effect/once": "An addition creates one configuration, a rejected one creates none.",
    f"{ADD}/effect/state": "A new configuration is inactive.",
    **{f"{ADD}/effect/{name}": f"A read returns the {name} that add set; an empty one is omitted."
       for name in SETTINGS},
    f"{ADD}/effect/snake-case": "Fields can have the names of the message (reply_to_address).",
    f"{ADD}/effect/null-unset": "A null is the same as an absent field.",
    f"{ACTIVATE}/effect/state": "An activated configuration is active.",
    f"{ACTIVATE}/effect/others": "Activating one configuration deactivates all others.",
    f"{DEACTIVATE}/effect/state": "A deactivated configuration is inactive.",
    f"{REMOVE}/effect/removed": "A removed configuration can no longer be read, and is not listed.",
    f"{LIST}/effect/complete": "The pages of the list contain every configuration of the instance once.",
    f"{LIST}/effect/as-read": "The list returns the same values of a configuration as a read by its id.",
    f"{LIST}/effect/limit": "A page has at most as many configurations as its limit.",
    f"{LIST}/effect/offset": "A page skips as many configurations as its offset.",
    **{f"{name}/effect/sequence": f"{change} returns the object's new sequence, and a read returns the same."
       for name, change in _CHANGE_NAMES.items()},
    **{f"{name}/effect/untouched": f"{change} changes no setting that it does not name, and no other configuration."
       for name, change in _CHANGE_NAMES.items()},
    **{f"{name}/effect/unknown-ignored": "Fields that the message does not have are ignored."
       for name in (ADD, LIST, *PASSWORDS)},
    **{f"{name}/effect/path-id": "The id in the path counts; an id in the body is ignored." for name in PASSWORDS},
    **{f"{name}/effect/any-password": "An empty or an unchanged password is accepted." for name in PASSWORDS},
}  # fmt: skip
