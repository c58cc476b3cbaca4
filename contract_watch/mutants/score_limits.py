"""The limits of a score, for its report: the drifts that mutants are derived from, and those that no mutant plays."""

from collections.abc import Iterator, Sequence

from contract_watch.escaping import escape_markdown
from contract_watch.mutants.derivation import describe_derivations
from contract_watch.mutants.score import MutationScore

UNCOVERED = (
    "drifts that only load, hours or days bring about",
    "statuses that no request of a run provokes, such as a vendor's own failures",
    "what no response shows: how passwords are stored, logs, invoices, other customers' data",
    "what happens outside the API: whether mail is delivered, and what an SMTP login allows",
    "what neither the documents nor the rules of the contract state",
    "times that are wrong by less than a day: the clock of a run may be wrong as well",
    "two drifts at once: each mutant has one",
)
"""The kinds of drift that no mutant plays."""
SECOND_CATALOGUE = (
    "A second catalogue was made in November 2026 without looking at the mutants: of its 45 drifts the suite found 34 "
    "(76 %), where it found all of its own. Suite and mutants have gained some of the kinds that it missed since; it has "
    "not been repeated."
)
AUTHORS = (
    "Mutants are made by those who made the suite, from the same documents. A score therefore tells how well the suite "
    "finds the drifts that its authors thought of; expect less of others."
)


def format_limits(scores: Sequence[MutationScore]) -> Iterator[str]:
    """Format the lines of the section in Markdown."""
    yield from ("## Limits of the score", "", AUTHORS, "", SECOND_CATALOGUE, "", "Mutants exist for:", "")
    yield from (f"- {escape_markdown(one)}" for one in describe_derivations())
    yield from ("", "No mutant exists for:", "", *(f"- {one}" for one in UNCOVERED), "")
    yield from ("Equivalent mutants, which no client can distinguish from the vendor, do not count:", "")
    for score in scores:
        count = len(score.equivalent_reasons)
        yield f"- {escape_markdown(score.contract.name)}: {count:,} of {len(score.mutants):,}"
