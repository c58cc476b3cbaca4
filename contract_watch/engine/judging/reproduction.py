"""Reproductions: the fewest requests that show a finding, as shell commands."""

import json
import re
from collections.abc import Collection, Mapping, Sequence

from contract_watch.contracts.config import Lifecycle, TokenConfig
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.planning.near_keys import (
    KEY_KINDS,
    format_near_key,
    has_secret_part,
    list_near_keys,
)
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.shell_commands import format_request_as_curl
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.escaping import quote_shell
from contract_watch.report.curl import PLAIN_ID, ShellVariables, is_plain_id

_MAX_EXCHANGES = 8
_FILTER = 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p'


def build_key_variables(contract: Contract, keys: Mapping[str, str], granted: Collection[str] = ()) -> dict[str, str]:
    """Map each key, and each nearly right key that probes send, to its shell expression; encoded ones too.

    Where requests carry access tokens, these are the expressions. ``granted`` are wrong keys that got a token.
    """
    found: dict[str, str] = {}
    is_pair = has_secret_part(contract)
    encoders = [location.encode_key for location in contract.credential_locations if location.encoding]
    for credential in contract.credentials:
        if (key := keys.get(credential.account)) is None:
            continue
        wrong, name = list_near_keys(key, is_pair=is_pair), credential.variable
        if contract.token is not None:
            name = _name_token(name)
        found[key] = f"${name}"
        for one, kind in wrong.items():
            is_name = contract.token is None and is_pair
            made = format_near_key(kind, name, is_pair=is_name)
            found[one] = f"${_name_granted_token(name, kind)}" if one in granted else made
        for encode in encoders:
            found |= {encode(one): f"$(printf %s \"{found[one]}\" | base64 | tr -d '\\n')" for one in (key, *wrong)}
    return found


def _name_token(variable: str) -> str:
    """Return the name of the variable for the access token that the key in ``variable`` gets."""
    return f"{variable}_TOKEN"


def _name_granted_token(name: str, kind: str) -> str:
    """Return the name of the variable for a token that a nearly right key got; ``name`` is the right key's."""
    return f"{name}_OF_{kind.upper().replace('-', '_')}_KEY"


def list_token_commands(contract: Contract, script: str, base: str) -> list[str]:
    """List the commands that fetch the access tokens of ``script``, each into its variable."""
    commands: list[str] = []
    if contract.token is None:
        return commands
    for credential in contract.credentials:
        name = _name_token(credential.variable)
        wrong = {kind: format_near_key(kind, credential.variable, is_pair=True) for kind in KEY_KINDS}
        variables = {name: f"${credential.variable}"} | {_name_granted_token(name, k): key for k, key in wrong.items()}
        for variable, key in variables.items():
            if re.search(rf"\$(\{{{variable}\}}|{variable}(?![A-Za-z0-9_]))", script):
                commands.append(f"{variable}=$({_format_token_request(contract.token, key, base)})")
    return commands


def _format_token_request(token: TokenConfig, key: str, base: str) -> str:
    """Format the command that prints an access token for the shell expression ``key``."""
    words = ["curl -sS"]
    if token.auth == "basic":
        words.append(f'-u "{key}"')
    else:
        parts = {"client_id": "s/:.*//", "client_secret": "s/^[^:]*://"}
        words += [f'--data-urlencode "{name}=$(printf %s "{key}" | sed \'{edit}\')"' for name, edit in parts.items()]
    words.append("-d grant_type=client_credentials")
    words += [f"--data-urlencode {quote_shell(f'scope={token.scope}')}"] if token.scope else []
    words.append(quote_shell(get_origin(base) + token.path))
    return " ".join(words) + " | LC_ALL=C sed -n " + quote_shell(_FILTER)


