"""A server that plays a vendor's mutants, one after another, and counts requests.

``python -m scripts.bench.mutant_server SLUG PORT`` serves it on loopback. It is controlled below ``/__mutant``; these
requests are not counted:

| request | effect |
|---|---|
| ``PUT /__mutant`` | play the mutant with the id in the body (empty: the faithful vendor) from a new state |
| ``GET /__mutant`` | the current mutant, the requests since then, and how often they triggered the drift |
| ``GET /__mutant/sample/N`` | the ids of a fixed sample: at most N of each family, none of them equivalent |
"""

import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_watch import cli
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.mock.bodies import read_body, send_json
from contract_watch.mock.hosts import open_socket
from contract_watch.mock.protocol import ServerConfig
from contract_watch.mutants.derivation import MutantConfig, derive_mutants, sample_evenly
from contract_watch.mutants.mutant import FAMILIES, Mutation
from contract_watch.mutants.mutant_mock import MutantApp

CONTROL_PATH = "/__mutant"
_SAMPLE_PATH = f"{CONTROL_PATH}/sample/"
_UNCOUNTED_PATHS = (CONTROL_PATH, "/__mock/")


class MutantSwitcher:
    """An ASGI application that plays one mutant until it gets another."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._mutants = {mutant.id: mutant for mutant in derive_mutants(contract)}
        self._id = ""
        self._mutation = Mutation()
        self._server: ASGIApp = MutantApp(contract, self._mutation)
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a control request, or pass a request to the current vendor."""
        path = scope["path"]
        if path == CONTROL_PATH or path.startswith(_SAMPLE_PATH):
            status, body = await self._handle_control(scope, receive)
            await send_json(send, status, body)
            return
        self._requests += not path.startswith(_UNCOUNTED_PATHS)
        await self._server(scope, receive, _add_allow_header(self._contract, scope, send))

    async def _handle_control(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        path, method = scope["path"], scope["method"]
        if path.startswith(_SAMPLE_PATH):
            size = path.removeprefix(_SAMPLE_PATH)
            return (
                (200, draw_sample(self._contract, int(size)))
                if size.isdecimal()
                else (404, {"error": "no such sample"})
            )
        if method == "PUT":
            wanted = (await read_body(receive)).decode("utf-8", "replace")
            if wanted and wanted not in self._mutants:
                return 404, {"error": "no such mutant"}
            self._id, self._requests = wanted, 0
            self._mutation = self._mutants[wanted].create_mutation() if wanted else Mutation()
            self._server = MutantApp(self._contract, self._mutation)
        elif method != "GET":
            return 405, {"error": "GET or PUT"}
        return 200, {"mutant": self._id, "requests": self._requests, "touched": self._mutation.activations}


def draw_sample(contract: Contract, size: int) -> dict[str, Any]:
    """Draw at most ``size`` mutants of each family, without equivalent ones; return them with the number of all mutants."""
    judgement, every = MutantConfig(contract), derive_mutants(contract)
    candidates = [mutant for mutant in every if not judgement.find_reason(mutant)]
    families = [[mutant for mutant in candidates if mutant.family == family] for family in FAMILIES]
    found = [mutant for mine in families if size for mutant in sample_evenly(mine, size)]
    return {"sample": [mutant.id for mutant in found], "all": len(every), "floor": judgement.floors.score}


def _add_allow_header(contract: Contract, scope: Scope, send: Send) -> Send:
    """Wrap ``send`` to add an ``Allow`` header to each 405 without one.

    RFC 9110 requires one, and the documents under contract do not promise it: a tool that reports its absence is right,
    and would count as a false alarm otherwise. Responses to OPTIONS stay as they are, since a tool could compare the
    header with a document that lacks an operation.
    """
    if scope["method"] == "OPTIONS":
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            headers = list(message.get("headers", ()))
            if not any(name.lower() == b"allow" for name, _ in headers):
                path = scope["path"].removeprefix(contract.base_path)
                here = {operation.method for operation in contract.operations.values() if operation.path == path}
                allowed = ", ".join(sorted(here - {scope["method"]}))
                message = {**message, "headers": [*headers, (b"allow", allowed.encode("latin-1"))]}
        await send(message)

    return sending


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: list[str] | None = None) -> int:
    """Serve one vendor's mutants until ended; 3 if the port is taken."""
    parser = cli.CommandParser("scripts.bench.mutant_server", "Serves one vendor's mutants on loopback.")
    parser.add_argument("slug")
    parser.add_argument("port", type=int)
    given = parser.parse_args(arguments)
    application = MutantSwitcher(load_contracts()[given.slug])
    uvicorn.Server(ServerConfig(application)).run([open_socket(given.port)])
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
