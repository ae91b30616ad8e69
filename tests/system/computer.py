"""A simulated computer that builds, starts and enters real devcontainers without a daemon.

Podman is the engine, Microsoft's `devcontainer` command drives it as an editor would, and no
registry is used: mmdebstrap builds the image that replaces a project's base image.
"""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.baton import ROOT, git, run

BASE_IMAGE = "localhost/baton-test-base"
UID = 4321  # not the 1000 of `dev`, so that the change of the user id is tested, too
PATIENCE = 400  # seconds; a build takes two minutes
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
DEBIANS_OWN = "/usr/share/ca-certificates/mozilla"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
REACH = re.compile(r"(?i)(https?|all|no)_proxy|(PIP|UV)_(DEFAULT_)?(INDEX(_URL)?|TIMEOUT)")


@dataclass(frozen=True)
class Computer:
    """A separate computer with one ordinary user, in namespaces of this machine."""

    init: int  # the process id of its first process on this machine
    home: Path

    def run(self, *command: str | Path, network: Sequence[str] = ()) -> str:
        """Run a command on it as its user; return the standard output."""
        return run([*network, *self._as_its_user(), *command], self.home).stdout.strip()

    def _as_its_user(self) -> tuple[str, ...]:
        enter = ("nsenter", f"--target={self.init}", "--mount", "--pid")
        user = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups")
        path = f"PATH={self.home}/node_modules/.bin:{os.environ['PATH']}"
        return (*enter, *user, "env", "--ignore-environment", path, f"HOME={self.home}")

    def lend_podman(self, folder: Path, **settings: str) -> None:
        """Write a `podman` wrapper into a folder, for commands of this machine.

        Args:
            folder: The folder.
            settings: Environment variables for it, in addition to those of its caller.
        """
        given = "${BUILDAH_FORMAT:+BUILDAH_FORMAT=$BUILDAH_FORMAT}"
        own = shlex.join([*self._as_its_user(), *(f"{k}={v}" for k, v in settings.items())])
        command = folder / "podman"
        command.write_text(f'#!/bin/sh\nexec {own} {given} podman "$@"\n')
        command.chmod(0o755)

    def devcontainer(self, verb: str, project: Path, role: str, *arguments: str) -> str:
        """Run the `devcontainer` command on a project, for the devcontainer of a role."""
        file = project / f".devcontainer/{role}/devcontainer.json"
        options = ("--docker-path=podman", f"--workspace-folder={project}", f"--config={file}")
        trust = f"DEVCONTAINER_CA_CERTIFICATES={own_authorities()}"
        command = ("env", trust, "timeout", str(PATIENCE), "devcontainer", verb, *options)
        return self.run(*command, *arguments)

    def up(self, project: Path, role: str, *arguments: str) -> str:
        """Open a project in the devcontainer of a role; return the container's id."""
        try:
            output = self.devcontainer("up", project, role, *arguments)
        except AssertionError as error:
            # The command waits for podman to report the start; podman 4.3 can lose the report.
            if "exited 124:" not in str(error):
                raise
            output = self.devcontainer("up", project, role, *arguments)
        return str(json.loads(output.splitlines()[-1])["containerId"])

    def receive(self, project: Path, name: str) -> Path:
        """Copy a project into its user's home under a name, with the local base image."""
        copy = shutil.copytree(project, self.home / name)
        dockerfile = copy / ".devcontainer/Dockerfile"
        text, changed = re.subn(
            r"(?m)^ARG BASE_IMAGE=.*", f"ARG BASE_IMAGE={BASE_IMAGE}", dockerfile.read_text()
        )
        assert changed == 1, "the Dockerfile should name its base image once"
        dockerfile.write_text(text)
        git(copy, "init", "--quiet")
        run(["chown", "--recursive", f"{UID}:{UID}", copy], copy)
        return copy


def own_authorities() -> str:
    """Return the certificates that this machine trusts and Debian does not, as base64."""
    bundle = Path(os.environ.get("SSL_CERT_FILE", CA_BUNDLE)).read_text("utf-8")
    debian = {file.read_text("utf-8").strip() for file in Path(DEBIANS_OWN).glob("*.crt")}
    own = [text for text in CERTIFICATE.findall(bundle) if text not in debian]
    return base64.b64encode("\n".join(own).encode()).decode()


