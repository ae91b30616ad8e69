"""VS Code's part of a laptop's set-up: its extensions and settings."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jsonc import EMPTY, Addition, additions, differing, without
from parts import FailedError, Part, reason

EDITORS = {
    "code": "Code",
    "code-insiders": "Code - Insiders",
    "codium": "VSCodium",
    "cursor": "Cursor",
}
"""The commands of VS Code and its kin, with the folder that holds the settings of each."""
NO_EDITOR = (
    "VS Code is not installed: install it as https://code.visualstudio.com/docs/setup/linux"
    " describes, then run this again."
)


class Editor(Part):
    """What VS Code's parts have in common."""

    @property
    def command(self) -> str:
        """The command of the editor that is installed, VS Code's if there is none."""
        return next(filter(self.laptop.find, EDITORS), "code")

    def settings(self) -> Path:
        """Return the person's file of settings; a link leads to the real file."""
        home, environment = self.laptop.home, self.laptop.environment
        if self.laptop.system == "windows":
            folder = Path(environment["APPDATA"])
        elif self.laptop.system == "macos":
            folder = home / "Library/Application Support"
        else:
            folder = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return (folder / EDITORS[self.command] / "User/settings.json").resolve()


class Extensions(Editor):
    """VS Code's extensions."""

    title = "VS Code extensions"

    def missing(self) -> list[str]:
        wanted: list[str] = self.wanted["_"]["vscode"]["extensions"]
        if self.laptop.find(self.command) is None:
            if self.laptop.system == "linux":  # elsewhere it is one of the packages
                raise FailedError(NO_EDITOR)
            return wanted
        listed = self.laptop.run(self.command, "--list-extensions").stdout.lower().split()
        return [name for name in wanted if name not in listed]

    def add(self, names: list[str]) -> dict[str, str]:
        if self.laptop.find(self.command) is None:
            raise FailedError(NO_EDITOR)
        options = [option for name in names for option in ("--install-extension", name)]
        done = self.laptop.run(self.command, *options, shown=True)
        added = [name for name in names if name not in self.missing()]
        if not added:
            raise FailedError(reason(done, "the extensions could not be installed"))
        return dict.fromkeys(added, "")

    def remove(self, added: Mapping[str, str]) -> list[str]:
        options = [option for name in added for option in ("--uninstall-extension", name)]
        self.laptop.run(self.command, *options)
        return [name for name in added if name not in self.missing()]


class Settings(Editor):
    """VS Code's settings, added to those that the person has."""

    title = "VS Code settings"

    def missing(self) -> list[str]:
        return [addition.name for addition in self._additions() if addition.name]

    def _additions(self) -> list[Addition]:
        file = self.settings()
        with _readable(file):
            return additions(_text(file), self.wanted["_"]["vscode"]["settings"])

    def add(self, names: list[str]) -> dict[str, str]:
        file, added = self.settings(), self._additions()
        text = _text(file)
        for addition in reversed(added):
            text = text[: addition.at] + addition.text + text[addition.at :]
        replace(file, text)
        return {addition.name: addition.text for addition in added if addition.name in names}

    def remove(self, added: Mapping[str, str]) -> list[str]:
        file = self.settings()
        with _readable(file):
            text, changed = without(_text(file), added)
        if text == EMPTY:
            file.unlink(missing_ok=True)
        else:
            replace(file, text)
        return changed

    def own(self) -> list[str]:
        """Return the settings for which the person has another value than the role."""
        return differing(_text(self.settings()), self.wanted["_"]["vscode"]["settings"])


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Report a file of settings that is not JSON with comments."""
    try:
        yield
    except ValueError as error:
        found = re.search(r"line \d+", str(error))
        where = f"{file}, {found.group()}" if found else str(file)
        raise FailedError(f"VS Code's settings can't be read: correct {where}.") from error


def _text(file: Path) -> str:
    """Return the content of a file of settings, with its line ends."""
    try:
        text = file.read_bytes().decode() if file.exists() else ""
    except OSError as error:
        raise FailedError(f"{file} can't be read: {error.strerror}.") from error
    return text if text.strip() else EMPTY


def replace(file: Path, text: str, *, backup: bool = True) -> None:
    """Replace a file in one step.

    Args:
        file: The file; its folder is created.
        text: The new content.
        backup: Keep the earlier file beside it, as `.bak`.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(file.name + ".new")
        new.write_bytes(text.encode())
        if file.exists():
            shutil.copymode(file, new)
            if backup:
                shutil.copy2(file, file.with_name(file.name + ".bak"))
        new.replace(file)
    except OSError as error:
        raise FailedError(f"{file} can't be written: {error.strerror}.") from error
