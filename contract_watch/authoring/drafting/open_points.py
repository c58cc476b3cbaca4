"""The things that a person must decide, because no document tells them."""

from dataclasses import dataclass

from contract_watch.escaping import escape_text

_MAX_LENGTH = 400


@dataclass(frozen=True)
class OpenPoint:
    """One decision: the ``file`` to edit, the ``problem`` with the choice that was made, and the ``remedy``."""

    file: str
    problem: str
    remedy: str

    def format(self, directory: str) -> str:
        """Return the line for people; texts of the document are escaped."""
        return escape_text(" ".join(f"{directory}/{self.file}: {self.problem}; {self.remedy}".split()), _MAX_LENGTH)


CONFIG, OVERLAY, RULES = "contract.toml", "overlay.yaml", "rules.yaml"
