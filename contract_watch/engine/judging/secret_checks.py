"""Response checks of secrets: those that leak, and those that can be guessed."""

from collections.abc import Iterator

from contract_watch.contracts.schema import format_pointer, walk_strings
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.disagreement import BREAKING, Disagreement
from contract_watch.engine.judging.guessing import find_name_part


def check_repeated_passwords(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a password that an earlier response handed out already."""
    if checked.schema is None or not checked.secrets.contains_secret_in_json(checked.json):
        return
    for path, value in walk_strings(checked.json):
        if path and checked.secrets.is_password_property(str(path[-1])) and checked.secrets.was_received(value):
            pointer = format_pointer(path)
            yield Disagreement(
                f"{checked.id}/body/{pointer}/repeated", BREAKING, f"{checked.operation.id}/{checked.key}/body/{pointer}",
                f"{checked.label}: `{pointer}` repeats an earlier password, expected a fresh one",
                "Whoever knows one user's password knows another's.", checked.operation.id,
                hypotheses=checked.explain_body(pointer, "repeated"),
            )  # fmt: skip


def check_generated_passwords(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a generated password that other passwords or the name of its object tell.

    Other objects' passwords are found where `check_repeated_passwords` does not look: in responses that show each again.
    """
    if checked.schema is None or not checked.may_generate:
        return
    generated = checked.secrets.generated
    for path, value in checked.secrets.list_generated(checked.json):
        pointer = format_pointer(path)
        sequence = generated.find_sequence(checked.operation.id, value)
        part = max((find_name_part(value, name) for name in checked.names), default=0)
        if sequence is not None:
            count, varying = sequence
            title = f"`{pointer}` can be guessed: the last {count} passwords differ in {varying} of {len(value)} characters, expected random ones"
            yield _build_guess(checked, pointer, "guessable", title)
        if part:
            title = f"`{pointer}` contains {part} characters of the object's name, expected a random password"
            yield _build_guess(checked, pointer, "contains-name", title)
        if not checked.secrets.was_received(value) and generated.belongs_to_others(value, checked.names):
            yield _build_guess(
                checked, pointer, "repeated", f"`{pointer}` repeats another object's password, expected a fresh one"
            )


def _build_guess(checked: CheckedResponse, pointer: str, kind: str, title: str) -> Disagreement:
    return Disagreement(
        f"{checked.id}/body/{pointer}/{kind}", BREAKING, f"{checked.operation.id}/{checked.key}/body/{pointer}",
        f"{checked.label}: {title}", "Whoever knows one user's password or name can guess another's password.",
        checked.operation.id, hypotheses=checked.explain_body(pointer, kind),
    )  # fmt: skip


def check_secrets(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a secret of this run anywhere in the body but in a documented password property."""
    if checked.schema is None or not checked.secrets.contains_secret_in_json(checked.json):
        return
    for path, value in walk_strings(checked.json):
        if not checked.secrets.contains_secret(value):
            continue
        if not (path and checked.secrets.is_password_property(str(path[-1]))):
            pointer = format_pointer(path)
            yield Disagreement(
                f"{checked.id}/body/{pointer}/secret", BREAKING, checked.clause,
                f"{checked.label}: `{pointer}` contains a secret that this run sent",
                "The secret leaks to whoever stores or logs responses.", checked.operation.id,
                hypotheses=checked.explain_body(pointer, "secret"),
            )  # fmt: skip


def check_secrets_in_headers(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a secret of this run in any header but one that is documented as a password."""
    documented = checked.spec.headers if checked.spec is not None else {}
    for name, value in checked.response.headers.items():
        schema = documented[name].schema if name in documented else None
        is_password = schema is not None and schema.schema.get("format") == "password"
        if not is_password and checked.secrets.contains_secret(value):
            yield Disagreement(
                f"{checked.id}/header/{name}/secret", BREAKING, checked.clause,
                f"{checked.label}: header `{name}` contains a secret that this run sent",
                "The secret leaks to whoever stores or logs responses.", checked.operation.id,
                hypotheses=checked.explain_part(f"header/{name}:secret", "leak", f"a secret in the header `{name}`"),
            )  # fmt: skip
