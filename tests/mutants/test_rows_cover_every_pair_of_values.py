"""Few rows contain every pair of values."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from contract_watch.mutants.false_positives.pairwise import build_pairwise_rows

FACTORS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.lists(st.text("uvwxyz", min_size=1, max_size=2), min_size=1, max_size=4, unique=True),
    min_size=2,
    max_size=5,
)


@given(FACTORS)
def test_every_pair_of_values_stands_in_some_row(factors: dict[str, list[str]]) -> None:
    """Each row has a value for every factor, and the rows are the same every time."""
    rows = list(build_pairwise_rows(factors))
    assert all(row.keys() == factors.keys() for row in rows)
    for left, right in combinations(factors, 2):
        found = {(row[left], row[right]) for row in rows}
        assert found == {(one, other) for one in factors[left] for other in factors[right]}
    assert rows == list(build_pairwise_rows(factors))


def test_rows_are_few() -> None:
    """Ten factors of three values have 405 pairs; at most 30 rows contain them all."""
    rows = list(build_pairwise_rows({f"f{number}": ("a", "b", "c") for number in range(10)}))
    assert 9 <= len(rows) <= 30
