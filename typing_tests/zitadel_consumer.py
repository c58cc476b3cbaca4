"""Code of a team that uses the client: type checkers must accept it, and report exactly the marked lines."""

from typing import assert_type

from zitadel_client import UNSET, Api, AsyncApi, Response, aconnect, connect
from zitadel_client.models import (
    AddedSmtpConfig,
    ChangedSmtpConfig,
    FoundSmtpConfig,
    FoundSmtpConfigs,
    ListQuery,
    NewSmtpConfig,
)


def use_every_operation(api: Api) -> None:
    """Call each operation as the documentation shows it."""
    added = api.add_smtp_config(sender_address="a@example.com", sender_name="A", host="smtp.example.com:587", tls=True)
    assert_type(added, AddedSmtpConfig)
    found = api.list_smtp_configs(query=ListQuery(limit=5))
    assert_type(found, FoundSmtpConfigs)
    assert_type(api.get_smtp_config_by_id("1"), FoundSmtpConfig)
    assert_type(api.get_smtp_config_by_id(id="1"), FoundSmtpConfig)
    api.activate_smtp_config("1", timeout=3)
    assert_type(api.raw.activate_smtp_config("1"), Response[ChangedSmtpConfig])
    assert_type(api.raw.deactivate_smtp_config("1"), Response[ChangedSmtpConfig])
    assert_type(api.raw.update_smtp_config_password("1", password="p"), Response[ChangedSmtpConfig])
    if found.result:
        assert_type(found.result[0].id, str)
        found.result[0].ident  # expect-error: no such property
    found.result.copy()  # expect-error: an empty page has no list


def mistake_arguments(api: Api) -> None:
    """Make the mistakes that a type checker must find."""
    api.get_smtp_config_by_id()  # expect-error: the id is required
    api.get_smtp_config_by_id(5)  # expect-error: a number
    api.get_smtp_config_by_id(None)  # expect-error: nothing
    api.get_smtp_config_by_id("1", 5.0)  # expect-error: options have names
    api.get_smtp_config_by_id(UNSET)  # expect-error: a path needs it
    api.update_smtp_config_password("1", "p")  # expect-error: the password has a name
    api.add_smtp_config("a@example.com", "A", "smtp.example.com:587")  # expect-error: arguments have names
    api.add_smtp_config(sender_address="a@example.com", host="smtp.example.com:587")  # expect-error: no sender_name
    api.list_smtp_configs(query={"limit": 5})  # expect-error: a model
    ListQuery(5)  # expect-error: models take no fields by position
    ListQuery(limit="5")  # expect-error: no number
    NewSmtpConfig(sender_address="a@example.com")  # expect-error: two more are required
    connect("key", instance=5)  # expect-error: no address
    connect("key", region="eu")  # expect-error: this API has none


async def open_connections() -> None:
    """Open connections of both kinds."""
    with connect("key", instance="own.example.com") as api:
        assert_type(api, Api)
    async with aconnect("key", base_url="http://127.0.0.1:8025") as tasks:
        assert_type(tasks, AsyncApi)
        assert_type(await tasks.remove_smtp_config("1"), ChangedSmtpConfig)
        await tasks.remove_smtp_config("1").details  # expect-error: it is not awaited
