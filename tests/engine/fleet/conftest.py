"""A cluster of two workers that the tests of a module share."""

from collections.abc import Iterator

import pytest

from tests.support.dask_cluster import DaskCluster, start_cluster


@pytest.fixture(name="cluster", scope="module")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster
