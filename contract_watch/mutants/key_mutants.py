"""Mutants of the comparison of keys: a vendor has one for all operations, and it accepts a key that is nearly right."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.near_keys import has_secret_part
from contract_watch.mutants.credential_mutants import LaxAuthentication
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor

KeyComparison = Callable[[str, str], bool]
"""Returns True if a vendor takes a sent key for an account's."""

_COMPARISONS: Mapping[str, tuple[str, KeyComparison]] = {
    "beginning": ("any key that begins with the account's", lambda sent, key: sent.startswith(key)),
    "ending": ("any key that ends with the account's", lambda sent, key: sent.endswith(key)),
    "all-but-last": ("any key with all but the last character of the account's",
                     lambda sent, key: sent[: len(key) - 1] == key[:-1]),
    "last-left-out": ("the account's key without its last character", lambda sent, key: sent == key[:-1]),
    "last-unread": ("the account's key with any last character",
                    lambda sent, key: len(sent) == len(key) and sent[:-1] == key[:-1]),
    "any-case": ("the account's key in any case", lambda sent, key: sent.casefold() == key.casefold()),
    "first-half": ("any key whose first half is that of the account's",
                   lambda sent, key: sent[: len(key) // 2] == key[: len(key) // 2]),
}  # fmt: skip

_PLAYED_WITH_TOKENS = ("beginning", "first-half")
"""Comparisons of access tokens that a mock can play: it knows the holder of one with more behind it."""


class LaxTokenEndpoint(Mutation):
    """Mutation that hands out an access token to a client of whose secret ``accepts`` takes a wrong one."""

    def __init__(self, accepts: KeyComparison) -> None:
        self._accepts = accepts

    def find_client(self, vendor: MutatedVendor, key: str) -> str | None:
        """Implement `Mutation.find_client`."""
        found = next((account.key for account in vendor.accounts if _is_client(self._accepts, key, account.key)), None)
        self.activations += found is not None
        return found


class OtherHeader(Mutation):
    """Mutation that accepts a key in any header, alone or behind a scheme, if its own location has none."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        if vendor.find_account(request) is None:
            own = {one.key for one in vendor.contract.credential_locations}
            words = {value.rpartition(" ")[2] for name, value in request.headers.items() if name not in own}
            location = vendor.contract.credential_locations[0]
            account = next((one for one in vendor.accounts if location.encode_key(one.key) in words), None)
            if account is not None:
                self.activations += 1
                request = replace(request, headers={**request.headers, **vendor.build_credential(account.name)})
        return super().respond(vendor, request)


def derive_key_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive every lax comparison of keys, and that of the secrets at a token endpoint; then a key in any header."""
    is_pair = has_secret_part(contract)
    for case, (description, accepts) in _COMPARISONS.items():
        if contract.token is None or case in _PLAYED_WITH_TOKENS:
            lax = partial(LaxAuthentication, "", partial(_is_key, accepts, is_pair))
            yield Mutant(f"credentials/all/{case}", "", "", f"every operation accepts {description}.", lax)
        if contract.token is not None:
            text = f"The token endpoint accepts {description}, by its secret."
            yield Mutant(f"credentials/all/secret-{case}", "", "", text, partial(LaxTokenEndpoint, accepts))
    if contract.token is None:
        text = "every operation accepts the key in any header."
        yield Mutant("credentials/all/other-header", "", "", text, OtherHeader)
    if contract.token is not None:
        text = "The token endpoint gives an access token for a wrong client secret."
        yield Mutant("credentials/all/wrong-secret", "", "", text, partial(LaxTokenEndpoint, lambda _sent, _key: True))


def _is_key(accepts: KeyComparison, is_pair: bool, location: CredentialLocation, value: str | None, key: str) -> bool:
    """Return True if ``accepts`` takes what a request carries in a credential's location for the account's key."""
    sent = location.read_key(value) if value is not None else None
    if sent is None:
        return False
    return _is_client(accepts, sent, key) if is_pair and ":" in key else accepts(sent, key)


def _is_client(accepts: KeyComparison, sent: str, key: str) -> bool:
    """Return True if ``accepts`` takes a client's secret for the account's, and the client is the account's."""
    client, _, secret = key.partition(":")
    sent_client, _, sent_secret = sent.partition(":")
    return sent_client == client and accepts(sent_secret, secret)
