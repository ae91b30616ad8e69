"""Build, start and enter the devcontainers of new projects, as editors do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baton import Workshop
from tests.project import free_port, replace_text
from tests.system.computer import UID, Computer, own_authorities
from tools.roles import roles

ROLES = {role.id: role for role in roles(Path())[1]}
VOLUME = "/home/dev/.uv"
WHO = {"user.name": "Ada", "user.email": "ada@example.com"}


@dataclass(frozen=True)
class Opened:
    """A project that is open in the devcontainer of a role."""

    project: Path
    role: str
    computer: Computer
    container: str

    def inside(self, *command: str) -> str:
        """Run a command inside the container; return its output."""
        return self.computer.devcontainer("exec", self.project, self.role, *command)

    def up(self, *arguments: str) -> str:
        """Open it again; return the container's id."""
        return self.computer.up(self.project, self.role, *arguments)


def open_project(computer: Computer, made: Path, role: str) -> Opened:
    project = computer.receive(made, role)
    opened = Opened(project, role, computer, computer.up(project, role))
    for name, value in WHO.items():  # editors copy the person's settings of git
        opened.inside("git", "config", "--global", name, value)
    return opened


@pytest.fixture(scope="module")
def data_scientist(default_project: Path, fresh_computer: Computer) -> Opened:
    """Return the default project, opened for the first time by a data scientist."""
    return open_project(fresh_computer, default_project, "data-scientist")


@pytest.fixture(scope="module")
def ml_engineer(workshop: Workshop, fresh_computer: Computer) -> Opened:
    """Return a project with a cloud, opened for the first time by an ML engineer."""
    published = fresh_computer.home / "terraform"
    published.mkdir()
    (published / "terraform").write_text("#!/bin/sh\necho Terraform\n", encoding="utf-8")
    (published / "terraform").chmod(0o755)
    (published / "Dockerfile").write_text("FROM scratch\nCOPY terraform /bin/\n")
    (tool,) = (one for one in ROLES["ml-engineer"].stated["tools"] if "image" in one["packages"])
    fresh_computer.run("podman", "build", f"--tag={tool['packages']['image']}", published)
    return open_project(fresh_computer, workshop.project({"cloud": "aws"}), "ml-engineer")


@pytest.fixture(params=[*ROLES])
def opened(request: pytest.FixtureRequest) -> Opened:
    found: Opened = request.getfixturevalue(request.param.replace("-", "_"))
    return found


def test_an_opened_project_is_set_up_and_passes_its_checks(opened: Opened) -> None:
    assert (opened.project / "uv.lock").exists()
    # The environment is the same for both roles: one of them runs all checks.
    every = () if opened.role == "data-scientist" else ("--only", "layers")
    opened.inside("poe", "check", *every)
    hooks = opened.inside("handoff", "status", "--format", "json")
    assert "hooks run before a commit" in hooks


def test_the_environment_is_on_path_in_every_shell(opened: Opened) -> None:
    for shell in ("sh -c", "bash -lc", "bash -ic"):
        assert opened.inside(*shell.split(), "command -v poe") == f"{VOLUME}/venv/bin/poe"
    assert not (opened.project / ".venv").exists()


def test_the_user_inside_is_not_root_and_keeps_the_uid(opened: Opened) -> None:
    assert opened.inside("id", "--user", "--name") == "dev"
    assert opened.inside("id", "--user") == str(UID)


def test_the_user_owns_files_from_inside_also_outside(opened: Opened) -> None:
    opened.inside("touch", "made-inside")
    assert (opened.project / "made-inside").stat().st_uid == UID
    assert "?? made-inside" in opened.inside("git", "status", "--short")
    (opened.project / "made-inside").unlink()


def test_packages_are_in_a_volume_that_the_user_may_write(opened: Opened) -> None:
    opened.inside("mountpoint", "--quiet", VOLUME)
    assert opened.inside("stat", "--format=%U", VOLUME) == "dev"


def test_the_user_owns_the_volumes_mount_point_in_the_image(opened: Opened) -> None:
    # Docker gives a new volume the owner of the mount point; podman would hide a mistake.
    podman = opened.computer.run
    image = podman("podman", "inspect", "--format={{.ImageName}}", opened.container)
    stat = ("--entrypoint=stat", image, "--format=%U", VOLUME)
    assert podman("podman", "run", "--rm", *stat) == "dev"


def test_the_doctor_misses_nothing(opened: Opened) -> None:
    opened.inside("handoff", "doctor", "--role", opened.role)


def test_the_editor_is_told_what_the_file_says(opened: Opened) -> None:
    question = ("read-configuration", opened.project, opened.role)
    answer = opened.computer.devcontainer(*question, "--include-merged-configuration")
    read = json.loads(answer)
    found = read["mergedConfiguration"]
    assert len(found["updateContentCommands"]) == len(found["postCreateCommands"]) == 1
    assert found["waitFor"] == "postCreateCommand"
    assert found["portsAttributes"]["8000"]["label"]
    assert read["configuration"]["secrets"].keys() >= {"MLFLOW_TRACKING_PASSWORD"}


