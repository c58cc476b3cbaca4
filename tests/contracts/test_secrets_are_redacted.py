"""No secret is stored or printed, under any name or in any encoding, and nothing else is lost."""

import base64
import json
import time
import tracemalloc
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts import redaction
from contract_watch.contracts.encodings import find_secret_spans
from contract_watch.contracts.redaction import Redactor, find_password_names, mask_secret
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.passwords import SecretSubstituter
from contract_watch.mock.journal import MockJournal
from tests.support.json_strategies import VALUES

ODD_SECRET = 'pa"ss wörd/1'  # noqa: S105 (made up)


def test_password_names_come_from_the_schemas(jetemail: Contract) -> None:
    """`format: password` marks a secret at any depth, and nothing else does."""
    document = {"a": [{"properties": {"pin": {"format": "password"}, "name": {"format": "email"}, "x": True}}],
                "properties": {"properties": {"properties": {"word": {"format": "password"}}}}}  # fmt: skip
    assert find_password_names(document) == {"pin", "word"}
    assert find_password_names(jetemail.effective.raw) == {"password"}


@pytest.mark.parametrize("name", ["password", "newPassword", "PASSWD", "client_secret", "accessToken", "api_key", "apiKey",
                                  "X-Api-Key", "key", "x-key", "passwordHash", "Authorization", "pin"])  # fmt: skip
def test_telling_name_hides_its_value(name: str) -> None:
    """A string, number, list or object under a secret's name is redacted. Null and booleans reveal nothing and stay."""
    redactor = Redactor({"Pin"})
    for value in ("hunter2", 12345, ["hunter2"], {"plain": "hunter2"}):
        response = json.dumps(redactor.redact_json({name: value}))
        assert "hunter2" not in response
        assert "12345" not in response
    assert redactor.redact_json({name: None}) == {name: None}
    assert redactor.redact_json({name: True}) == {name: True}


@pytest.mark.parametrize("name", ["username", "keyboard", "monkey", "status", "pins", "passed", "compass", "bypass"])
def test_other_names_hide_nothing(name: str) -> None:
    """Reports stay readable: values under ordinary names are not redacted."""
    assert Redactor({"pin"}).redact_json({name: ["short", 1, None]}) == {name: ["short", 1, None]}


@pytest.mark.parametrize("name", ["privateKey", "accessKey", "signing_keys", "pass", "smtpPass", "pwd"])
def test_every_kind_of_key_hides_its_value(name: str) -> None:
    """The name "key" marks a secret in camel case and in the plural too."""
    assert "hunter2" not in json.dumps(Redactor().redact_json({name: "hunter2"}))


@pytest.mark.parametrize(
    "spelling",
    [
        ODD_SECRET,
        json.dumps(ODD_SECRET)[1:-1],
        json.dumps(ODD_SECRET, ensure_ascii=False)[1:-1],
        quote(ODD_SECRET, safe=""),
    ],
)
def test_known_secret_is_found_in_every_spelling(spelling: str) -> None:
    """A known secret is masked in plain strings, in JSON strings and in URLs; the characters around it stay."""
    redactor = Redactor(values=[ODD_SECRET])
    assert redactor.redact_string(f"before {spelling} after") == f"before {mask_secret(ODD_SECRET)} after"
    assert redactor.redact_json({"note": [f"<{spelling}>"]}) == {"note": [f"<{mask_secret(ODD_SECRET)}>"]}
    assert redactor.redact_json({spelling: 1}) == {mask_secret(ODD_SECRET): 1}


def test_longest_secret_goes_first() -> None:
    """If one secret starts with another, the longer one is masked whole and leaves no remainder."""
    redactor = Redactor(values=["abcdefgh", "abcdefghijkl"])
    assert redactor.redact_string("abcdefghijkl") == mask_secret("abcdefghijkl")


def test_short_value_is_not_looked_for() -> None:
    """A short secret would blank half a report: seven characters stay, eight are masked."""
    redactor = Redactor(values=["abcdefg", "12345678"])
    assert redactor.redact_string("abcdefg 12345678") == f"abcdefg {mask_secret('12345678')}"


def test_secrets_are_learnt_from_bodies() -> None:
    """Values under secret names at any depth become known secrets, in addition to those learned before."""
    redactor = Redactor()
    redactor.add_secrets_from([{"user": {"password": "correct horse", "name": "plain name"}}])
    assert redactor.redact_string("correct horse, plain name") == f"{mask_secret('correct horse')}, plain name"
    redactor.add_secrets_from({"tokens": {"first": ["battery staple"]}})
    assert redactor.redact_string("battery staple") == mask_secret("battery staple")


def test_headers_lose_credentials_and_cookies() -> None:
    """Credentials and cookies are masked, and so are known secrets within other headers."""
    redactor = Redactor({"X-Pass"}, [ODD_SECRET * 2])
    headers = {"Authorization": "Bearer abc", "Cookie": "a=b", "Set-Cookie": "c=d", "Proxy-Authorization": "e",
               "x-pass": "f", "Accept": "text/html", "Referer": f"/?{ODD_SECRET * 2}"}  # fmt: skip
    response = redactor.redact_headers(headers)
    assert list(response) == list(headers)
    assert response.pop("Accept") == "text/html"
    assert response.pop("Referer") == f"/?{mask_secret(ODD_SECRET * 2)}"
    assert response == {name: mask_secret(headers[name]) for name in response}


