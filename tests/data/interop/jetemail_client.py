"""PyPI's ``jetemail``: its own request method makes SMTP users. Prints one line of JSON for each check.

Runs in the environment that `tests.support.interop.environments` makes, with the mock's address and two keys as arguments.
"""

import json
import sys
from typing import Any

from jetemail import JetEmail, JetEmailError  # type: ignore[import-not-found]

_PATH = "/outbound/smarthost"


def run_check(client: Any, name: str, body: dict[str, Any]) -> None:
    """One creation, and what the client made of its answer."""
    seen: dict[str, Any]
    try:
        seen = {"answer": client._request(_PATH, body)}  # noqa: SLF001 (the package has no public one for this)
    except JetEmailError as error:
        seen = {"refusal": {"status": error.status_code, "message": error.message, "body": error.response}}
    print(json.dumps({"check": name, **seen}), flush=True)


def main() -> None:
    """Run all checks."""
    address, paid_key, free_key = sys.argv[1:]
    paid, free, stranger = (JetEmail(key, base_url=address) for key in (paid_key, free_key, f"{paid_key}x"))
    settings = {"approvedDomains": ["example.com"], "ipRestrictions": ["192.0.2.1"], "quota": 1000}
    run_check(paid, "generated-password", {"username": "generated", **settings})
    run_check(paid, "own-password", {"username": "own", "password": "own-password", "allowAnyDomain": True})
    run_check(paid, "taken", {"username": "own"})
    run_check(paid, "invalid", {"username": "short", "password": "short"})
    run_check(paid, "exclusive", {"username": "both", "allowAnyDomain": True, "allowAllDomains": True})
    run_check(free, "not-on-this-plan", {"username": "free", "allowAnyDomain": True})
    run_check(stranger, "bad-key", {"username": "stranger"})


if __name__ == "__main__":
    main()
