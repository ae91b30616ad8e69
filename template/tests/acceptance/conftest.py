"""Fixtures of the acceptance scenarios: the registered model, and the service that runs it."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from baton_handoff.config.project import Project, find_project
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.model_registry import load
from baton_handoff.serving.running import running


@pytest.fixture(scope="session")
def project() -> Project:
    return find_project(Path(__file__).parent)


@pytest.fixture(scope="session")
def registered(project: Project) -> Loaded:
    return load(project)


@pytest.fixture(scope="session")
def service(project: Project) -> Iterator[httpx2.Client]:
    """A client of the service, which runs as a process of its own until the last scenario."""
    # Never use a proxy for a loopback address.
    with running(project) as address, httpx2.Client(base_url=address, trust_env=False) as client:
        yield client
