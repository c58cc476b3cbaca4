"""Random workflows: a Hypothesis state machine over the operations of any contract.

Names come from a small pool, so that objects meet: taken names, renames onto one another, changes of removed objects.
The machine only picks the next request, and the model judges the response.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from contract_watch.contracts.openapi import Operation
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import fill_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.running.session import Session

_NAME_COUNT = 3


def build_workflow(session: Session, report: Callable[[Attempt], None]) -> type[RuleBasedStateMachine]:
    """Build a state machine class for the session's target; ``report`` gets each step's attempt."""
    bodies = ArgumentBuilder(session.contract)
    changing = [
        one
        for one in session.contract.operations.values()
        if not session.contract.is_read_only(one.id) and session.may_perform(one.id)
    ]
    fields = {operation.id: _build_optional_strategies(bodies, operation) for operation in changing}
    accounts = st.sampled_from(sorted(session.keys, reverse=True))
    pairs = st.lists(st.integers(0, _NAME_COUNT - 1), min_size=2, max_size=2)

    class Lives(_WorkflowBase):
        """Objects created, changed and removed under a few shared names."""

        def __init__(self) -> None:
            super().__init__(session, bodies, report)

        @rule(operation=st.sampled_from(changing), account=accounts, names=pairs, data=st.data())
        def change(self, operation: Operation, account: str, names: list[int], data: Any) -> None:
            """One changing operation with names from the pool and a few optional properties."""
            chosen = data.draw(st.fixed_dictionaries({}, optional=fields[operation.id]), label="optional")
            self.send_step(operation, self.build_arguments(operation, chosen, names), account)

        @rule(account=accounts, names=pairs)
        def read(self, account: str, names: list[int]) -> None:
            """Read the objects back."""
            operation = session.contract.operations[session.contract.lifecycle.read]
            self.send_step(operation, self.build_arguments(operation, {}, names), account)

    return Lives


class _WorkflowBase(RuleBasedStateMachine):
    """The steps of a workflow; a subclass picks them."""

    def __init__(self, session: Session, bodies: ArgumentBuilder, report: Callable[[Attempt], None]) -> None:
        super().__init__()
        self._session = session
        self._arguments = bodies
        self._report = report
        self._password_count = 0
        self._names = [session.names.create_name() for _ in range(_NAME_COUNT)]
        self._simulation = Simulation(session.contract)
        self._before = self._list_owned()

    def _list_owned(self) -> set[tuple[str, str]]:
        model = self._session.contract.model
        return {pair for world in self._session.target.possible_states for pair in model.list_owned(world)}

    def _resolve_placeholder(self, word: str, modifier: str) -> str:
        if word != "password":
            return self._names[0]
        self._password_count += 1
        return self._session.secrets.substitute.generate_password(
            self._password_count, int(modifier) if modifier else 20
        )

    def build_arguments(self, operation: Operation, chosen: dict[str, Any], names: list[int]) -> dict[str, Any]:
        """Build the minimal valid arguments and the ``chosen`` ones, with names from the pool."""
        arguments: dict[str, Any] = {
            **fill_placeholders(self._arguments.build_baseline(operation), self._resolve_placeholder), **fill_placeholders(chosen, self._resolve_placeholder)
        }  # fmt: skip
        roles = self._session.contract.get_roles(operation.id).items()
        for (name, role), index in zip([pair for pair in roles if pair[1] != "foreign"], names, strict=False):
            if name in arguments:
                held = self._names[index]
                arguments[name] = held if role == "new" else self._session.target.get_identity(held)
        return arguments

    def send_step(self, operation: Operation, arguments: dict[str, Any], account: str) -> None:
        """One request, judged."""
        session = self._session
        with session.record_attempt() as attempt:
            session.send_operation(operation.id, arguments, account)
        self._report(attempt)

    def teardown(self) -> None:
        """Remove the objects that this workflow left."""
        session = self._session
        remove = session.contract.operations[session.contract.lifecycle.remove]
        for account, name in sorted(self._list_owned() - self._before):
            for step in [
                *(
                    self._simulation.find_preparation(
                        session.target.possible_states, remove, name, session.keys[account]
                    )
                    or ()
                ),
                remove.id,
            ]:
                if session.stop_reason is None:
                    about = self._simulation.build_arguments(session.contract.operations[step], name)
                    with session.record_attempt():
                        session.send_operation(step, about, account)


def _build_optional_strategies(bodies: ArgumentBuilder, operation: Operation) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for an operation's optional properties: the values on their bounds."""
    found = {}
    required = operation.get_required_arguments()
    for name, prop in operation.get_arguments().items():
        if name in required or bodies.get_role(operation, name) == "foreign":
            continue
        if bodies.get_role(operation, name) is not None:
            found[name] = st.just("{n}")
            continue
        values = [variant.value for variant in bodies.generate_variants(operation, name, prop, accepted=True)]
        if values:
            found[name] = st.sampled_from(values)
    return found