def test_mark_tells_only_the_length() -> None:
    """The mask of a secret reveals its length and nothing else."""
    assert mask_secret("abc") == mask_secret("xyz") == "[redacted, 3 characters]"


@given(VALUES, st.text(min_size=8))
def test_redaction_copies_and_keeps_the_rest(value: Any, secret: str) -> None:
    """Redaction never changes its input, and leaves every value that is no secret as it is."""
    before = json.dumps(value)
    Redactor(values=[secret]).redact_json(value)
    assert json.dumps(value) == before
    assert Redactor().redact_json(value) == value


@given(st.text(min_size=8), VALUES)
def test_no_secret_survives_in_any_value(secret: str, value: Any) -> None:
    """A known secret is absent from the result, as a property's name and as a string, next to any other value."""
    redacted = json.dumps(Redactor(values=[secret]).redact_json({"a": [value, f"<{secret}>"], f"<{secret}>": 1}))
    assert f"<{json.dumps(secret)[1:-1]}>" not in redacted


def test_half_a_surrogate_pair_can_be_secret() -> None:
    """A server may generate any JSON string, including one that UTF-8 cannot encode."""
    redactor = Redactor(values=["\ud800 and more"])
    assert redactor.redact_string("\ud800 and more") == mask_secret("\ud800 and more")


def test_a_public_word_is_not_looked_for() -> None:
    """A random password may equal a word of the documents.

    Such a word is masked under a secret's name and nowhere else.
    """
    redactor = Redactor(public="updateSmtpUser answers 200")
    redactor.add_secrets_from({"password": "updateSmtpUser"})
    assert redactor.redact_string("updateSmtpUser/response/200") == "updateSmtpUser/response/200"
    assert redactor.redact_json({"password": "updateSmtpUser"}) == {"password": "[redacted, 14 characters]"}


@pytest.mark.parametrize("echo", ["SECRET-KEY-0123ABC", "secret-key-0123abc", "X-Secret-Key-0123abC: 1"])
def test_a_secret_in_another_case_is_known(echo: str) -> None:
    """HTTP/2 has names of headers in lower case, and a server may shout."""
    redacted = Redactor(values=["Secret-Key-0123abc"]).redact_string(echo)
    assert "0123abc" not in redacted.lower()
    encoded = base64.b64encode(echo.encode()).decode()
    assert encoded not in Redactor(values=["Secret-Key-0123abc"]).redact_string(encoded)


CHARACTERS = st.characters(min_codepoint=33, max_codepoint=0x2FFF)


@given(
    st.text(CHARACTERS, min_size=8, max_size=40),
    st.binary(max_size=9),
    st.binary(max_size=9),
    st.sampled_from([b"+/", b"-_"]),
)
def test_base64_is_known_whatever_stands_around(secret: str, before: bytes, after: bytes, signs: bytes) -> None:
    """No alignment hides a secret in base64: any bytes may precede and follow it, in both alphabets."""
    coded = base64.b64encode(before + secret.encode() + after, signs).decode()
    response = Redactor(values=[secret]).redact_string(f"< {coded} >")
    assert "[redacted, " in response
    assert response.startswith("< ")
    assert response.endswith(" >")
    assert coded not in response


@given(st.text(CHARACTERS, min_size=8, max_size=40))
def test_spellings_within_spellings_are_known(secret: str) -> None:
    """A secret is found under two encodings: URL, base64 and hex of JSON, and JSON or wrapped lines of JSON."""
    redactor = Redactor(values=[secret])
    once = json.dumps({"a": secret, "b": quote(secret, safe="")})
    for text in (json.dumps(once), base64.encodebytes(once.encode() * 3).decode(), once.encode().hex(), quote(once)):
        response = redactor.redact_string(text)
        assert response != text
        assert secret not in response


def test_entities_are_known() -> None:
    """A secret that an HTML page encodes with entities is masked."""
    redactor = Redactor(values=['a&b<c>d"e'])
    assert redactor.redact_string("<p>a&amp;b&lt;c&gt;d&quot;e</p>") == "<p>[redacted, 9 characters]</p>"
    assert redactor.redact_string("<p>a&#38;b&#x3C;c>d&#34;e</p>") == "<p>[redacted, 9 characters]</p>"


def test_json_in_a_text_is_read() -> None:
    """Vendors put JSON into strings: passwords under secret names in there are masked.

    The long one becomes a known secret; everything else stays as it was.
    """
    body = {"data": json.dumps({"password": "short", "list": [{"secret": "long enough"}], "name": "plain"})}
    redactor = Redactor()
    redactor.add_secrets_from(body)
    assert redactor.redact_string("long enough") == mask_secret("long enough")
    response = json.loads(redactor.redact_json(body)["data"])
    assert response == {
        "password": mask_secret("short"),
        "list": [{"secret": mask_secret("long enough")}],
        "name": "plain",
    }
    assert redactor.redact_json({"data": '{"name":  1}'}) == {"data": '{"name":  1}'}


