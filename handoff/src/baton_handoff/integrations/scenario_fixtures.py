"""Fixtures of acceptance scenarios: the registered model, and the service that runs it.

A module of scenarios names this module in its `pytest_plugins`.
"""

from collections.abc import Iterator

import httpx2
import pytest

from baton_handoff.config.project import find_project
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.model_registry import load
from baton_handoff.serving.running import running


@pytest.fixture(scope="session")
def registered(pytestconfig: pytest.Config) -> Loaded:
    """The model version to try: that of `alias` in handoff.toml, or of HANDOFF_ALIAS."""
    return load(find_project(pytestconfig.rootpath))


@pytest.fixture(scope="session")
def service(pytestconfig: pytest.Config) -> Iterator[httpx2.Client]:
    """A client of the service, which runs as a process of its own until the last scenario."""
    project = find_project(pytestconfig.rootpath)
    # Never use a proxy for a loopback address.
    with running(project) as address, httpx2.Client(base_url=address, trust_env=False) as client:
        yield client
