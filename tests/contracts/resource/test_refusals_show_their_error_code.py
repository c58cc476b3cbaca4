"""A refusal's error code comes from the table or from a rule; a rule may cite a clause of the document."""

from pathlib import Path

from contract_watch.contracts.clauses import derive_clauses
from tests.support.quill_model import NEW, QuillDriver, write_quill

TABLE = """
error_code = "/error/code"
[resource.refusals]
404 = {error = {code = "not_found", message = "No such sender."}}
"deleteSender/404" = {error = {message = "It is gone."}}
409 = {error = {code = "conflict"}}
"""
RULES = """
  loud:
    clause: response/400
    of: createSender
    says: A loud footer is 400.
    when: {request: {properties: {footer: {const: LOUD}}, required: [footer]}}
    refuse: 400
    body: {error: {code: loud}}
"""


def test_error_code_is_compared_and_the_rest_is_shown(tmp_path: Path) -> None:
    """The table has one sample for a status, and a message of one operation."""
    suite = QuillDriver.start(write_quill(tmp_path, TABLE), "ct-")
    for operation, message in (("getSender", "No such sender."), ("deleteSender", "It is gone.")):
        status, answer = suite.send(operation, id="ct-none")
        assert (status, answer["error"]) == (404, {"code": "not_found", "message": message})
        other = {"error": {"code": "not_found", "message": "Another one."}}
        assert suite.find_mismatches(other, operation, id="ct-none") == []
        [found] = suite.find_mismatches({"error": {"code": "gone", "message": "x"}}, operation, id="ct-none")
        assert found.path == ("error", "code")


def test_rule_has_its_own_error_code(tmp_path: Path) -> None:
    """The rule's code takes the place of the status's, whatever else refuses with that status."""
    mock = QuillDriver.start(write_quill(tmp_path, TABLE, RULES))
    assert mock.send("createSender", {**NEW, "footer": "LOUD"})[1]["error"]["code"] == "loud"
    assert mock.send("createSender", {"name": "A"})[1]["error"]["code"] == "invalid"


def test_rule_that_cites_the_document_is_no_clause_of_its_own(tmp_path: Path) -> None:
    """A rule's clause with a slash is a response or a keyword of the document."""
    contract = write_quill(tmp_path, rules=RULES)
    [outcome] = QuillDriver.start(contract, "ct-").ask("createSender", {**NEW, "footer": "LOUD"})
    assert outcome.clause == "createSender/response/400"
    assert "loud" not in str(contract.model.rules)
    assert outcome.clause in derive_clauses(contract)