@pytest.mark.parametrize(
    "piece", ["\\", '\\"', "\\u0041", "%41", "+", "&#65;", "\n ", "QUJD", "41", "abcdefabcdefabcd ", " "]
)
def test_hostile_texts_cost_no_more_than_long_ones(piece: str) -> None:
    """Run time is linear in the length, even for one piece of an encoding that repeats.

    Four times the length may take at most about ten times as long.
    """
    redactor = Redactor(values=["a secret of some length"])

    def spent(size: int) -> float:
        began = time.process_time()
        redactor.redact_string(piece * (size // len(piece)))
        return time.process_time() - began

    assert spent(400_000) < 10 * spent(100_000) + 0.2


def test_a_mark_is_no_secret() -> None:
    """A mask under a secret's name is not learned as a secret, so it is never masked again."""
    redactor = Redactor()
    redactor.add_secrets_from({"password": mask_secret("correct horse")})
    assert redactor.redact_string(mask_secret("correct horse")) == mask_secret("correct horse")


def test_what_another_redactor_learns_is_its_own() -> None:
    """A copy with more secrets leaves the original unchanged."""
    redactor = Redactor(values=["battery staple"])
    other = redactor.copy_with(["correct horse"])
    assert (
        other.redact_string("correct horse, battery staple")
        == f"{mask_secret('correct horse')}, {mask_secret('battery staple')}"
    )
    assert redactor.redact_string("correct horse") == "correct horse"


def test_a_secret_that_becomes_known_is_redacted_in_texts_seen_before() -> None:
    """Results are kept for as long as no secret is added, in the original and in its copies."""
    redactor = Redactor(values=["battery staple"])
    assert redactor.redact_string("it is correct horse") == "it is correct horse"
    other = redactor.copy_with([])
    assert other.redact_string("it is correct horse") == "it is correct horse"
    redactor.add_secret("correct horse")
    other.add_secret("correct horse")
    assert {one.redact_string("it is correct horse") for one in (redactor, other)} == {
        f"it is {mask_secret('correct horse')}"
    }


def test_a_result_from_before_a_secret_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may add a secret while a text is searched for the older ones."""
    redactor = Redactor(values=["battery staple"])

    def find_while_another_adds(*arguments: Any) -> Any:
        found = find_secret_spans(*arguments)
        redactor.add_secret("correct horse")
        return found

    monkeypatch.setattr(redaction, "find_secret_spans", find_while_another_adds)
    redactor.redact_string("it is correct horse")
    assert redactor.redact_string("it is correct horse") == f"it is {mask_secret('correct horse')}"


def test_the_strings_that_a_server_chooses_fill_no_memory() -> None:
    """Neither long strings nor many are kept."""
    redactor = Redactor(values=["battery staple"])
    tracemalloc.start()
    try:
        for number in range(200):
            redactor.redact_string(f"{number} {'x' * 10_000}")
        for number in range(20_000):
            redactor.redact_string(f"{number} {'x' * 100}")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


def test_the_journal_hides_a_password_wherever_it_is() -> None:
    """A password is masked in exchanges before and after the one that sent it, and in large ones."""
    journal = MockJournal(Redactor(), ())
    journal.record_call("POST", "/first", {}, {"name": "is correct horse"}, 200, None, 1)
    journal.record_call(
        "POST", "/users/correct%20horse", {}, {"password": "correct horse"}, 200, {"echo": "correct horse"}, 10_000
    )
    journal.record_call("GET", "/last", {}, None, 200, [f"{' ' * 195}correct horse"], 1)
    response = json.dumps(journal.list_calls())
    assert "correct" not in response
    assert response.count("[redacted, 13 characters]") == 4


@given(st.text(min_size=8))
def test_a_disguise_keeps_the_shape(text: str) -> None:
    """A generated secret is replaced before it is sent. The substitute has the same length and kinds of characters.

    It is constant within a run.
    """
    disguise = SecretSubstituter()
    other = disguise(text)
    assert disguise(text) == other
    assert len(other) == len(text)
    assert [letter.isascii() for letter in other] == [letter.isascii() for letter in text]
    assert SecretSubstituter()("correct-Horse-1234") != SecretSubstituter()("correct-Horse-1234")


def test_what_stands_under_telling_names_is_exchanged() -> None:
    """Generated strings at any depth below secret names are replaced, and nothing else."""
    drawn = {"name": "n", "password": "p", "tokens": [{"a": "t", "b": 1}], "list": [{"pin": "q"}]}
    assert Redactor({"pin"}).replace_secrets(drawn, lambda text: text * 2) == {
        "name": "n", "password": "pp", "tokens": [{"a": "tt", "b": 1}], "list": [{"pin": "qq"}]
    }  # fmt: skip
