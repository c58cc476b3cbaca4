"""The probes that a protocol can express."""

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.probe import Probe, fill_with_stand_ins


def can_encode_rest(_contract: Contract, probe: Probe) -> bool:
    """Return True if REST can express every request of ``probe``: an empty path parameter has no path."""
    return all("" not in step.parameters.values() for step in probe.steps)


def can_encode_grpc(contract: Contract, probe: Probe) -> bool:
    """Return True if protobuf can express every request of ``probe``."""
    from contract_watch.contracts.protobuf import MessageCodec, MessageCodecError  # noqa: PLC0415 (loads slowly)

    messages = MessageCodec(contract)
    try:
        for step in probe.steps:
            if step.operation is None or contract.credential_locations[step.location].field:
                return False
            messages.encode_request(
                contract.operations[step.operation],
                fill_with_stand_ins(dict(step.parameters)),
                fill_with_stand_ins(step.body),
            )
    except MessageCodecError:
        return False
    return True
