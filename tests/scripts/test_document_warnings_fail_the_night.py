"""`make drift` fails on what may break consumers, unless FAIL_ON says otherwise."""

from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.contract_root import make_document
from tests.support.document_drift_runs import run_drift_on

pytestmark = pytest.mark.usefixtures("remembered_clients")

POST = "/paths/~1outbound~1smarthost/post/requestBody/content/application~1json/schema/properties"


def _rename_request_property(document: dict[str, Any]) -> None:
    properties = _get_request_schema(document)["properties"]
    properties["quotaLimit"] = properties.pop("quota")


def _remove_request_property(document: dict[str, Any]) -> None:
    del _get_request_schema(document)["properties"]["quota"]


def _rename_response_property(document: dict[str, Any]) -> None:
    response = document["paths"]["/outbound/smarthost"]["patch"]["responses"]["200"]
    properties = response["content"]["application/json"]["schema"]["properties"]
    properties["note"] = properties.pop("message")


def _get_request_schema(document: dict[str, Any]) -> dict[str, Any]:
    body = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    return schema


def test_a_renamed_request_property_is_no_green_night(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """The report shows one rename with both names and the attributes of the client, and the command ends 1."""
    status, report = run_drift_on(contract, make_document(contract, _rename_request_property))
    assert (status, report["verdict"]) == (1, "warning")
    (finding,) = report["findings"]
    assert (finding["severity"], finding["clause"]) == ("warning", "property-renamed")
    assert "`quota` was renamed to `quotaLimit`" in finding["title"]
    assert f"{POST}/quota:" in finding["promise"]
    assert "absent" not in finding["promise"]
    assert {line.split(": ")[0].rpartition(".")[2] for line in finding["symbols"]} == {"quota", "quota_limit"}
    assert report["document"]["client"]["step"] == "major"
    output = capsys.readouterr().out
    assert "warning drift, 1 finding" in output
    assert f"The client package then becomes {report['document']['client']['next']}." in output
    assert output.index(".quota: attribute removed") < output.index(".quota_limit: attribute added")


def test_a_property_that_is_gone_is_a_warning(contract: Contract) -> None:
    """Requests may still contain it, to no effect."""
    status, report = run_drift_on(contract, make_document(contract, _remove_request_property))
    assert (status, report["verdict"]) == (1, "warning")
    assert [(one["severity"], one["clause"]) for one in report["findings"]] == [("warning", "property-removed")]


def test_a_property_that_the_contract_requires_breaks_its_readers(contract: Contract) -> None:
    """The vendor lists a response property as optional, the overlay requires it: its rename breaks code."""
    status, report = run_drift_on(contract, make_document(contract, _rename_response_property))
    assert (status, report["verdict"]) == (1, "breaking")
    (finding,) = [one for one in report["findings"] if one["clause"] == "property-renamed"]
    assert finding["severity"] == "breaking"
    assert "`message` was renamed to `note`; the contract requires it in responses" in finding["title"]
    assert "optional" not in finding["why"]


def test_a_rename_is_waived_by_rule_and_location(contract: Contract) -> None:
    """A waived rename is no warning any more, though the client still needs a major version for it."""
    (contract.directory / "waivers.toml").write_text(
        f'[[waivers]]\nrule = "property-renamed"\nlocation = "{POST}/quotaLimit"\nreason = "known"\nexpires = 2099-01-31\n',
        encoding="utf-8",
    )
    status, report = run_drift_on(contract, make_document(contract, _rename_request_property))
    assert (status, report["verdict"], report["findings"]) == (0, "none", [])
    assert report["document"]["client"]["step"] == "major"
