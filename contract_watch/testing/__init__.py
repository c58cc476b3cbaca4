"""The mock as a library: vendors in a test, without an account.

    from contract_watch.testing import play

    with play("<slug>") as vendor:
        client = connect(vendor.api_key, base_url=vendor.url)

`playing.play` serves one vendor or several in threads of this process, each on a port of its own, or in the process alone
for ``httpx.ASGITransport(app=vendor.asgi)``. `played_vendor.PlayedVendor` is the handle: addresses, keys, state, faults,
clock and the journal, from any thread. `backstage` is the one module that knows the mock's internals, `calls` finds and
compares recorded requests, `presets` reads the objects to begin with, `played_clock` is the vendor's time, `lookup` finds
contracts and remembers those that were loaded.

`pytest_plugin` gives each vendor a fixture ``mock_<slug>``. pytest loads it in every run, so this package and the plugin
import nothing until a test uses them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_watch.testing.calls import PlayedCall
    from contract_watch.testing.played_clock import PlayedClock
    from contract_watch.testing.played_vendor import PlayedSnapshot, PlayedVendor, PlayedVendors, ScriptedFault
    from contract_watch.testing.playing import Play, play

_HOMES = {
    "Play": "playing",
    "PlayedCall": "calls",
    "PlayedClock": "played_clock",
    "PlayedSnapshot": "played_vendor",
    "PlayedVendor": "played_vendor",
    "PlayedVendors": "played_vendor",
    "ScriptedFault": "played_vendor",
    "play": "playing",
}
__all__ = [
    "Play", "PlayedCall", "PlayedClock", "PlayedSnapshot", "PlayedVendor", "PlayedVendors", "ScriptedFault", "play",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is used first."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 (pytest imports this package in every run)

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
