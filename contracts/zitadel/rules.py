"""ZITADEL's open readings, and the rules that only prose or the vendor's source states."""

ADD, GET, REMOVE = "addSmtpConfig", "getSmtpConfigById", "removeSmtpConfig"
LIST = "listSmtpConfigs"
ACTIVATE, DEACTIVATE = "activateSmtpConfig", "deactivateSmtpConfig"
PASSWORD, EMAIL_PASSWORD = "updateSmtpConfigPassword", "updateEmailProviderSmtpPassword"
PASSWORDS = (PASSWORD, EMAIL_PASSWORD)
"""The deprecated operation and its successor: one call under two names."""
CHANGE_OPERATIONS = (ADD, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
ID_OPERATIONS = (GET, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
READ_OPERATIONS = (GET, LIST)
"""What changes nothing; both need the same permission."""

STRING_FIELDS = ("senderAddress", "senderName", "host", "user", "replyToAddress", "description")
SETTINGS = (*STRING_FIELDS, "tls")
"""What add sets and reading shows: everything but the password, which nothing shows."""

INTERPRETATIONS: dict[str, tuple[str, ...]] = {
    # Authorisation comes before validation; whether it comes before a body is decoded at all is not said.
    "decoding": ("after-authorisation", "before-authorisation"),
    "bearer-case": ("exact", "any"),
    # iam.write is documented for changes, iam.read by the vendor's proto file for both ways to read; whether an account
    # without the one has the other is its owner's affair.
    "read-permission": ("refused", "granted"),
    # The source wants an active configuration; the reference's words leave an inactive one open.
    "inactive-password": ("404", "200"),
    "deactivate-inactive": ("400", "200", "404"),
    "remove-active": ("200", "400"),
    "absent-body": ("empty", "400"),
    "null-body": ("400", "empty"),
    # The source splits host and port, and refuses what it cannot split; the documents only say that both belong there.
    "unread-body": ("decoded", "ignored"),
    "host-without-port": ("400", "200"),
    "spaces": ("trimmed", "kept"),
    # The details of an error are omitted where they are empty; whether they are so beside an id in the text is not said.
    "error-details": ("shown", "omitted"),
    # Ids have up to 100 characters; the messages of activation and deactivation alone allow 200.
    "longest-id": ("200", "100"),
    # Which of the two dates an answer to a change says: the source fills one, the reference's example shows both.
    "change-dates": ("change", "both"),
    "activation-dates": ("creation", "change", "both"),
    # The list's message has the answer address as well; the vendor's source does not fill it in.
    "listed-reply-to": ("omitted", "shown"),
    # Whether reading shows a change at once. The suite waits for it; only the mock makes a difference.
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
    **{f"{name}/rule/id-unknown": "An id that no configuration has, or has no more, is 404, code 5." for name in ID_OPERATIONS},
    f"{ACTIVATE}/rule/already-active": "Activating the active configuration is 400, code 9.",
    f"{ADD}/rule/one-spelling": "A field spelled both ways in one message is 400, code 3.",
    f"{ADD}/effect/created": "An added configuration can be read by the id that the answer gave.",
    f"{ADD}/effect/once": "An addition makes one configuration, and one that is refused makes none.",
    f"{ADD}/effect/state": "A new configuration is inactive.",
    **{f"{ADD}/effect/{name}": f"Reading shows the {name} that add set; it is omitted where it is nothing."
       for name in SETTINGS},
    f"{ADD}/effect/snake-case": "Fields may be spelled as the message spells them (reply_to_address).",
    f"{ADD}/effect/null-unset": "A null is a field that was not sent.",
    f"{ACTIVATE}/effect/state": "An activated configuration is active.",
    f"{ACTIVATE}/effect/others": "Activating one configuration deactivates all others.",
    f"{DEACTIVATE}/effect/state": "A deactivated configuration is inactive.",
    f"{REMOVE}/effect/removed": "A removed configuration cannot be read any more, and is not listed.",
    f"{LIST}/effect/complete": "The list has every configuration of the instance, each once, on as many pages as it takes.",
    f"{LIST}/effect/as-read": "The list shows a configuration as reading it by its id does.",
    f"{LIST}/effect/limit": "A page has no more configurations than its limit says.",
    f"{LIST}/effect/offset": "A page leaves out as many configurations as its offset says.",
    **{f"{name}/effect/sequence": f"{said} answers the object's new sequence, and reading shows it."
       for name, said in _CHANGE_NAMES.items()},
    **{f"{name}/effect/untouched": f"{said} leaves alone what it does not name, and every other configuration."
       for name, said in _CHANGE_NAMES.items()},
    **{f"{name}/effect/unknown-ignored": "Fields that the message does not have are ignored."
       for name in (ADD, LIST, *PASSWORDS)},
    **{f"{name}/effect/path-id": "The id in the path counts, whatever id the body says." for name in PASSWORDS},
    **{f"{name}/effect/any-password": "An empty or an unchanged password is taken." for name in PASSWORDS},
}  # fmt: skip
