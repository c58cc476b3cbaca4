"""A campaign: mutated requests in batches until the time is over, and the inputs of the first damage as a file."""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from scripts.fuzz.mutator import mutate
from scripts.fuzz.seeds import build_grpc_seeds, build_http_seeds
from scripts.fuzz.target import FuzzTarget, start_target

_BATCH = 128
_GRPC_SHARE = 0.1
_MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class FuzzResult:
    """The number of inputs sent, the damage (empty: none), and the file that shows it again."""

    inputs: int
    damage: str = ""
    file: Path | None = None


def run_campaign(contracts: list[Contract], seconds: float, seed: int, out: Path) -> FuzzResult:
    """Send mutated requests for ``seconds``; stop at the first damage and write its inputs below ``out``.

    An interrupted campaign leaves the inputs of its last batch there.
    """
    randomness = random.Random(seed)
    http_seeds, grpc_seeds = build_http_seeds(contracts), build_grpc_seeds(contracts)
    slugs = [contract.slug for contract in contracts]
    until = time.monotonic() + seconds
    sent = 0
    with start_target(slugs) as target:
        while time.monotonic() < until:
            is_grpc = bool(grpc_seeds) and randomness.random() < _GRPC_SHARE
            batch = [mutate(randomness, grpc_seeds if is_grpc else http_seeds) for _ in range(_BATCH)]
            file = _write_batch(out, seed, slugs, batch, is_grpc=is_grpc)  # an interruption must not lose it
            damage = send_batch(target, batch, is_grpc=is_grpc)
            sent += len(batch)
            if damage:
                smallest = _reduce(slugs, batch, is_grpc=is_grpc)
                return FuzzResult(sent, damage, _write_batch(out, seed, slugs, smallest, is_grpc=is_grpc))
            file.unlink()
    return FuzzResult(sent)


def send_batch(target: FuzzTarget, batch: Sequence[bytes], *, is_grpc: bool) -> str:
    """Send a batch and return the damage, which is empty if there is none."""
    damage = target.send(target.grpc if is_grpc else target.rest, batch)
    damage = damage or target.find_damage()
    target.reset()
    return damage


def replay_file(file: Path) -> FuzzResult:
    """Send the inputs of a file of `run_campaign` once more, to a new mock.

    Raises:
        UsageError: The file is no such file.
    """
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise UsageError(
                f"--replay {file}: larger than {_MAX_FILE_BYTES:,} bytes; give a file that make fuzz-mock wrote"
            )
        written = json.loads(file.read_text(encoding="ascii"))
        batch = [bytes.fromhex(one) for one in written["inputs"]]
        slugs, is_grpc = [str(slug) for slug in written["vendors"]], bool(written["grpc"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = getattr(error, "strerror", None) or "not a file that make fuzz-mock wrote"
        raise UsageError(f"--replay {file}: {problem}") from error
    with start_target(slugs) as target:
        return FuzzResult(len(batch), send_batch(target, batch, is_grpc=is_grpc), file)


def _reduce(slugs: Sequence[str], batch: Sequence[bytes], *, is_grpc: bool) -> Sequence[bytes]:
    """Return the first input that does damage alone, to a new mock; the whole batch if none does."""
    for content in batch:
        with start_target(slugs) as target:
            if send_batch(target, [content], is_grpc=is_grpc):
                return [content]
    return batch


def _write_batch(out: Path, seed: int, slugs: Sequence[str], batch: Sequence[bytes], *, is_grpc: bool) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"fuzz-{seed}.json"
    content = {"vendors": list(slugs), "grpc": is_grpc, "inputs": [one.hex() for one in batch]}
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")
    return file
