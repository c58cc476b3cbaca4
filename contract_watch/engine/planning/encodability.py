"""The probes that a protocol can express."""

from contract_watch.contracts.parameters import encode_parameters, is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.text_values import NotEncodableError
from contract_watch.engine.planning.probe import Probe, fill_with_stand_ins


def can_encode_rest(contract: Contract, probe: Probe) -> bool:
    """Return True if REST can express every request of ``probe``: an empty path parameter has no path."""
    return not explain_unencodable(contract, probe)


def explain_unencodable(contract: Contract, probe: Probe) -> str:
    """Return the reason why REST cannot express a request of ``probe``; empty if it can express all."""
    for step in probe.steps:
        if any(value == "" and not is_parameter_key(name) for name, value in step.parameters.items()):
            return "REST cannot express an empty path parameter"
        declared = contract.operations.get(step.operation or "")
        if declared is None:
            continue
        try:
            declared.codec.encode(fill_with_stand_ins(step.body))
            encode_parameters(declared.specs, fill_with_stand_ins(dict(step.parameters)))
        except NotEncodableError as error:
            return f"{declared.name} cannot be sent so: {error}"
    return ""


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
