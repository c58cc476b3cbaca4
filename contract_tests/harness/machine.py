"""Random lives: a Hypothesis state machine over whatever operations a contract has.

Names come from a small pool, so that lives cross: taken names, renames onto one another, changes of what was removed.
What must come of each step is the model's to say; the machine only picks the next request.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from contract_tests.harness.attempt import Attempt
from contract_tests.harness.bodies import Bodies
from contract_tests.harness.probe import fill
from contract_tests.harness.session import Session
from contracts.document import Operation
from contracts.request import Body

_POOL = 3


def machine(session: Session, report: Callable[[Attempt], None]) -> type[RuleBasedStateMachine]:
    """A state machine class whose lives are lived on the session's target; ``report`` gets each step's attempt."""
    bodies = Bodies(session.contract)
    changing = [operation for operation in session.contract.operations.values() if not operation.reads_only]
    fields = {operation.id: _optional(bodies, operation) for operation in changing}
    accounts = st.sampled_from(sorted(session.keys, reverse=True))
    pairs = st.lists(st.integers(0, _POOL - 1), min_size=2, max_size=2)

    class Lives(_Lives):
        """Objects made, changed and removed under a few names that cross."""

        def __init__(self) -> None:
            super().__init__(session, bodies, report)

        @rule(operation=st.sampled_from(changing), account=accounts, names=pairs, data=st.data())
        def change(self, operation: Operation, account: str, names: list[int], data: Any) -> None:
            """One changing operation with names from the pool and a few optional properties."""
            chosen = data.draw(st.fixed_dictionaries({}, optional=fields[operation.id]), label="optional")
            self.ask(operation, self.body(operation, chosen, names), account)

        @rule(account=accounts)
        def read(self, account: str) -> None:
            """Read back what there is."""
            self.ask(session.contract.operations[session.contract.lifecycle.read], Body.ABSENT, account)

    return Lives


class _Lives(RuleBasedStateMachine):
    """What a life can do; which steps it takes is its subclass's business."""

    def __init__(self, session: Session, bodies: Bodies, report: Callable[[Attempt], None]) -> None:
        super().__init__()
        self._session = session
        self._bodies = bodies
        self._report = report
        self._secrets = 0
        self._pool = [session.names.mint() for _ in range(_POOL)]

    def _give(self, word: str, modifier: str) -> str:
        if word != "password":
            return self._pool[0]
        self._secrets += 1
        text = hashlib.sha512(f"{word}{self._secrets}".encode()).hexdigest()
        return text[: int(modifier)] if modifier else text[:20]

    def body(self, operation: Operation, chosen: dict[str, Any], names: list[int]) -> Any:
        """The least valid body with the ``chosen`` properties, naming objects of the pool."""
        body = {**fill(self._bodies.baseline(operation), self._give), **fill(chosen, self._give)}
        roles = self._session.contract.identities.get(operation.id, {})
        for pointer, index in zip(roles, names, strict=False):
            if pointer[1:] in body:
                body[pointer[1:]] = self._pool[index]
        return body

    def ask(self, operation: Operation, body: Any, account: str) -> None:
        """One request, judged."""
        session = self._session
        with session.attempting() as attempt:
            session.ask(operation.method, operation.path, body, session.authorization(account))
        self._report(attempt)

    def teardown(self) -> None:
        """Remove what this life left."""
        session = self._session
        remove = session.contract.lifecycle.remove
        roles = session.contract.identities[remove]
        left = {pair for world in session.worlds for pair in session.contract.model.owned(world)}
        for account, name in sorted(left):
            if name in self._pool and session.stopped is None:
                with session.attempting():
                    session.send(remove, {pointer[1:]: name for pointer in roles}, account)


def _optional(bodies: Bodies, operation: Operation) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for an operation's optional properties: the values on their bounds."""
    found = {}
    required = bodies.required(operation)
    for name, prop in bodies.properties(operation).items():
        if name in required:
            continue
        if bodies.role(operation, name) is not None:
            found[name] = st.just("{n}")
            continue
        values = [variant.value for variant in bodies.variants(operation, name, prop, accepted=True)]
        if values:
            found[name] = st.sampled_from(values)
    return found
