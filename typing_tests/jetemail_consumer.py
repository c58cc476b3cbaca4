"""Code of a team that uses the client: type checkers must accept it, and report exactly the marked lines."""

from typing import Literal, assert_type

from jetemail_client import UNSET, Api, AsyncApi, Response, Unset, aconnect, connect, errors
from jetemail_client.models import (
    Acknowledgement,
    CreatedSmtpUser,
    CreateSmtpUserBody,
    SmtpUser,
    SmtpUserList,
    SmtpUserStatus,
    UpdateSmtpUserBodyStatus,
)


def use_every_operation(api: Api) -> None:
    """Call each operation as the documentation shows it."""
    assert_type(api.create_smtp_user(username="smtp-user1"), CreatedSmtpUser)
    api.create_smtp_user(username="a", password="p", quota=5, approved_domains=["example.com"], timeout=3)
    assert_type(api.list_smtp_users(), SmtpUserList)
    assert_type(api.update_smtp_user(current_username="a", status="inactive"), Acknowledgement)
    api.update_smtp_user(current_username="a", status=UpdateSmtpUserBodyStatus.ACTIVE, password=UNSET)
    assert_type(api.delete_smtp_user(username="a", extra_headers={"X-Trace": "1"}), Acknowledgement)
    response = api.raw.list_smtp_users()
    assert_type(response, Response[SmtpUserList])
    assert_type(response.parsed, SmtpUserList)
    assert_type(response.request_id, str | None)
    assert_type(response.headers["Content-Type"], str)


def read_rows(rows: SmtpUserList) -> None:
    """Read the properties of a response."""
    for row in rows.smarthosts:
        assert_type(row, SmtpUser)
        assert_type(row.username, str)
    row.usrname  # expect-error: no such property
    rows[0]  # expect-error: properties that the document lacks have names


def mistake_arguments(api: Api) -> None:
    """Make the mistakes that a type checker must find."""
    api.create_smtp_user("smtp-user1")  # expect-error: arguments have names
    api.create_smtp_user()  # expect-error: the username is required
    api.create_smtp_user(username=5)  # expect-error: a number
    api.create_smtp_user(username=None)  # expect-error: nothing
    api.create_smtp_user(username="a", quota="many")  # expect-error: words
    api.create_smtp_user(username="a", approved_domains="example.com")  # expect-error: no list
    api.create_smtp_user(username="a", pasword="p")  # expect-error: a misspelt name
    api.update_smtp_user(current_username="a", status="deleted")  # expect-error: no such member
    api.update_smtp_user(current_username="a", status=SmtpUserStatus.ACTIVE)  # expect-error: another enumeration
    api.create_smtp_user(username="a").user  # expect-error: no such property
    api.remove_smtp_user(username="a")  # expect-error: no such operation
    api.raw.list_smtp_users().smarthosts  # expect-error: it is in `parsed`
    CreateSmtpUserBody("a")  # expect-error: models take no fields by position
    CreateSmtpUserBody(password="p")  # expect-error: the username is required
    connect(timeout="fast")  # expect-error: no number
    connect(api_key=b"key")  # expect-error: bytes
    connect("key", "https://example.com")  # expect-error: options have names


def handle_errors(api: Api) -> float | None:
    """Handle errors from the most special to the most general one."""
    try:
        api.list_smtp_users()
    except errors.RateLimitError as error:
        assert_type(error.status, int | None)
        error.retry_afer  # expect-error: a misspelt name
        return error.retry_after
    except errors.APITimeoutError as error:
        error.retry_after  # expect-error: nobody has answered
    except errors.APIStatusError as error:
        assert_type(error.content, bytes)
    except errors.APIError as error:
        assert_type(error.attempts, int)
    return None


async def use_coroutines(api: AsyncApi) -> None:
    """Use the asynchronous form."""
    assert_type(await api.create_smtp_user(username="a"), CreatedSmtpUser)
    assert_type((await api.raw.delete_smtp_user(username="a")).parsed, Acknowledgement)
    api.create_smtp_user(username="a").message  # expect-error: it is not awaited
    await api.list_smtp_users(username="a")  # expect-error: this operation takes none


async def open_connections() -> None:
    """Open connections of both kinds."""
    with connect("key") as api:
        assert_type(api, Api)
    async with aconnect("key", max_retries=0) as tasks:
        assert_type(tasks, AsyncApi)
    with aconnect("key"):  # expect-error: it is for `async with`
        pass


def tell_unset(value: str | Unset) -> Literal["nothing"] | str:
    """Return a field's value; `isinstance` narrows it."""
    return "nothing" if isinstance(value, Unset) else value