def test_a_copy_of_a_folder_may_ask_for_a_gpu(data_scientist: Opened) -> None:
    page = data_scientist.project / "standards/handbook/first-hour-data-scientist.md"
    copied, wanted = re.findall(r"(?m)^(cp -r .*|\"hostRequirements.*)$", page.read_text("utf-8"))
    data_scientist.computer.run("sh", "-c", f"cd {data_scientist.project} && {copied}")
    file = data_scientist.project / ".devcontainer/gpu/devcontainer.json"
    replace_text(file, '  "remoteUser"', f'  {wanted},\n  "remoteUser"')
    question = ("read-configuration", data_scientist.project, "gpu")
    answer = json.loads(data_scientist.computer.devcontainer(*question))
    assert answer["configuration"]["hostRequirements"] == {"gpu": True}


def test_a_devcontainer_json_without_a_stage_still_builds(data_scientist: Opened) -> None:
    """Projects made before there were roles keep theirs, with the folder as the build's context."""
    folder, podman = data_scientist.project / ".devcontainer", data_scientist.computer.run
    trust = f"--build-arg=CA_CERTIFICATES={own_authorities()}"
    image = podman("podman", "build", "--quiet", trust, f"--file={folder}/Dockerfile", folder)
    assert podman("podman", "image", "inspect", "--format={{.Config.User}}", image) == "dev"


def test_a_data_scientist_trains_and_runs_a_notebook_without_a_manual_step(
    data_scientist: Opened,
) -> None:
    replace_text(data_scientist.project / "params.yaml", "iterations: 40", "iterations: 2")
    data_scientist.inside("poe", "pipeline")
    assert (data_scientist.project / "reports/metrics.json").stat().st_uid == UID
    data_scientist.inside("poe", "test")


def test_work_is_committed_inside_and_outside_with_its_hooks(data_scientist: Opened) -> None:
    project = data_scientist.project
    data_scientist.inside("git", "add", "--all")
    inside = data_scientist.inside("sh", "-c", "git commit --message=inside 2>&1")
    assert "layers" in inside
    replace_text(project / "README.md", "\n## ", "\nMore.\n\n## ")
    mounts = "--format={{range .Mounts}}{{if .Name}}{{.Source}}{{end}}{{end}}"
    volume = Path(
        data_scientist.computer.run("podman", "inspect", mounts, data_scientist.container)
    )
    # The person may use what the container has fetched, so that nothing is fetched twice.
    volume.parent.chmod(0o711)
    cache = ("env", f"UV_CACHE_DIR={volume}/cache", "UV_OFFLINE=1")
    who = [part for name, value in WHO.items() for part in ("-c", f"{name}={value}")]
    commit = ("commit", "--all", "--message=outside")
    printed = data_scientist.computer.run(*cache, "git", "-C", project, *who, *commit)
    assert (project / ".venv").is_dir()
    log = data_scientist.inside("git", "log", "--format=%s")
    assert log.split() == ["outside", "inside"], printed


@pytest.fixture
def ssh_server(data_scientist: Opened) -> Iterator[str]:
    """Start an SSH server of the person outside; yield the address of the home there.

    The container gets a key of its own for it; an editor would forward the agent instead.
    """
    computer, port = data_scientist.computer, free_port()
    data_scientist.inside("sh", "-c", "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519")
    key = data_scientist.inside("sh", "-c", "cat ~/.ssh/id_ed25519.pub")
    person = (
        f"mkdir -m 700 .ssh && echo '{key}' > .ssh/authorized_keys && git init -q --bare origin"
    )
    computer.run("sh", "-c", f"cd {computer.home} && {person}")
    files = {name: computer.home / ".ssh" / name for name in ("host", "pid")}
    computer.run("dropbearkey", "-t", "ed25519", "-f", files["host"])
    computer.run("dropbear", "-p", f"127.0.0.1:{port}", "-r", files["host"], "-P", files["pid"])
    yield f"ssh://person@127.0.0.1:{port}{computer.home}"
    computer.run("sh", "-c", f"kill $(cat {files['pid']})")


def test_a_push_over_ssh_arrives(data_scientist: Opened, ssh_server: str) -> None:
    new = "core.sshCommand=ssh -o StrictHostKeyChecking=accept-new"
    data_scientist.inside("git", "-c", new, "push", "--quiet", f"{ssh_server}/origin", "HEAD:main")
    origin = data_scientist.computer.home / "origin"
    assert data_scientist.computer.run("git", "-C", origin, "log", "--format=%s", "-1", "main")


def test_opening_a_project_again_reuses_the_container(data_scientist: Opened) -> None:
    assert data_scientist.up() == data_scientist.container


def test_a_rebuilt_container_sets_itself_up_without_the_network(data_scientist: Opened) -> None:
    again = ("--remove-existing-container", "--remote-env=UV_OFFLINE=1")
    assert data_scientist.up(*again) != data_scientist.container
    data_scientist.inside("handoff", "--help")
