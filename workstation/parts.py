"""The parts of a laptop's set-up: what is missing, how it is added, how it is removed.

mise installs packages and tools and writes dotfiles. Git's configuration, which must not be
overwritten, is written here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MAC_EDITOR = "/Applications/Visual Studio Code.app/Contents/Resources/app/bin"
ADMINISTRATOR = re.compile(r"Run (?:as root|manually):\s+(.+)")
NO_NETWORK = re.compile(r"(?i)resolv|connect|unable to fetch|network|timed out|sending request")


class FailedError(Exception):
    """A part could not be set up; the text is one sentence about the reason and the way out."""


@dataclass(frozen=True)
class Laptop:
    """A person's account on a computer."""

    system: str
    """`linux`, `macos` or `windows`."""

    home: Path
    environment: Mapping[str, str]

    def find(self, command: str) -> str | None:
        """Return the path of a command, also of one that was installed a moment ago."""
        local = Path(self.environment.get("LOCALAPPDATA", self.home / "AppData/Local"))
        added: dict[str, list[str | Path]] = {
            "linux": [self.home / ".local/share/mise/shims"],
            "macos": [self.home / ".local/share/mise/shims", "/opt/homebrew/bin", MAC_EDITOR],
            "windows": [local / "Programs/Microsoft VS Code/bin", local / "mise/shims"],
        }
        # mise's own uv runs this file; it isn't yet a tool that the person can use.
        own = [
            folder
            for folder in self.environment["PATH"].split(os.pathsep)
            if Path("mise/installs").as_posix() not in Path(folder).as_posix()
        ]
        return shutil.which(command, path=os.pathsep.join([*own, *map(str, added[self.system])]))

    def run(self, *command: str, shown: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command in the home folder.

        Args:
            command: The command and its arguments.
            shown: Let a person see the output and type a password.
        """
        program = self.find(command[0])
        if program is None:
            raise FailedError(f"{command[0]} is not installed.")
        captured = None if shown and sys.stderr.isatty() else subprocess.PIPE
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.home,
            env=self.environment,
            stdout=captured,
            stderr=captured,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    @property
    def records(self) -> Path:
        """Where is recorded what was added."""
        if self.system == "windows":
            return Path(self.environment["LOCALAPPDATA"]) / "baton"
        return self.home / ".local/state/baton"


@dataclass(frozen=True)
class Part(ABC):
    """One part of the set-up. Its entries have names; an entry is there or missing."""

    laptop: Laptop
    role: str
    wanted: Mapping[str, Any]
    """The tables of mise.toml and mise.<role>.toml, as one."""

    title = ""
    stays = "changed since"
    """Why `remove` leaves an entry."""

    @abstractmethod
    def missing(self) -> list[str]:
        """Return the names of the missing entries."""

    @abstractmethod
    def add(self, names: list[str]) -> dict[str, str]:
        """Add entries; return each name that was added, with what `remove` needs.

        Raises:
            FailedError: None was added.
        """

    @abstractmethod
    def remove(self, added: Mapping[str, str]) -> list[str]:
        """Remove what was added; return the names that stay."""

    def mise(self, *arguments: str, shown: bool = False) -> subprocess.CompletedProcess[str]:
        """Run mise with the configuration of the role."""
        return self.laptop.run(
            "mise", f"--cd={HERE}", f"--env={self.role}", *arguments, shown=shown
        )

    def absent(self, table: str) -> list[str]:
        """Return the programs in a table that this system should have and lacks."""
        commands: Mapping[str, list[str]] = self.wanted["_"]["commands"]
        return [
            name
            for name, entry in self.wanted[table].items()
            if self.laptop.system in entry["os"] and not any(map(self.laptop.find, commands[name]))
        ]


class Packages(Part):
    """Programs from the system's package manager, unless a command stands in for them."""

    title = "Packages"
    stays = "other programs may need them by now"

    def missing(self) -> list[str]:
        return self.absent("packages")

    def add(self, names: list[str]) -> dict[str, str]:
        apply = ("bootstrap", "packages", "apply", "--yes")
        done = self.mise(*apply, *names, shown=True)
        if done.returncode and not ADMINISTRATOR.search(done.stderr or ""):
            # The list of the packages' versions may be outdated.
            done = self.mise(*apply, "--update", *names, shown=True)
        if done.returncode:
            raise FailedError(reason(done, f"{', '.join(names)} could not be installed"))
        return dict.fromkeys(names, "")

    def remove(self, added: Mapping[str, str]) -> list[str]:
        return list(added)


class Tools(Part):
    """Programs from mise, for a system whose package manager lacks them."""

    title = "Tools"

    def missing(self) -> list[str]:
        return self.absent("tools")

    def add(self, names: list[str]) -> dict[str, str]:
        versions = [f"{name}@{self.wanted['tools'][name]['version']}" for name in names]
        done = self.laptop.run("mise", "use", "--global", "--yes", *versions, shown=True)
        if done.returncode:
            raise FailedError(reason(done, f"{', '.join(names)} could not be installed"))
        return dict.fromkeys(names, "")

    def remove(self, added: Mapping[str, str]) -> list[str]:
        done = self.laptop.run("mise", "unuse", "--global", *added)
        return list(added) if done.returncode else []


class Shell(Part):
    """mise in the shells, and the company's environment variables."""

    title = "Shell"

    def missing(self) -> list[str]:
        if self.laptop.system == "windows":
            known = self.laptop.environment
            return [name for name in self.wanted["company"]["env"] if name not in known]
        asked = self.mise("bootstrap", "dotfiles", "status", "--json")
        if asked.returncode:
            raise FailedError(reason(asked, "mise could not read its configuration"))
        status = json.loads(asked.stdout)
        entries = [
            (entry.get("target") or entry["path"], entry["state"])
            for entry in [*status["files"], *status["edits"]]
        ]
        return [path for path, state in entries if state != "applied" and self._needed(path)]

    def _needed(self, path: str) -> bool:
        """Say whether a file has a use here."""
        if path.endswith("rc"):
            file = self.laptop.home / path.removeprefix("~/")
            active = file.exists() and b"mise activate" in file.read_bytes()
            return not active and self.laptop.find(file.name[1:-2]) is not None
        return any(self.wanted["company"].values())

    def add(self, names: list[str]) -> dict[str, str]:
        if self.laptop.system == "windows":
            values = {name: self.wanted["company"]["env"][name] for name in names}
            for name, value in values.items():
                self.laptop.run("setx", name, value)
            return values
        done = self.mise("bootstrap", "dotfiles", "apply", "--yes", *names)
        if done.returncode:
            raise FailedError(reason(done, f"{', '.join(names)} could not be written"))
        return dict.fromkeys(names, "")

    def remove(self, added: Mapping[str, str]) -> list[str]:
        if self.laptop.system == "windows":
            known = self.laptop.environment
            stay = [name for name, value in added.items() if known.get(name, value) != value]
            for name in added.keys() - stay:
                self.laptop.run("reg", "delete", r"HKCU\Environment", "/f", "/v", name)
            return stay
        done = self.mise("bootstrap", "dotfiles", "unapply", "--yes", *added)
        return list(added) if done.returncode else []


class Git(Part):
    """Git's configuration, where git has no value yet."""

    title = "git"

    def missing(self) -> list[str]:
        return [f"{key} = {value}" for key, value in self._values() if self._value(key) is None]

    def _values(self) -> Iterator[tuple[str, str]]:
        for key, value in self.wanted["_"]["git"].items():
            yield key, value if isinstance(value, str) else value[self.laptop.system]

    def _value(self, key: str, *options: str) -> str | None:
        """Return a value, which may be empty; None if git has none."""
        asked = self.laptop.run("git", "config", *options, "--get", key)
        return None if asked.returncode == 1 else asked.stdout.strip()

    def add(self, names: list[str]) -> dict[str, str]:
        for name in names:
            done = self.laptop.run("git", "config", "--global", *name.split(" = ", 1))
            if done.returncode:
                raise FailedError(reason(done, "git's configuration could not be written"))
        return dict.fromkeys(names, "")

    def remove(self, added: Mapping[str, str]) -> list[str]:
        stay = []
        for name in added:
            key, value = name.split(" = ", 1)
            if self._value(key, "--global") == value:
                self.laptop.run("git", "config", "--global", "--unset", key)
            else:
                stay.append(name)
        return stay

    def ask(self) -> str:
        """Ask for name and e-mail if git has none; return what a person still has to do."""
        left = []
        for key, what in (("user.name", "name"), ("user.email", "e-mail address")):
            if self._value(key) is None:
                given = ""
                if sys.stdin.isatty():
                    with suppress(EOFError):
                        given = input(f"Your {what} for commits: ").strip()
                if given:
                    self.laptop.run("git", "config", "--global", key, given)
                else:
                    left.append(f'git config --global {key} "your {what}"')
        return " && ".join(left)


def reason(done: subprocess.CompletedProcess[str], what: str) -> str:
    """Return one sentence about a command that failed."""
    output: str | None = done.stderr
    if output is None:
        return f"{what}; the lines above give the reason."
    if command := ADMINISTRATOR.search(output):
        return f"{what} without an administrator, who runs: {command[1]}"
    if NO_NETWORK.search(output):
        return (
            f"{what}: connect to the network (behind a proxy, set HTTPS_PROXY),"
            " then run this again."
        )
    errors = re.findall(r"(?s)mise ERROR (?!Version|Run with)(.*?)(?=\nmise |$)", output)
    stated = " ".join(" ".join(errors or output.splitlines()[-1:]).split())
    return f"{what}: {stated or f'exit code {done.returncode}'}"
