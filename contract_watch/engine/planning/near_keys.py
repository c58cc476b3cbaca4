"""Nearly right keys: wrong in one way each, as a careless comparison overlooks it, and the shell expressions for them.

A nearly right key reveals nearly all of the key, so each is a secret itself. An expression builds one from the variable
that holds the key, and contains no character of it.
"""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contract_watch.contracts.registry import Contract

_MIN_LENGTH = 9
"""Characters of the shortest secret that may lose one: eight are the fewest that redaction looks for."""
_HEADERS = ("X-Api-Key", "Authorization", "X-Auth-Token")
"""Headers that servers read keys from, most usual first; logs hide them. A key never moves into an address."""
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
_SEPARATORS = "-_.:"
_PLAIN = string.digits + string.ascii_lowercase + string.ascii_uppercase
# Each character and its replacement differ in the two highest bits that base64 gives them: the lowest ones of a last
# character may mean nothing. Hexadecimal digits stay hexadecimal.
_OTHERS = "abcdefabcd" + "123456" + "7" * 16 + "aaaa" + "123456" + "7" * 20
_SWAPS = str.maketrans(_PLAIN, _OTHERS)


@dataclass(frozen=True)
class KeyKind:
    """One way of being wrong: ``edit`` makes the wrong secret from the right one, or returns it unchanged if it cannot.

    ``expression`` is the shell expression of the wrong key; ``$KEY`` is the right one, ``$HEAD`` and ``$SECRET`` its
    parts.
    """

    edit: Callable[[str], str]
    expression: str


def _prolong(secret: str) -> str:
    return f"{secret}x"


def _shorten(secret: str) -> str:
    return secret[:-1] if _may_shrink(secret) else secret


def _change_last(secret: str) -> str:
    last = secret[-1:] if secret[-1:] in _PLAIN else "a"
    return secret[:-1] + last.translate(_SWAPS) if _may_shrink(secret) else secret


def _swap_case(secret: str) -> str:
    """Swap the case of letters; a UUID means the same in any case."""
    return secret if _UUID.search(secret) or not secret.isascii() else secret.swapcase()


def _swap_case_behind_prefix(key: str) -> str:
    """Swap the case behind the first separator: servers may read a prefix apart."""
    at = min((key.find(one) for one in _SEPARATORS if one in key), default=-1) + 1
    return key if _UUID.search(key) else key[:at] + _swap_case(key[at:])


def _precede(secret: str) -> str:
    return f"x{secret}"


def _may_shrink(secret: str) -> bool:
    """Return True unless a secret is too short, or ends in padding, without which it means the same."""
    return len(secret) >= _MIN_LENGTH and not secret.endswith("=")


KEY_KINDS: Mapping[str, KeyKind] = {
    "prolonged": KeyKind(_prolong, "${KEY}x"),
    "shortened": KeyKind(_shorten, "${KEY%?}"),
    "changed": KeyKind(
        _change_last, f'${{KEY%?}}$(printf %s "${{KEY#"${{KEY%?}}"}}" | tr -c 0-9a-zA-Z a | tr 0-9a-zA-Z {_OTHERS})'
    ),
    "other-case": KeyKind(
        _swap_case_behind_prefix, '${KEY%"${KEY#*[-_.:]}"}$(printf %s "${KEY#*[-_.:]}" | tr a-zA-Z A-Za-z)'
    ),
    "preceded": KeyKind(_precede, "${HEAD}x${SECRET}"),
}
"""The kinds by name; the first is possible with every key."""
_PAIR_KINDS = {"other-case": KeyKind(_swap_case, '${HEAD}$(printf %s "${SECRET}" | tr a-zA-Z A-Za-z)')}
"""Kinds of a key with two parts that differ from those of other keys."""


def has_secret_part(contract: Contract) -> bool:
    """Return True if a key is ``user:password`` or ``client_id:client_secret``: only what follows the colon varies."""
    return contract.token is not None or any(one.encoding for one in contract.credential_locations)


def build_near_key(kind: str, key: str, *, is_pair: bool = False) -> str:
    """Build the nearly right key of ``kind``; one that is too long if the key cannot be wrong in that way."""
    head, colon, secret = key.partition(":") if is_pair else ("", "", key)
    wrong = _get_kind(kind, is_pair=is_pair).edit(secret)
    return head + colon + (wrong if wrong != secret else _prolong(secret))


def list_near_keys(key: str, *, is_pair: bool = False) -> dict[str, str]:
    """List every nearly right key, each with its kind."""
    found = {build_near_key(kind, key, is_pair=is_pair): kind for kind in reversed(list(KEY_KINDS))}
    return dict(reversed(list(found.items())))


def format_near_key(kind: str, variable: str, *, is_pair: bool = False) -> str:
    """Return the shell expression for the nearly right key of ``kind``, whose right one is in ``variable``."""
    head, secret = (f"${{{variable}%%:*}}:", f"${{{variable}#*:}}") if is_pair else ("", f"${{{variable}}}")
    expression = _get_kind(kind, is_pair=is_pair).expression.replace("${HEAD}", head).replace("${SECRET}", secret)
    return re.sub(r"\$\{KEY(?![A-Z])", lambda _found: f"${{{variable}", expression)


def _get_kind(kind: str, *, is_pair: bool) -> KeyKind:
    return _PAIR_KINDS.get(kind, KEY_KINDS[kind]) if is_pair else KEY_KINDS[kind]


def choose_kind(number: int) -> str:
    """Return the kind of the ``number``-th wrong key, counted from 0: kinds take turns."""
    return list(KEY_KINDS)[number % len(KEY_KINDS)]


def find_other_header(contract: Contract) -> tuple[str, str]:
    """Find a header in which the contract expects no key, and the form in which it carries one; empty if there is none."""
    used = {one.header.lower() for one in contract.credential_locations if one.header}
    header = next((one for one in _HEADERS if one.lower() not in used), "")
    return header, "Bearer {}" if header == "Authorization" else "{}"
