"""The form of names that a schema needs: a plain one, an address, or a domain."""

from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.schema import Schema

_SAMPLE = "ct-260101-abc12x-1z-n"
_LEAST = 30
"""Characters that a name of a run's form needs without its template."""
_PLAIN, _ADDRESS, _DOMAIN = "", "{n}@example.com", "{n}.example.com"
_ADDRESS_NAMES = ("email", "email_address", "emailaddress", "mail", "e_mail")
_DOMAIN_NAMES = ("domain", "domain_name", "domainname", "hostname", "fqdn")


def choose_template(document: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> str | None:
    """Return the template of names for the argument ``name``, empty for plain names; None if its schema accepts none."""
    lower, declared = name.lower(), schema.get("format")
    is_address = lower in _ADDRESS_NAMES or lower.endswith("_email") or declared in ("email", "idn-email")
    is_domain = lower in _DOMAIN_NAMES or declared in ("hostname", "idn-hostname")
    likely = [_ADDRESS] if is_address else [_DOMAIN] if is_domain else []
    judge = Schema(document, schema)
    longest = schema.get("maxLength", 1 << 30)
    for template in dict.fromkeys((*likely, _PLAIN, _ADDRESS, _DOMAIN)):
        sample = (template or "{n}").replace("{n}", _SAMPLE)
        if judge.accepts(sample) and len(sample) + _LEAST - len(_SAMPLE) <= longest:
            return template
    return None
