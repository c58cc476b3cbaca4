"""Edits of the three vendors' documents with the expected changes of the clients.

Each edit has its own location, so one generation with all edits shows every change separately.
"""

from typing import Any

from tests.support.clients.document_edits import ClientEdit, expect_on_every_function

PATH = "/paths/~1outbound~1smarthost"
RESPONSE_SCHEMA = "responses/200/content/application~1json/schema/properties"
SCHEMA = "requestBody/content/application~1json/schema/properties"
ROW = f"{PATH}/get/{RESPONSE_SCHEMA}/smarthosts/items/properties"
ADD = "/paths/~1users~1smtp~1add/post"
VIEW = "/paths/~1users~1smtp~1view/post"
RESULT = f"{RESPONSE_SCHEMA}/data/properties/results/items/properties"
PATCHED = f"/paths/~1users~1smtp~1edit/patch/{RESPONSE_SCHEMA}/data/items/properties"
FOUND = f"/paths/~1admin~1v1~1smtp~1_search/post/{RESPONSE_SCHEMA}"
NEW_CONFIG = "/paths/~1admin~1v1~1smtp/post"


def _find_body_schema(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    """Return the schema of an operation's body."""
    found: dict[str, Any] = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    return found


def _find_properties(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the properties of a component."""
    found: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return found


def _rename_property(document: dict[str, Any], name: str, old: str, new: str) -> None:
    schema = document["components"]["schemas"][name]
    schema["properties"] = {new if key == old else key: value for key, value in schema["properties"].items()}
    schema["required"] = [new if key == old else key for key in schema["required"]]


INVALID = {
    "type": "object",
    "title": "Invalid",
    "required": ["field"],
    "properties": {"field": {"type": "string"}, "hint": {"type": "object", "properties": {"text": {"type": "string"}}}},
}
RESPONSE = {"description": "It is not valid.", "content": {"application/json": {"schema": INVALID}}}
CREATE = "api.outbound.create_smtp_user"
LIST = "api.outbound.list_smtp_users"

JETEMAIL = [
    ClientEdit(
        "a response property removed",
        lambda document: (
            _find_properties(document, "SmtpUser").pop("usage"),
            document["components"]["schemas"]["SmtpUser"]["required"].remove("usage"),
        ),
        [f"{ROW}/usage"],
        frozenset({("models.SmtpUser.usage", "attribute removed", True)}),
        "def removed(user: SmtpUser) -> float:\n    return user.usage",
    ),
    ClientEdit(
        "a response property renamed",
        lambda document: _rename_property(document, "SmtpUser", "last_modified", "modified"),
        [(f"{ROW}/last_modified", "property-removed"), f"{ROW}/modified"],
        frozenset(
            {
                ("models.SmtpUser.last_modified", "attribute removed", True),
                ("models.SmtpUser.modified", "required attribute added", False),
            }
        ),
        "def renamed(user: SmtpUser) -> object:\n    return user.last_modified",
    ),
    ClientEdit(
        "a request property made required",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "patch")["required"].append("newUsername"),
        [f"{PATH}/patch/{SCHEMA}/newUsername"],
        frozenset({("models.UpdateSmtpUserBody.new_username", "attribute became required", True)}),
        'def required() -> object:\n    return UpdateSmtpUserBody(current_username="a")',
    ),
    ClientEdit(
        "a response property made optional",
        lambda document: document["components"]["schemas"]["Acknowledgement"]["required"].remove("message"),
        [
            f"{PATH}/patch/{RESPONSE_SCHEMA}/message",
            f"{PATH}/patch/{RESPONSE_SCHEMA}/message/type",
        ],
        frozenset({("models.Acknowledgement.message", "attribute became optional", True)}),
        "def optional(answer: Acknowledgement) -> str:\n    return answer.message",
    ),
    ClientEdit(
        "a response property made nullable",
        lambda document: _find_properties(document, "SmtpUser")["quota"].update(type=["number", "null"]),
        [f"{ROW}/quota/type"],
        frozenset({("models.SmtpUser.quota", "attribute type changed", True)}),
        "def nullable(user: SmtpUser) -> float:\n    return user.quota",
    ),
    ClientEdit(
        "a request property made nullable",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "patch")["properties"]["quota"].update(
            type=["number", "null"]
        ),
        [f"{PATH}/patch/{SCHEMA}/quota/type"],
        frozenset({("models.UpdateSmtpUserBody.quota", "attribute type changed", False)}),
        "def nullable_request(body: UpdateSmtpUserBody) -> None:\n    body.quota = 1.0",
    ),
    ClientEdit(
        "an enum value added to a response",
        lambda document: _find_properties(document, "SmtpUser")["status"]["enum"].append("archived"),
        [f"{ROW}/status/enum"],
        frozenset({("models.SmtpUserStatus.ARCHIVED", "member added", False)}),
        "def matched(user: SmtpUser) -> str:\n"
        "    status = user.status\n"
        "    match status:\n"
        "        case SmtpUserStatus.ACTIVE | SmtpUserStatus.INACTIVE | SmtpUserStatus.DISABLED:\n"
        "            return 'known'\n"
        "        case SmtpUserStatus.QUOTA_LOCKED | SmtpUserStatus.QUOTA_UNLOCKED | SmtpUserStatus.SUSPENDED:\n"
        "            return 'known'\n"
        "        case _:\n"
        "            return status",
    ),
    ClientEdit(
        "an enum value removed from a request",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "patch")["properties"]["status"][
            "enum"
        ].remove("suspended"),
        [f"{PATH}/patch/{SCHEMA}/status"],
        frozenset({("models.UpdateSmtpUserBodyStatus.SUSPENDED", "member removed", True)}),
        "def named() -> object:\n    return UpdateSmtpUserBodyStatus.SUSPENDED",
    ),
    ClientEdit(
        "an optional parameter added",
        lambda document: document["paths"]["/outbound/smarthost"]["get"].update(
            parameters=[{"in": "query", "name": "pageSize", "schema": {"type": "integer"}}]
        ),
        [f"{PATH}/get/parameters/0"],
        frozenset(expect_on_every_function(LIST, "(page_size)", "parameter with a default added", breaks=False)),
        "def listed(client: AuthenticatedClient) -> object:\n    return list_smtp_users.sync(client=client)",
    ),
    ClientEdit(
        "an operation removed",
        lambda document: document["paths"]["/outbound/smarthost"].pop("delete"),
        [f"{PATH}/delete"],
        frozenset({("api.outbound.delete_smtp_user", "removed", True), ("models.DeleteSmtpUserBody", "removed", True)}),
        "def gone() -> object:\n    from jetemail_client.api.outbound import delete_smtp_user\n    return delete_smtp_user",
    ),
    ClientEdit(
        "a response status added",
        lambda document: document["paths"]["/outbound/smarthost"]["post"]["responses"].update({"422": RESPONSE}),
        [f"{PATH}/post/responses/422"],
        frozenset(
            {
                *expect_on_every_function(CREATE, "", "return type changed", breaks=True),
                ("models.Invalid", "added", False),
                ("models.InvalidHint", "added", False),
            }
        ),
        "def answered(client: AuthenticatedClient, body: CreateSmtpUserBody) -> str:\n"
        "    answer = create_smtp_user.sync(client=client, body=body)\n"
        "    return '' if answer is None or isinstance(answer, ApiError) else answer.message",
    ),
    ClientEdit(
        "a request property's type changed",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "post")["properties"].update(
            approvedDomains={"type": "string"}
        ),
        [f"{PATH}/post/{SCHEMA}/approvedDomains"],
        frozenset({("models.CreateSmtpUserBody.approved_domains", "attribute type changed", True)}),
        'def typed() -> object:\n    return CreateSmtpUserBody(username="a", approved_domains=["example.com"])',
    ),
    ClientEdit(
        "a converted property that became a string",
        lambda document: _find_properties(document, "SmtpUser").update(approvedDomains={"type": "string"}),
        [f"{ROW}/approvedDomains/oneOf"],
        frozenset({("models.SmtpUser.approved_domains", "attribute type changed", True)}),
        "def converted(user: SmtpUser) -> list[str]:\n    return user.approved_domains",
    ),
    ClientEdit(
        "a default of a request property changed",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "post")["properties"][
            "allowAnyDomain"
        ].update(default=True),
        [f"{PATH}/post/{SCHEMA}/allowAnyDomain/default"],
        frozenset(),  # only what a caller sets is sent
    ),
    ClientEdit(
        "a length limited",
        lambda document: _find_body_schema(document, "/outbound/smarthost", "post")["properties"]["username"].update(
            maxLength=9
        ),
        [f"{PATH}/post/{SCHEMA}/username/maxLength"],
        frozenset(),
    ),
    ClientEdit(
        "a status described otherwise",
        lambda document: document["paths"]["/outbound/smarthost"]["post"]["responses"]["400"].update(description="No."),
        [f"{PATH}/post/responses/400/description"],
        frozenset(),
    ),
]

SMTP2GO = [
    ClientEdit(
        "a property of a shared response removed",
        lambda document: _find_properties(document, "SmtpUser").pop("email_password"),
        [f"{ADD}/{RESULT}/email_password", f"{VIEW}/{RESULT}/email_password"],
        frozenset({("models.SmtpUser.email_password", "attribute removed", True)}),
    ),
    ClientEdit(
        "a required request property added",
        lambda document: (
            _find_body_schema(document, "/users/smtp/add", "post")["properties"].update(region={"type": "string"}),
            _find_body_schema(document, "/users/smtp/add", "post")["required"].append("region"),
        ),
        [f"{ADD}/{SCHEMA}/region"],
        frozenset({("models.AddSmtpUserBody.region", "required attribute added", True)}),
    ),
    ClientEdit(
        "an optional object added in front of others",
        lambda document: _find_body_schema(document, "/users/smtp/view", "post").update(
            properties={
                "page": {"type": "object", "properties": {"at": {"type": "object", "properties": {}}}},
                **_find_body_schema(document, "/users/smtp/view", "post")["properties"],
            }
        ),
        [f"{VIEW}/{SCHEMA}/page"],
        frozenset(
            {
                ("models.ViewSmtpUsersBody.page", "attribute added", False),
                ("models.ViewSmtpUsersBodyPage", "added", False),
                ("models.ViewSmtpUsersBodyPageAt", "added", False),
            }
        ),
    ),
    ClientEdit(
        "an enum value added to a request",
        lambda document: _find_body_schema(document, "/users/smtp/add", "post")["properties"]["status"]["enum"].append(
            "asleep"
        ),
        [f"{ADD}/{SCHEMA}/status/enum/9"],
        frozenset({("models.AddSmtpUserBodyStatus.ASLEEP", "member added", False)}),
    ),
    ClientEdit(
        "a text that becomes an enum in a response",
        lambda document: _find_properties(document, "PatchedSmtpUser").update(username={"enum": ["a", "b"]}),
        [f"{PATCHED}/username/enum"],
        frozenset({("models.PatchedSmtpUserUsername", "added", False)}),  # the attribute still takes any string
    ),
    ClientEdit(
        "a response property's type narrowed",
        lambda document: _find_properties(document, "SmtpUser")["default_ratelimit_value"].update(
            type=["integer", "null"]
        ),
        [f"{ADD}/{RESULT}/default_ratelimit_value/type"],
        frozenset({("models.SmtpUser.default_ratelimit_value", "attribute type changed", False)}),
    ),
    ClientEdit(
        "undeclared properties forbidden in an object of answers",
        lambda document: document["components"]["schemas"]["SmtpUserResults"].update(additionalProperties=False),
        [f"{ADD}/responses/200/content/application~1json/schema/additionalProperties"],
        frozenset(
            (f"models.SmtpUserResults.{name}", kind, True)
            for kind, names in {
                "attribute removed": ("additional_properties", "additional_keys"),
                "removed": ("__getitem__", "__setitem__", "__delitem__", "__contains__"),
            }.items()
            for name in names
        ),
    ),
]

ZITADEL = [
    ClientEdit(
        "a path parameter renamed",
        lambda document: (
            document["paths"].update({"/admin/v1/smtp/{configId}": document["paths"].pop("/admin/v1/smtp/{id}")}),
            document["paths"]["/admin/v1/smtp/{configId}"]["get"]["parameters"][0].update(name="configId"),
            document["paths"]["/admin/v1/smtp/{configId}"]["delete"]["parameters"][0].update(name="configId"),
        ),
        [
            ("/paths/~1admin~1v1~1smtp~1{id}/get/parameters/0", "path-parameter-removed"),
            "/paths/~1admin~1v1~1smtp~1{configId}/get/parameters/0",
            ("/paths/~1admin~1v1~1smtp~1{id}/delete/parameters/0", "path-parameter-removed"),
            "/paths/~1admin~1v1~1smtp~1{configId}/delete/parameters/0",
        ],
        frozenset(
            {
                change
                for operation in ("get_smtp_config_by_id", "remove_smtp_config")
                for change in (
                    *expect_on_every_function(
                        f"api.smtp_configs.{operation}", "(id)", "parameter removed", breaks=True
                    ),
                    *expect_on_every_function(
                        f"api.smtp_configs.{operation}", "(config_id)", "required parameter added", breaks=True
                    ),
                )
            }
        ),
    ),
    ClientEdit(
        "a date that becomes a text",
        lambda document: _find_properties(document, "ListDetails")["viewTimestamp"].pop("format"),
        [f"{FOUND}/details/properties/viewTimestamp/format"],
        frozenset({("models.ListDetails.view_timestamp", "attribute type changed", True)}),
    ),
    ClientEdit(
        "a body that may be left out",
        lambda document: document["paths"]["/admin/v1/smtp"]["post"]["requestBody"].update(required=False),
        [f"{NEW_CONFIG}/requestBody/required"],
        frozenset(
            expect_on_every_function(
                "api.smtp_configs.add_smtp_config", "(body)", "parameter became optional", breaks=False
            )
        ),
    ),
    ClientEdit(
        "an operation that anybody may call",
        lambda document: document["paths"]["/admin/v1/smtp/{id}/_activate"]["post"].update(security=[]),
        ["/paths/~1admin~1v1~1smtp~1{id}~1_activate/post/security"],
        frozenset(
            expect_on_every_function(
                "api.smtp_configs.activate_smtp_config", "(client)", "parameter type changed", breaks=False
            )
        ),
    ),
    ClientEdit(
        "a required header and an optional parameter in front of it",
        lambda document: document["paths"]["/admin/v1/smtp/{id}/_deactivate"]["post"]["parameters"].extend(
            [
                {"in": "query", "name": "dry", "schema": {"type": "boolean"}},
                {"in": "header", "name": "X-Reason", "required": True, "schema": {"type": "string"}},
            ]
        ),
        [f"/paths/~1admin~1v1~1smtp~1{{id}}~1_deactivate/post/parameters/{number}" for number in (1, 2)],
        frozenset(
            {
                *expect_on_every_function(
                    "api.smtp_configs.deactivate_smtp_config", "(dry)", "parameter with a default added", breaks=False
                ),
                *expect_on_every_function(
                    "api.smtp_configs.deactivate_smtp_config", "(x_reason)", "required parameter added", breaks=True
                ),
            }
        ),
    ),
]

EDITS = {"jetemail": JETEMAIL, "smtp2go": SMTP2GO, "zitadel": ZITADEL}
