"""Code of a team that uses the client: type checkers must accept it, and report exactly the marked lines."""

from typing import assert_type

from smtp2go_client import Api, AsyncApi, Response, aconnect, connect
from smtp2go_client.models import (
    AddSmtpUserBody,
    AddSmtpUserBodyStatus,
    EditSmtpUserBodyStatus,
    PatchedSmtpUsers,
    SmtpUserResults,
    SmtpUserView,
)


def use_every_operation(api: Api) -> None:
    """Call each operation as the documentation shows it."""
    assert_type(api.add_smtp_user(username="smtp-user1"), SmtpUserResults)
    api.add_smtp_user(username="a", status="blocked", custom_ratelimit=True, custom_ratelimit_value=5)
    assert_type(api.edit_smtp_user(username="a", status=EditSmtpUserBodyStatus.SANDBOX), SmtpUserResults)
    assert_type(api.patch_smtp_user(username="a", archive_enabled=True), PatchedSmtpUsers)
    assert_type(api.view_smtp_users(), SmtpUserView)
    assert_type(api.remove_smtp_user(username="a"), SmtpUserResults)
    assert_type(api.raw.add_smtp_user(username="a"), Response[SmtpUserResults])
    for user in api.patch_smtp_user(username="a").data:
        user.usrname  # expect-error: no such property


def mistake_arguments(api: Api) -> None:
    """Make the mistakes that a type checker must find."""
    api.add_smtp_user("smtp-user1")  # expect-error: arguments have names
    api.add_smtp_user()  # expect-error: the username is required
    api.add_smtp_user(username="a", custom_ratelimit="yes")  # expect-error: no boolean
    api.add_smtp_user(username="a", custom_ratelimit_value="5")  # expect-error: no number
    api.add_smtp_user(username="a", status="deleted")  # expect-error: no such member
    api.edit_smtp_user(username="a", status=AddSmtpUserBodyStatus.ALLOWED)  # expect-error: another enumeration
    api.view_smtp_users().result  # expect-error: no such property
    AddSmtpUserBody("a")  # expect-error: models take no fields by position
    AddSmtpUserBody(username="a", status="allowed")  # expect-error: a model takes members
    connect("key", region="mars")  # expect-error: no such region


async def open_connections() -> None:
    """Open connections of both kinds."""
    with connect("key", region="eu") as api:
        assert_type(api, Api)
    async with aconnect("key", region="us", timeout=3.5) as tasks:
        assert_type(tasks, AsyncApi)
        assert_type(await tasks.view_smtp_users(), SmtpUserView)
        tasks.view_smtp_users().data  # expect-error: it is not awaited