def install_npm(folder: Path) -> Path:
    """Install Node and the commands in package-lock.json; return the folder with them."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(name), folder)
    run(["npm", "ci", "--ignore-scripts"], folder)
    commands = folder / "node_modules/.bin"
    node = run(["node", "--print", "process.execPath"], folder).stdout.strip()
    shutil.copy(node, commands / "node")
    return commands


@contextmanager
def computer(npm_commands: Path) -> Iterator[Computer]:
    """Run a computer that has the base image; it ends with its first process."""
    with TemporaryDirectory(dir="/var/tmp", prefix="baton-computer-") as folder:
        home = Path(folder)
        shutil.copytree(npm_commands.parent, home / "node_modules", symlinks=True)
        _prepare_base_image(home)
        _configure_podman(home)
        run(["chown", "--recursive", f"{UID}:{UID}", home], home)
        with _first_process(home) as init:
            it = Computer(init, home)
            it.run("podman", "build", f"--tag={BASE_IMAGE}", home / "base-image")
            yield it


def _prepare_base_image(home: Path) -> None:
    """Prepare a Debian image that uses this machine's settings for the package index.

    A devcontainer does without them: it gets the machine's authorities as a company's are given.
    """
    context = home / "base-image"
    context.mkdir()
    shutil.copy(_debian(), context / "debian.tar")
    shutil.copy(os.environ.get("SSL_CERT_FILE", CA_BUNDLE), context / "machine.pem")
    trust = {"SSL_CERT_FILE": "/etc/ssl/machine.pem", "PIP_CERT": "/etc/ssl/machine.pem"}
    reach = {name: value for name, value in os.environ.items() if REACH.fullmatch(name)}
    variables = " ".join(f"{name}={json.dumps(value)}" for name, value in (trust | reach).items())
    (context / "Dockerfile").write_text(
        f"FROM scratch\nADD debian.tar /\nCOPY machine.pem /etc/ssl/\nENV {variables}\n"
    )


def _debian() -> Path:
    """Return a Debian image with Python and pip as in the official images; built once."""
    made = ROOT / ".cache/bookworm-python.tar"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        index = ("--format=deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
        sources = run(["apt-get", "indextargets", *index, "Origin: Debian"], ROOT).stdout
        unfinished = made.with_suffix(".unfinished.tar")
        packages = "--include=ca-certificates,python3,python3-pip"
        # As in the official images, pip installs into the system.
        unmanaged = '--customize-hook=rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'
        command = ["mmdebstrap", "--variant=minbase", packages, unmanaged]
        run([*command, "bookworm", unfinished, "-"], ROOT, typing=sources)
        unfinished.rename(made)
    return made


@contextmanager
def loopback() -> Iterator[tuple[str, ...]]:
    """Yield a command prefix that runs a command in a network with only loopback and free ports.

    A server on all addresses of this network can't be reached from outside.
    """
    keep = "ip link set lo up; echo up; exec cat"
    with subprocess.Popen(
        ("unshare", "--net", "sh", "-euc", keep), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield ("nsenter", f"--target={process.pid}", "--net")


# --- The code below is needed in a sandbox and not on a user's computer. ---

BOOT = """
read -r pid rest </proc/self/stat  # before /proc shows the numbers inside only
mount -t proc proc /proc
mount -t cgroup2 cgroup2 /sys/fs/cgroup  # crun knows no hybrid hierarchy
mount -t tmpfs tmpfs /tmp
mkdir /tmp/etc /tmp/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/tmp/etc,workdir=/tmp/work /etc
useradd --uid "$1" --home-dir "$2" --no-create-home person  # in this /etc only
echo "$pid"
exec cat  # until its standard input ends, as it does when the test dies
"""


@contextmanager
def _first_process(home: Path) -> Iterator[int]:
    """Isolate mounts, processes and users by namespaces: a sandbox has no virtual machines."""
    boot = ("unshare", "--mount", "--pid", "--fork", "sh", "-euc", BOOT, "sh")
    with subprocess.Popen(
        (*boot, str(UID), home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def _configure_podman(home: Path) -> None:
    """Write the engine's settings into its default place."""
    folder = home / ".config/containers"
    folder.mkdir(parents=True)
    # No separate network: it needs a device that a sandbox doesn't permit to open.
    (folder / "containers.conf").write_text('[containers]\nnetns = "host"\n')
    # Layers instead of whole copies: podman does not detect that this kernel supports them.
    (folder / "storage.conf").write_text('[storage]\ndriver = "overlay"\n')
