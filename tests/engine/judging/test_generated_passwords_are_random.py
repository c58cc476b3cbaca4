"""Generated passwords that can be guessed are a finding, and no random generator is accused."""

import itertools
import random
import string
import uuid
from collections.abc import Callable, Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.guessing import (
    GeneratedPasswords,
    are_guessable,
    compute_chance,
    find_name_part,
)
from contract_watch.report.record import Record
from tests.support.direct_runs import run_directly
from tests.support.loopback_server import serve_app
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

NAME = "ct-261130-y47to2-7-n"
LETTERS = string.ascii_letters + string.digits
FINDING = "createSmtpUser/200/body/password"

COUNTERS: dict[str, Callable[[int], str]] = {
    "decimal": lambda number: f"password{number}",
    "padded": lambda number: f"jet_{number:08d}",
    "inside": lambda number: f"jet-{number}-secret",
    "hexadecimal": lambda number: f"{0xDEADBEEFCAFE00 + 7 * number:x}",
    "milliseconds": lambda number: f"{1_764_000_000_000 + 1310 * number}",
    "microseconds": lambda number: f"{1_764_000_000_000_000 + 1_310_771 * number}",
    "object id": lambda number: f"692b00{number:02x}aabbccddee{0x12FF00 + number:06x}",
    "version 1": lambda number: str(uuid.UUID(int=((0x12345678 + 9_999_991 * number) << 96) + 0x11F0_11E0_8012_ABCDEFABCDEF)),
}  # fmt: skip


@pytest.mark.parametrize("kind", COUNTERS)
def test_counters_and_clocks_are_guessable(kind: str) -> None:
    """A counter anywhere, in any notation, is found within twelve passwords."""
    assert are_guessable([COUNTERS[kind](number) for number in range(95, 107)]) is not None


@pytest.mark.parametrize("alphabet", [string.digits, "0123456789abcdef", string.ascii_lowercase, LETTERS])
@pytest.mark.parametrize("beginning", ["", "jet_live_"])
def test_eight_random_characters_are_enough(alphabet: str, beginning: str) -> None:
    """No run of a random generator is accused, however constant its beginning, and none contains a name."""
    source = random.Random(f"{alphabet}{beginning}")
    for _ in range(100):
        generated = GeneratedPasswords()
        for _ in range(14):
            password = beginning + "".join(source.choices(alphabet, k=8))
            assert generated.find_sequence("a", password) is None
            assert find_name_part(password, NAME) == 0
            generated.add_password("a", password, {NAME})


def test_the_chance_of_a_false_alarm_is_as_computed() -> None:
    """The formula agrees with an experiment, and the sum over all sizes of a run is below a millionth."""
    source = random.Random(1)
    digits = [["".join(source.choices(string.digits, k=8)) for _ in range(2)] for _ in range(20_000)]
    seen = sum(sum(a != b for a, b in zip(*pair, strict=True)) <= 6 for pair in digits) / len(digits)
    assert seen == pytest.approx(compute_chance(6, 2), rel=0.05)
    chances = [max([chance for varying in range(8) if (chance := compute_chance(varying, count)) <= 2e-7], default=0.0)
               for count in range(2, 257)]  # fmt: skip
    assert 0 < sum(chances) < 2e-7


def test_two_passwords_prove_nothing() -> None:
    """Two random passwords may be alike in most characters; three are needed."""
    assert are_guessable(["password1", "password2"]) is None
    assert are_guessable(["password1", "password2", "password3"]) == 1


@pytest.mark.parametrize(("password", "length"), [
    (f"{NAME}!", 20), (NAME.upper(), 20), (NAME[::-1], 20), ("Ct261130Y47to27n", 16), (f"zz{NAME[:10]}zz", 10),
    ("y47to2", 0), ("261130", 0), ("ct-", 0), ("", 0),
])  # fmt: skip
def test_a_name_is_found_in_a_password(password: str, length: int) -> None:
    """A long part counts, in any case and direction; a short one may be chance."""
    assert find_name_part(password, NAME) == length


def test_a_password_that_its_object_keeps_is_no_repetition() -> None:
    """Responses may show a password again, but not for another object."""
    generated = GeneratedPasswords()
    generated.add_password("add", "kE8sPq2LmZ0a", {"one"})
    assert not generated.belongs_to_others("kE8sPq2LmZ0a", {"one", "renamed"})
    generated.add_password("edit", "kE8sPq2LmZ0a", {"one", "renamed"})
    assert not generated.belongs_to_others("kE8sPq2LmZ0a", {"renamed"})
    assert generated.belongs_to_others("kE8sPq2LmZ0a", {"two"})


def check_passwords(jetemail: Contract, generate: Callable[[FaithfulJetEmail], str]) -> Record:
    """Run the suite on a faithful server but for its passwords."""

    class Generates(FaithfulJetEmail):
        """A server with other generated passwords."""

        def generate_password(self) -> str:
            """See the faithful server."""
            self.secrets.append(generate(self))
            return self.secrets[-1]

    with serve_app(Generates()) as server:
        record, _runner = run_directly(jetemail, server.url)
    return record


@pytest.mark.parametrize(("generate", "kind"), [
    (lambda numbers, _server: f"S3cret-{next(numbers)}", "guessable"),
    (lambda _numbers, server: f"{list(server.rows['paid'])[-1]}{random.randbytes(8).hex()}"[:72], "contains-name"),
])  # fmt: skip
def test_a_run_finds_guessable_passwords_and_shows_none(
    jetemail: Contract, generate: Callable[[Iterator[int], FaithfulJetEmail], str], kind: str
) -> None:
    """The finding names operation and property, and no report holds a password."""
    numbers, made = itertools.count(998), list[str]()

    def make(server: FaithfulJetEmail) -> str:
        made.append(generate(numbers, server))
        return made[-1]

    record = check_passwords(jetemail, make)
    assert [finding.id for finding in record.findings] == [f"{FINDING}/{kind}"]
    assert len(made) >= 3
    shown = repr(record)
    assert not any(password in shown for password in made)


def test_short_random_passwords_are_no_finding(jetemail: Contract) -> None:
    """Eight hexadecimal digits are the shortest that the document allows."""
    record = check_passwords(jetemail, lambda _server: random.randbytes(4).hex())
    assert record.findings == []


@pytest.mark.parametrize("later", [{"CT-A"}, {"ct-a "}, {"17"}, {"ct-b"}], ids=["case", "space", "id", "renamed"])
def test_a_password_shown_under_another_name_of_its_object_is_no_repeated_one(later: set[str]) -> None:
    """Vendors lower names, answer with an id, and rename: another object's password is repeated only if none of these fits."""
    passwords = GeneratedPasswords()
    passwords.add_password("add", "k3J9x0PqWm2v", {"ct-a"})
    passwords.join_names({"ct-a", "17"})
    passwords.join_names({"ct-a", "ct-b"})
    assert not passwords.belongs_to_others("k3J9x0PqWm2v", later)
    assert passwords.belongs_to_others("k3J9x0PqWm2v", {"ct-c"})
