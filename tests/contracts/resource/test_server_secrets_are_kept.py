"""A secret that the server makes for an object is shown again and again, stays, and is never written down."""

from pathlib import Path

from contract_watch.authoring.self_check import run_self_check
from tests.contracts.resource.test_forms_of_apis_agree_with_their_mock import FORMS
from tests.support.quill_model import QuillDriver

API = FORMS["secret of the server"]


def test_mock_shows_the_same_secret_each_time(tmp_path: Path) -> None:
    """Each object has one of its own, in the form that the document gives it."""
    mock = QuillDriver.start(API.write(tmp_path))
    first, second = (mock.send("createThing", {"name": name})[1] for name in ("ct-a", "ct-b"))
    assert first["signing_secret"].startswith("whsec_")
    assert first["signing_secret"] != second["signing_secret"]
    assert mock.send("getThing", id=first["id"])[1] == first
    assert first["signing_secret"] not in repr(mock.state)


def test_other_secret_than_before_is_a_mismatch(tmp_path: Path) -> None:
    """The first response tells it; a later one that shows another breaks a clause of its own."""
    suite = QuillDriver.start(API.write(tmp_path), "ct-")
    thing = suite.send("createThing", {"name": "ct-a"})[1]
    assert suite.find_mismatches(thing, "getThing", id=thing["id"]) == []
    [found] = suite.find_mismatches({**thing, "signing_secret": "whsec_other"}, "getThing", id=thing["id"])
    assert found.clause == "createThing/effect/signing_secret"
    assert thing["signing_secret"] not in repr(suite.state)


def test_secret_that_is_shown_again_is_no_repeated_password(tmp_path: Path) -> None:
    """A whole run of the probes finds nothing."""
    assert [found.id for found in run_self_check(API.write(tmp_path)).record.findings] == []
