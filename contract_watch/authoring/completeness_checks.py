"""Checks of a contract: files and settings, keys, operations, identities, model, client, and a simulation.

Each check yields lines for `make check-contracts`: file, gap, remedy.
"""

import re
from collections.abc import Iterator

from contract_watch.authoring.self_check import run_self_check
from contract_watch.authoring.skeleton import PLACEHOLDER
from contract_watch.contracts.credential_locations import find_key_problem
from contract_watch.contracts.openapi import Operation, read_json
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.errors import UsageError
from contract_watch.generator.client_facts import build_facts, format_banner
from contract_watch.mock.vendor import MockVendor, check_overlaps
from contract_watch.mutants.derivation import MutantConfig, derive_mutants

REQUIRED_FILES = ("contract.toml",)
SETTINGS = ("token", "credential_locations", "credentials", "rate", "published")
"""The parts of ``contract.toml`` that are read one by one, so that each can be refused."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_OPERATION_ID = re.compile(r"[a-z][A-Za-z0-9]*")


def check_placeholders(contract: Contract) -> Iterator[str]:
    """Yield each line that is still the skeleton's."""
    for path in sorted(path for path in contract.directory.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if PLACEHOLDER in line:
                message = line.partition(PLACEHOLDER)[2].strip(' :",')
                yield f"{path}:{number}: is still the skeleton's: {message}"


def check_files(contract: Contract) -> Iterator[str]:
    """Check that no file is missing."""
    for name in REQUIRED_FILES:
        if not (contract.directory / name).is_file():
            yield f"{contract.directory / name}: is missing; add it; `make new-contract` writes an example"


def check_addresses(contract: Contract) -> Iterator[str]:
    """Check that ``contract.toml`` says where the document and the server are."""
    if not (contract.upstream or contract.settings.get("pages")):
        yield f"{contract.config_file}: has no `upstream`; say where the vendor publishes its document (or `pages`, where it has none)"
    if contract.address is None:
        what = f"the path below {contract.address_variable}, such as /," if contract.address_variable else "the URL"
        yield f"{contract.config_file}: has no `address`; give {what} that TARGET=live sends keys to"


def check_settings(contract: Contract) -> Iterator[str]:
    """Check ``contract.toml`` on its own, and the overlay by itself."""
    _ = contract.settings, read_overlay(contract.directory / "overlay.yaml")
    yield from ()


def check_setting(name: str, contract: Contract) -> Iterator[str]:
    """Check that one part of ``contract.toml`` can be read."""
    _ = getattr(contract, name)
    yield from ()


def check_overlay(contract: Contract) -> Iterator[str]:
    """Yield each action that matches or changes nothing, not only the first."""
    path = contract.directory / "overlay.yaml"
    document = contract.published.raw
    for number, action in enumerate(read_overlay(path), 1):
        try:
            document = apply_overlay(document, [action], str(path))
        except UsageError as error:
            yield str(error).replace(": action 1 (", f": action {number} (", 1)


def check_floors(contract: Contract) -> Iterator[str]:
    """Check that floors can fail and that equivalents exist in ``mutants.toml``."""
    judgement = MutantConfig(contract)
    floors, path = judgement.floors, contract.directory / "mutants.toml"
    if not (0 < floors.score <= 1 and 0 < floors.diagnosis <= 1 and floors.requests > 0):
        yield f"{path}: [floors] hold nothing up: shares are above 0 and at most 1, requests above 0"
    for pattern in judgement.find_stale_patterns(derive_mutants(contract)) if not list(check_model(contract)) else ():
        yield f"{path}: lists {pattern!r} as equivalent, and there is no such mutant; drop it"


def check_uniqueness(contract: Contract) -> Iterator[str]:
    """Check that no other contract uses the same address or the same variables for keys."""
    configured = load_contracts()
    is_configured = contract.slug in configured and configured[contract.slug].directory == contract.directory
    for other in (configured if is_configured else load_contracts(contract.root)).values():
        if other.slug == contract.slug:
            continue
        try:
            theirs, variables = MockVendor(other, {}), {credential.variable for credential in other.credentials}
        except Exception:  # noqa: BLE001, S112 (another contract's errors are reported with that one)
            continue
        check_overlaps([MockVendor(contract, {}), theirs])
        for variable in sorted(variables & {credential.variable for credential in contract.credentials}):
            yield f"{contract.config_file}: takes a key from {variable}, as {other.slug} does; name another variable"


def check_credentials(contract: Contract) -> Iterator[str]:
    """Check that every account has a variable and a test value of its own."""
    seen: set[str] = set()
    if not contract.credentials:
        yield f"{contract.config_file}: has no `credentials`; add a table for each account that the rules tell apart"
    elif not contract.credentials[0].required:
        yield f"{contract.config_file}: the first of `credentials` is not required: no run can do without it"
    for credential in contract.credentials:
        label = f"{contract.config_file}: credentials.{credential.account}"
        test = credential.test
        yield from (f"{label}: {problem}" for problem in _find_test_problems(contract, test))
        if not _VARIABLE.fullmatch(credential.variable):
            yield f"{label}: its variable {credential.variable!r} is no name for one; write it in CAPITALS"
        if not credential.about.strip():
            yield f"{label}: does not describe its account; fill in `about`"
        for word in (credential.account, credential.variable, test):
            if word in seen:
                yield f"{label}: shares {word!r} with another account; give each its own"
        seen |= {credential.account, credential.variable, test}
    if contract.rate.requests <= 0 or contract.rate.seconds <= 0:
        yield f"{contract.config_file}: `rate` allows nothing; give requests and seconds above 0"


def _find_test_problems(contract: Contract, test: str) -> Iterator[str]:
    if not (test.isascii() and test.isprintable() and " " not in test and len(test) >= 8):
        yield "has no test value; give one of 8 characters or more that a header can carry"
    elif problem := find_key_problem(contract, "`test`", test):
        yield problem


def check_operations(contract: Contract) -> Iterator[str]:
    """Check that every operation has an id and documented responses, and that the client can be generated."""
    overlay, bodies = contract.directory / "overlay.yaml", ArgumentBuilder(contract)
    if not contract.operations:
        yield f"{contract.published_file}: declares no operation; is it the vendor's document?"
    for operation in contract.operations.values():
        if not _OPERATION_ID.fullmatch(operation.id):
            yield f"{overlay}: {operation.name} has no operationId of letters and digits, such as createThing; add one"
        if not operation.responses and operation.default_response is None:
            yield f"{overlay}: {operation.name} documents no answer; add `responses`"
        problems = [
            f"the required {key} cannot be sent: {spec.problem}"
            for key, spec in operation.specs.items()
            if spec.required and spec.problem
        ]
        problems += (
            [f"the required body cannot be sent: {operation.codec.problem}"]
            if operation.body_required and operation.codec.problem
            else []
        )
        for problem in problems:
            yield f"{overlay}: {operation.name}: {problem}; leave the operation out, or document it otherwise"
        for name in operation.get_required_arguments() if not problems else ():
            if bodies.get_role(operation, name) is None and not _has_sample(bodies, operation, name):
                yield f"{overlay}: {operation.name}: {name} has no known value; give it an `example`"
    if contract.operations and not any(server.get("url") for server in contract.effective.raw.get("servers", [])):
        yield f"{overlay}: the document names no server; add `servers` with the vendor's address"
    if contract.operations:
        _ = contract.lifecycle, contract.unprovoked_statuses, contract.grpc, contract.hosts, contract.parent_domains
        _ = contract.list_config, contract.limits, contract.consents, contract.address_variable
        build_facts(contract)


def _has_sample(bodies: ArgumentBuilder, operation: Operation, name: str) -> bool:
    """Return True if the schema of an argument gives a value to send."""
    schema = operation.get_arguments()[name]
    known = "example" in schema or schema.get("format") == "password"
    return known or any(True for _ in bodies.generate_variants(operation, name, schema, accepted=True))


def check_identities(contract: Contract) -> Iterator[str]:
    """Check that every operation gives its arguments roles, those that the lifecycle needs among them."""
    life, given = contract.lifecycle, contract.identities
    for operation in contract.operations.values():
        roles = contract.get_roles(operation.id)
        named = contract.given.get_values(operation)
        if operation.get_arguments().keys() - named.keys() and operation.id not in given:
            yield f"{contract.config_file}: identities: says nothing of {operation.id}; name its arguments, or none with {{}}"
            continue
        for name in operation.get_arguments():
            if name.startswith("{") and name not in roles and name not in named:
                yield (
                    f'{contract.config_file}: identities.{operation.id}: "{name}" has no role: new, existing or foreign; '
                    f'if it names an object that no run creates, add [given."{name}"]'
                )
    yield from _check_marks(contract)
    for operation_id, role, why in ((life.create, "new", "by which a run knows its own objects"),
                                    (life.remove, "existing", "that names what is removed")):  # fmt: skip
        if role not in contract.get_roles(operation_id).values():
            yield f"{contract.config_file}: identities.{operation_id}: has no argument with the role {role}, {why}; add it"


def _check_marks(contract: Contract) -> Iterator[str]:
    """Check that an update gives an object no mark but one of the run's: a sweep finds a killed run's objects by it."""
    life = contract.lifecycle
    marks = [name for name, role in contract.get_roles(life.create).items() if role == "new"] if life.id else []
    for operation in contract.operations.values():
        changes = operation.id != life.create and not contract.is_read_only(operation.id)
        for mark in marks if changes else ():
            if mark in operation.get_arguments() and mark not in contract.get_roles(operation.id):
                yield (f'{contract.config_file}: identities.{operation.id}: "/{mark}" marks an object as a run\'s own; '
                       "give it the role new")  # fmt: skip


def check_model(contract: Contract) -> Iterator[str]:
    """Check that the model can be built and states its rules."""
    path, model = contract.directory / "model.py", contract.model
    if not model.rules:
        yield f"{path}: `rules` is empty; state what no schema can, as {contract.lifecycle.create}/rule/<name> and a sentence"
    for rule, sentence in model.rules.items():
        operation, _, rest = rule.partition("/")
        if operation not in contract.operations or not re.fullmatch(r"(rule|effect)/.+", rest):
            yield f"{path}: the rule {rule!r} is not <operation>/rule/<name> or <operation>/effect/<name>: rename it"
        if not re.search(r"\w", sentence):
            yield f"{path}: the rule {rule!r} has no sentence; say what it promises"
    for name, values in model.interpretations.items():
        if len(set(values)) < 2:
            yield f"{path}: the interpretation {name!r} leaves no choice; give two values or more, or drop it"


def check_scenarios(contract: Contract) -> Iterator[str]:
    """Check that there are flows, and that all can be planned."""
    path = contract.directory / "scenarios.yaml"
    if not any(probe.family == "rules" for probe in plan_probes(contract)):
        yield f"{path}: has no flow; add one for each rule of the model"


def check_client(contract: Contract) -> Iterator[str]:
    """Check that the client is generated from this contract; `make check-generated` compares every byte."""
    directory = contract.output_directory
    wanted = [directory / "client" / f"{contract.slug}_client" / "__init__.py", directory / "openapi.json"]
    wanted += [directory / "descriptors.binpb"] if contract.grpc is not None else []
    gone = [path for path in wanted if not path.is_file()]
    for path in gone:
        yield f"{path}: is missing; run `make generate`"
    if not gone and read_json(wanted[1]) != {"x-generated": format_banner(contract), **contract.effective.raw}:
        yield f"{wanted[1]}: is of an earlier contract; run `make generate`"


def check_simulation(contract: Contract) -> Iterator[str]:
    """Run the contract's probes against its own mock; yield findings, and the clauses that no request reaches."""
    checked = run_self_check(contract)
    record = checked.record
    model = contract.directory / "model.py"
    place = model if model.is_file() else contract.config_file
    if checked.stop_reason is not None:
        yield f"{place}: its own mock cannot be checked: {checked.stop_reason}"
        return
    for finding in record.findings:
        yield f"{place}: contradicts its own contract, {finding.id}: {finding.title}"
    for name, status in checked.statuses:
        if contract.operations[name].find_response(status) is None:
            yield f"{place}: answers {status} to {name}, which no document declares; see both"
    for name in record.left_behind:
        yield f"{place}: {name} is still there after the clean-up; see {contract.lifecycle.remove}"
    for clause, promise in checked.unreached.items():
        if not re.search(r"^\w+/(rule|effect|response)/", clause) or record.findings:
            continue
        answer = clause.rpartition("/response/")[2]
        remedy = (
            f"add a flow, or say in `provoked` of {contract.config_file} why nothing can"
            if answer.isdigit()
            else "add a flow"
        )
        yield f"{contract.directory / 'scenarios.yaml'}: no request reaches {clause} ({promise}): {remedy}"
