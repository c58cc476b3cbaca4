"""Random lives: a Hypothesis state machine over whatever operations a contract has.

Names come from a small pool, so that lives cross: taken names, renames onto one another, changes of what was removed.
What must come of each step is the model's to say; the machine only picks the next request.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from contract_tests.harness.plan import Planner
from contract_tests.harness.probe import fill
from contract_tests.harness.session import Attempt, Session
from contracts.document import Operation
from contracts.request import Body

_POOL = 3


def machine(session: Session, report: Callable[[Attempt], None]) -> type[RuleBasedStateMachine]:
    """A state machine class whose lives are lived on the session's target; ``report`` gets each step's attempt."""
    contract = session.contract
    planner = Planner(contract)
    changing = [operation for operation in contract.operations.values() if not operation.reads_only]
    fields = {operation.id: _optional(planner, operation) for operation in changing}

    class Lives(RuleBasedStateMachine):
        """Objects made, changed and removed under a few names that cross."""

        def __init__(self) -> None:
            super().__init__()
            self.secrets = 0

        @initialize()
        def begin(self) -> None:
            """Mint the names of this life."""
            self.pool = [session.names.mint() for _ in range(_POOL)]
            self.sizes = dict.fromkeys(self.pool)

        def _give(self, word: str, modifier: str) -> str:
            if word != "password":
                return self.pool[0]
            self.secrets += 1
            text = hashlib.sha512(f"{word}{self.secrets}".encode()).hexdigest()
            return text[: int(modifier)] if modifier else text[:20]

        @rule(
            operation=st.sampled_from(changing),
            account=st.sampled_from(sorted(session.keys, reverse=True)),
            names=st.lists(st.integers(0, _POOL - 1), min_size=2, max_size=2),
            data=st.data(),
        )
        def change(self, operation: Operation, account: str, names: list[int], data: Any) -> None:
            """One changing operation with names from the pool and a few optional properties."""
            chosen = data.draw(st.fixed_dictionaries({}, optional=fields[operation.id]), label="optional")
            body = {**fill(planner.baseline(operation), self._give), **fill(chosen, self._give)}
            roles = contract.identities.get(operation.id, {})
            for pointer, index in zip(roles, names, strict=False):
                if pointer[1:] in body:
                    body[pointer[1:]] = self.pool[index]
            self._ask(operation, body, account)

        @rule(account=st.sampled_from(sorted(session.keys, reverse=True)))
        def read(self, account: str) -> None:
            """Read back what there is."""
            self._ask(contract.operations[contract.lifecycle.read], Body.ABSENT, account)

        def _ask(self, operation: Operation, body: Any, account: str) -> None:
            with session.attempting() as attempt:
                session.ask(operation.method, operation.path, body, session.authorization(account))
            report(attempt)

        def teardown(self) -> None:
            """Remove what this life left."""
            remove = contract.lifecycle.remove
            roles = contract.identities[remove]
            left = {pair for world in session.worlds for pair in contract.model.owned(world)}
            for account, name in sorted(left):
                if name in self.sizes and session.stopped is None:
                    with session.attempting():
                        session.send(remove, {pointer[1:]: name for pointer in roles}, account)

    return Lives


def _optional(planner: Planner, operation: Operation) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for an operation's optional properties: the values on their bounds."""
    found = {}
    required = planner.required(operation)
    for name, prop in planner.properties(operation).items():
        if name in required:
            continue
        if planner.role(operation, name) is not None:
            found[name] = st.just("{n}")
            continue
        values = [variant.value for variant in planner.variants(operation, name, prop, accepted=True)]
        if values:
            found[name] = st.sampled_from(values)
    return found
