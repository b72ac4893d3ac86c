"""Tests that share a part of this machine are run by one worker."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="no workers in this run")
def test_every_group_is_known_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]

    # pytest-xdist tells its scheduler by the end of a test's id.
    assert [item.nodeid for item in grouped if "@" not in item.nodeid] == []
