"""The probes that a run sends: all, one part of them, or those that can show given findings."""

from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.planning.allowance import ignore_allowance
from contract_watch.engine.planning.probe import Probe


def select_probes(slug: str, planned: list[Probe], options: RunOptions) -> list[Probe]:
    """Return the probes of a vendor's plan that the options ask for."""
    names = options.rechecked_ids.get(slug, ()) or ((options.only,) if options.only else ())
    if names or options.thorough:
        planned = ignore_allowance(planned)
    if names:
        wanted = {probe.id for name in names for probe in find_probes(planned, name)}
        return [probe for probe in planned if probe.id in wanted]
    number, of = options.shard
    return [probe for index, probe in enumerate(planned) if index % of == number - 1]


def find_probes(planned: list[Probe], only: str) -> list[Probe]:
    """Return the probes that ``only`` names: by their own id, or by the clause that a finding's id begins with."""
    exact = [probe for probe in planned if probe.id == only]
    if exact:
        return exact
    aimed = [probe for probe in planned if any(only.startswith(f"{clause}/") for clause in probe.clauses)]
    if aimed:
        return aimed
    operation, _, rest = only.partition("/")
    if rest[:3].isdigit() or rest.startswith("response/") or rest in ("gone", "no-answer"):
        return [probe for probe in planned if any(step.operation == operation for step in probe.steps)]
    return []
