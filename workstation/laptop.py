# /// script
# requires-python = ">=3.11"
# dependencies = ["json-five==1.1.2"]
# ///
"""Sets up a laptop for a role, shows what it lacks, and undoes what it added.

setup.sh and setup.ps1 start it. Nothing that a person has set is changed. What is added is
recorded, and only that is undone.
"""

import argparse
import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from parts import HERE, FailedError, Git, Laptop, Packages, Part, Shell, Tools
from vscode import Extensions, Settings, replace


class Setup:
    """The set-up of a laptop for a role.

    Args:
        laptop: The account.
        role: The role.
        folder: The folder with mise.toml, mise.<role>.toml and company.toml.
    """

    def __init__(self, laptop: Laptop, role: str, folder: Path = HERE) -> None:
        shared, own, company = (
            tomllib.loads((folder / name).read_text(encoding="utf-8"))
            for name in ("mise.toml", f"mise.{role}.toml", "company.toml")
        )
        wanted = {
            "packages": own["bootstrap"]["packages"],
            "tools": own["tools"],
            "company": {"env": {}} | company,
            "_": shared["_"] | own["_"],
        }
        self.role = role
        self.git = Git(laptop, role, wanted)
        self.settings = Settings(laptop, role, wanted)
        self.parts: Sequence[Part] = (
            Shell(laptop, role, wanted),  # mise's settings of a company apply to its tools
            Packages(laptop, role, wanted),
            Tools(laptop, role, wanted),
            self.git,
            Extensions(laptop, role, wanted),
            self.settings,
        )
        self.file = laptop.records / f"{role}.json"
        self.record: dict[str, dict[str, str]] = (
            json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}
        )

    def status(self, word: str = "missing") -> bool:
        """Print what is missing; return whether nothing is."""
        complete = True
        for part in self.parts:
            try:
                if names := part.missing():
                    complete = False
                    print(f"{part.title}, {word}: {', '.join(names)}")
            except FailedError as error:
                complete = False
                print(f"{part.title}: {error}")
        if complete:
            print(f"This laptop has everything that the role {self.role} needs.")
        self._left()
        return complete

    def apply(self) -> bool:
        """Add what is missing; return whether nothing is missing any more."""
        complete = True
        for part in self.parts:
            try:
                names = part.missing()
                if not names:
                    continue
                print(f"{part.title}, adding: {', '.join(names)}", flush=True)
                added = part.add(names)
                self.record[part.title] = self.record.get(part.title, {}) | added
                self._save()
                if missing := part.missing():
                    raise FailedError(f"{', '.join(missing)} could not be added.")
            except FailedError as error:
                complete = False
                print(f"{part.title}: {error}", file=sys.stderr)
        if complete:
            print(f"This laptop has everything that the role {self.role} needs.")
        self._left()
        if self.git.laptop.find("git") and (command := self.git.ask()):
            print(f"Left for you to do: {command}")
        return complete

    def _left(self) -> None:
        """Print the settings that the person has chosen otherwise."""
        try:
            own = self.settings.own()
        except (FailedError, ValueError):  # reported as a failure of the part
            return
        if own:
            print(f"Your own values stay: {', '.join(own)}")

    def undo(self, *, dry_run: bool) -> bool:
        """Remove what `apply` added; return whether all could be removed.

        Args:
            dry_run: Only print what would be removed.
        """
        if not self.record:
            print(f"Nothing is recorded for the role {self.role}: there is nothing to undo.")
        for part in reversed(self.parts):
            added = self.record.get(part.title, {})
            if not added:
                continue
            if dry_run:
                print(f"{part.title}, to be removed: {', '.join(filter(None, added))}")
                continue
            try:
                stay = part.remove(added)
            except FailedError as error:
                print(f"{part.title}: {error}", file=sys.stderr)
                continue
            if removed := [name for name in added if name not in stay]:
                print(f"{part.title}, removed: {', '.join(removed)}")
            if stay:
                print(f"{part.title}, not removed ({part.stays}): {', '.join(stay)}")
            del self.record[part.title]
            self._save()
        return not self.record or dry_run

    def _save(self) -> None:
        if self.record:
            replace(self.file, json.dumps(self.record, indent=2) + "\n", backup=False)
        else:
            self.file.unlink(missing_ok=True)


def main(arguments: Iterable[str] | None = None) -> int:
    """Set up a laptop; return 0, or 1 if something is missing."""
    roles = sorted(file.name.split(".")[1] for file in HERE.glob("mise.*.toml"))
    parser = argparse.ArgumentParser(prog="setup", description="Set up a laptop for a role.")
    parser.add_argument("role", choices=roles)
    parser.add_argument("verb", choices=["apply", "status", "undo"], nargs="?", default="apply")
    parser.add_argument("--dry-run", action="store_true", help="only print what would change")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    system = {"Darwin": "macos", "Windows": "windows"}.get(platform.system(), "linux")
    setup = Setup(Laptop(system, Path.home(), os.environ), asked.role)
    if asked.verb == "undo":
        return 0 if setup.undo(dry_run=asked.dry_run) else 1
    if asked.verb == "status":
        return 0 if setup.status() else 1
    if asked.dry_run:
        setup.status("to be added")
        return 0
    return 0 if setup.apply() else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. Run it again to add the rest, or with undo to remove what was added.")
