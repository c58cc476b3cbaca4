"""Run the suite from the command line and under pytest."""

import sys

# httpx loads its own command line, with click, rich and pygments: a twentieth of the time of a run without exploring.
# It does without where that cannot be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: Python's own way to forbid an import