def select_exchanges(
    mutations: Sequence[Exchange],
    exchange: Exchange,
    object_name: str | None,
    life: Lifecycle,
    max_exchanges: int = _MAX_EXCHANGES,
    suspected: str = "",
) -> list[Exchange]:
    """Select the changes behind the objects of ``exchange``, in order, then ``exchange`` itself.

    ``mutations`` are the changes that succeeded, oldest first. Objects are followed back through renames. A list
    names no object and needs one to show: the last one created. An operation that affects other objects belongs to
    them from their creation on. ``suspected`` is the operation suspected of changing an object that it does not name:
    its last request about such an object, or about any, is selected, with the changes of its own object. Of more than
    ``max_exchanges`` changes the latest remain.
    """
    before = []
    for earlier in mutations:
        if earlier.request is exchange.request or earlier.request.timestamp > exchange.request.timestamp:
            break
        before.append(earlier)
    names = {object_name} if object_name is not None else set(exchange.names)
    if not names and exchange.operation == life.read:
        names = set(next((one.names for one in reversed(before) if one.operation == life.create), ()))
    first = next((number for number, one in enumerate(before) if one.names & names), len(before))
    culprit = _find_culprit(before, suspected, object_name)
    needed: list[Exchange] = []
    for number in reversed(range(len(before))):
        earlier = before[number]
        is_other = earlier is culprit or (number > first and earlier.operation in life.affects_others)
        if earlier.names & names or is_other:
            needed.append(earlier)
            names |= earlier.names
    return [*_limit_exchanges(needed[::-1], life, max_exchanges, culprit), exchange]


def _find_culprit(before: Sequence[Exchange], suspected: str, object_name: str | None) -> Exchange | None:
    """Return the last request of the operation ``suspected``, if possible one whose object has that name or begins it."""
    candidates = [one for one in reversed(before) if suspected and one.operation == suspected]
    about = [one for one in candidates if any((object_name or "").startswith(name) for name in one.names)]
    return next(iter((*about, *candidates)), None)


def _limit_exchanges(
    needed: Sequence[Exchange], life: Lifecycle, max_exchanges: int, culprit: Exchange | None
) -> list[Exchange]:
    """Limit ``needed`` to ``culprit``, the latest exchanges, and the creations of the objects that those name."""
    if len(needed) <= max_exchanges:
        return list(needed)
    early, late = needed[: -max_exchanges + 1], needed[-max_exchanges + 1 :]
    late = [*(one for one in early if one is culprit), *late]
    named = {name for one in late for name in one.names}
    created = [one for one in early if one.operation == life.create and one.names & named and one is not culprit]
    return [*(created or (one for one in early[:1] if one is not culprit)), *late]


def format_script(
    exchanges: Sequence[Exchange],
    redactor: Redactor,
    keys: Mapping[str, str],
    base: str,
    life: Lifecycle,
    witness: Exchange | None = None,
) -> str:
    """Format exchanges as shell commands, one a request. ``keys`` maps keys to shell expressions.

    All but the last request go over REST, below the address ``base``, over whatever protocol they were sent. An id
    from the server becomes a shell variable, unless it is more than a plain word. A ``witness`` that contradicts the last
    request follows it.
    """
    variables, commands = ShellVariables(keys), list[str]()
    for step in exchanges[:-1]:
        line = _format_over_rest(step, redactor, variables, base)
        created = (
            life.extract_id(parse_json(step.response.body))
            if step.operation == life.create and step.response is not None
            else None
        )
        if created is not None and is_plain_id(created) and created not in keys:
            variable = f"id{len(set(variables.ids.values())) + 1}"
            line = f"{variable}=$({line} | tee /dev/stderr | LC_ALL=C sed -n {quote_shell(_build_id_filter(life))})"
            variables = ShellVariables(keys, {**variables.ids, created: f"${variable}"})
        commands.append(line)
    commands.append(exchanges[-1].format_command(redactor, variables))
    if witness is not None:
        commands.append(_format_over_rest(witness, redactor, variables, base))
    return "\n".join(commands)


def _format_over_rest(step: Exchange, redactor: Redactor, variables: ShellVariables, base: str) -> str:
    if (
        step.encoded_request.reported_content == b""
        or step.encoded_request.url.partition("?")[0] == base + step.request.path
    ):
        return step.format_command(redactor, variables)
    request = step.request
    content = b"" if request.body is MissingBody.ABSENT else json.dumps(request.body).encode()
    headers = {**request.headers, **({"content-type": "application/json"} if content else {})}
    return format_request_as_curl(request.method, base + request.path, headers, content, redactor, variables)


def _build_id_filter(life: Lifecycle) -> str:
    """Build a sed script that prints the id in a create response, if it is a plain word or a number."""
    name = re.sub(r"[][\\.*^$/]", r"\\\g<0>", life.id.rpartition("/")[2])
    return ";".join(f's/.*"{name}": *{form}.*/\\1/p' for form in (f'"\\({PLAIN_ID}\\)"', r"\([0-9][0-9]*\)"))
