"""JetEmail's interpretations, and the rules that only prose states."""

from itertools import permutations

from contracts.jetemail import names
from contracts.jetemail.users import DEFAULTS

CREATE, UPDATE, DELETE, LIST = "createSmtpUser", "updateSmtpUser", "deleteSmtpUser", "listSmtpUsers"

INTERPRETATIONS: dict[str, tuple[str, ...]] = {
    "order": tuple("-".join(order) for order in permutations(("400", "403", "404", "409"))),
    "names": ("refused", "sanitised", "lowered"),
    "sanitiser": names.SANITISERS,
    "lookup": ("exact", "sanitised"),
    "unique": ("account", "global"),
    "unknown-properties": ("ignored", "refused"),
    "unknown-only-update": ("400", "200"),
    "rename-to-itself": ("200", "409", "400"),
    "impossible-name": ("404", "400"),
    "stored-flag": ("400", "200-clear", "200-keep"),
    "bearer-case": ("any", "exact"),
    "password-length": ("characters", "utf16", "bytes"),
    "patterns": ("corrected", "published"),
    "stored-values": ("verbatim", "normalised"),
    "new-status": ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked"),
    "list-inactive": ("inactive", "disabled"),
    "list-texts": ("encoded", "array"),
    "list-all-domains": ("integer", "absent", "boolean"),
    "head": ("405", "200"),
    "options": ("405", "204"),
}

RULES: dict[str, str] = {
    f"{CREATE}/rule/name-taken": "Creating a user with a name that exists in the account is 409.",
    f"{CREATE}/rule/flags-exclusive": "allowAnyDomain and allowAllDomains cannot both be enabled: 400.",
    f"{CREATE}/rule/paid-feature": "allowAnyDomain needs a paid plan: 403.",
    f"{CREATE}/rule/password-not-returned": "Create does not return a password that the request sent.",
    f"{CREATE}/rule/password-generated": "Create returns a generated password when the request sent none.",
    f"{CREATE}/rule/refused-changes-nothing": "A rejected request creates no user.",
    f"{UPDATE}/rule/name-unknown": "Updating a user that does not exist in the account is 404.",
    f"{UPDATE}/rule/name-taken": "Renaming a user to a name that exists in the account is 409.",
    f"{UPDATE}/rule/flags-exclusive": "allowAnyDomain and allowAllDomains cannot both be enabled: 400.",
    f"{UPDATE}/rule/paid-feature": "allowAnyDomain needs a paid plan: 403.",
    f"{UPDATE}/rule/no-updates": "An update without a change is 400.",
    f"{UPDATE}/effect/untouched": "An update changes no setting that it does not name, and no other user.",
    f"{DELETE}/effect/untouched": "A deletion changes no other user.",
    f"{DELETE}/rule/name-unknown": "Deleting a user that does not exist in the account is 404.",
    f"{DELETE}/effect/removed": "A deleted user is no longer listed, and its name is free.",
    f"{UPDATE}/effect/newUsername": "A renamed user is listed under its new name only, and the old one is free.",
    f"{CREATE}/effect/username": "A created user is listed.",
    f"{LIST}/rule/own-account": "The list shows the account's own users only.",
    **{f"{CREATE}/effect/{name}": f"The list shows the {name} that create set, or its default." for name in DEFAULTS},
    **{f"{UPDATE}/effect/{name}": f"The list shows the {name} that an update set." for name in (*DEFAULTS, "status")},
}
