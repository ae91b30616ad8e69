"""VS Code in a headless browser: code-server from npm, with stand-ins for the extensions.

The server of the editor runs without code-server's own login page. Its npm package has the sources
of native modules; npm packages with compiled ones replace the two that tasks and search need.
"""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.baton import run
from tests.project import Project, free_port, send_request
from tests.system.browser import Page, browser

HERE = Path(__file__).parent
MANIFESTS = tomllib.loads((HERE / "editor/manifests.toml").read_text(encoding="utf-8"))
PATIENCE_S = 120
QUALITY = 50  # of screenshots, in percent: text is sharp, and a window has 50 kB
NATIVE = {
    "@lydell/node-pty-linux-x64/pty.node": "node-pty/build/Release/pty.node",
    "@vscode/ripgrep-linux-x64/bin/rg": "@vscode/ripgrep/bin/rg",
}
QUIET = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "files.autoSave": "off",
    "remote.autoForwardPorts": False,
}
"""The settings of the person who tests: no questions, and nothing is saved by itself."""

KEYS = {"Enter": 13, "Escape": 27, "End": 35, "Home": 36}
SHIFT, CONTROL = 8, 2


def install(npm: Path) -> Path:
    """Install code-server and what the stand-ins need into a folder; return the editor's folder."""
    npm.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "editor" / name, npm)
    run(["npm", "ci", "--ignore-scripts"], npm)
    modules = npm / "node_modules"
    editor = modules / "code-server/lib/vscode"
    for folder in (editor, editor / "extensions"):
        run(["npm", "install", "--omit=dev", "--ignore-scripts"], folder)
    for compiled, place in NATIVE.items():
        target = editor / "node_modules" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(modules / compiled, target)
    return editor


def add_stand_ins(folder: Path, npm: Path) -> None:
    """Write the stand-ins of all extensions whose manifest is known into a folder.

    Args:
        folder: The editor's folder of extensions.
        npm: The folder of `install`.
    """
    for name, stated in MANIFESTS.items():
        place = folder / f"{name}-0.0.1"
        place.mkdir(parents=True)
        for file in ("editor/extension.js", "inside/kernel.py"):
            shutil.copy(HERE / file, place)
        (place / "node_modules").symlink_to(npm / "node_modules")
        (place / "package.json").write_text(json.dumps(_manifest(name, stated)), encoding="utf-8")


def _manifest(name: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of an extension's stand-in."""
    publisher, _, extension = name.partition(".")
    configuration = {"title": name, "properties": stated.get("settings", {})}
    launch: dict[str, Any] = {
        "launch": {"properties": {one: {} for one in stated.get("launch", ())}}
    }
    debugger = {"type": "debugpy", "label": "Python", "configurationAttributes": launch}
    return {
        "publisher": publisher,
        "name": extension,
        "version": "0.0.1",
        "engines": {"vscode": "^1.90.0"},
        "main": "./extension.js",
        "activationEvents": ["onStartupFinished"],
        "contributes": {
            "configuration": configuration,
            "debuggers": [debugger] if "launch" in stated else [],
        },
    }


class Window:
    """A window of the editor in a browser's page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page("Emulation.setFocusEmulationEnabled", enabled=True)

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key; `modifiers` is a sum of SHIFT and CONTROL."""
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        place = f"Key{key.upper()}" if len(key) == 1 else key
        pressed = {"key": key, "code": place, "modifiers": modifiers}
        pressed["windowsVirtualKeyCode"] = code
        down = {"type": "keyDown", "text": "\r"} if key == "Enter" else {"type": "rawKeyDown"}
        self._page("Input.dispatchKeyEvent", **down, **pressed)
        self._page("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def type(self, text: str) -> None:
        """Type a text where the cursor is."""
        self._page("Input.insertText", text=text)

    def choose(self, text: str) -> None:
        """Choose what Ctrl+P finds: a file, `>` and a command, or `task` and a task."""
        # A row has a command without its group, a file without its folder and line.
        entry = re.sub(r"^(>(.*: )?|task |.*/)|(?<!>):\d.*", "", text)
        rows = "[...document.querySelectorAll('.quick-input-list .monaco-list-row')]"
        found = f"{rows}.some((row) => row.innerText.includes({json.dumps(entry)}))"
        for seconds in (5, 5, 10, PATIENCE_S):  # a window that has just opened finds nothing
            self.press("Escape")
            self.press("p", CONTROL)
            self.wait_for("document.activeElement.matches('.quick-input-widget input')")
            self.type(text)
            if self.is_soon(found, seconds):
                break
        self.press("Enter")
        self.wait_for("!document.activeElement.matches('.quick-input-widget input')")

    def select_line(self, file: str, line: int) -> None:
        """Open a file, and select the text of a line, counted from 1, without its indentation."""
        self.choose(f"{file}:{line}:1")
        self.wait_for(f"document.querySelector('.statusbar').innerText.includes('Ln {line},')")
        self.press("Home")
        self.press("End", SHIFT)

    def is_soon(self, script: str, seconds: float) -> Any:
        """Return a script's value in the page when it is true, or after some seconds."""
        ends = time.monotonic() + seconds
        script = f"(value => value instanceof Node || value)({script})"
        while not (value := self._page.value(script)) and time.monotonic() < ends:
            time.sleep(0.02)
        return value

    def wait_for(self, script: str) -> Any:
        """Wait until a script's value is true in the page; return the value.

        Raises:
            AssertionError: It never is.
        """
        value = self.is_soon(script, PATIENCE_S)
        assert value, f"never true: {script}\n{self.text()}"
        return value

    def wait_for_problem(self, text: str) -> str:
        """Wait until the Problems panel has a text; return the panel's words."""
        self.choose(">Problems: Focus on Problems View")
        panel = "document.querySelector('.markers-panel-container')?.innerText"
        shown = self.wait_for(f"{panel}?.includes({json.dumps(text)}) && {panel}")
        return " ".join(str(shown).split())

    def scroll_to_cell(self, code: str) -> None:
        """Scroll a notebook until a cell with this code is in the upper half of its view.

        Raises:
            AssertionError: There is none.
        """
        cells = "[...document.querySelectorAll('.cell-list-container .code-cell-row')]"
        found = f"{cells}.find((cell) => cell.innerText.includes({json.dumps(code)}))"
        wheel = {"type": "mouseWheel", "x": 700, "y": 400, "deltaX": 0, "deltaY": 50}
        for _ in range(200):  # only what is near the view exists
            if self._page.value(f"({found})?.getBoundingClientRect().top < 300"):
                return
            self._page("Input.dispatchMouseEvent", **wheel)
            time.sleep(0.1)
        raise AssertionError(f"no cell has {code}\n{self.text()}")

    def text(self) -> str:
        """Return the text of the window."""
        shown: str = self._page.value("document.body.innerText")
        return shown

    def value(self, script: str) -> object:
        """Return the value of a script in the page."""
        return self._page.value(script)

    def image(self) -> bytes:
        """Return a screenshot as WebP."""
        shot = self._page("Page.captureScreenshot", format="webp", quality=QUALITY)
        return base64.b64decode(shot["data"])


@contextmanager
def served(editor: Path, extensions: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Run the editor's server in a context; yield its address.

    Args:
        editor: The folder of `install`'s editor.
        extensions: The folder of extensions; its neighbour `data` gets the person's settings.
        env: Additional environment variables.
    """
    data = extensions.parent / "data"
    settings = data / "data/User/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(QUIET), encoding="utf-8")
    port = free_port()
    options = ["--host=127.0.0.1", f"--port={port}", "--without-connection-token"]
    options += [f"--server-data-dir={data}", f"--extensions-dir={extensions}"]
    options += ["--accept-server-license-terms", "--telemetry-level=off"]
    options += ["--force-disable-user-env"]  # a login shell would change PATH
    with (
        (extensions.parent / "log").open("wb") as log,
        subprocess.Popen(
            ["node", "out/server-main.js", *options],
            cwd=editor,
            env={**os.environ, **env, "EXTENSIONS_GALLERY": "{}"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as server,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            while server.poll() is None:
                with suppress(OSError):
                    send_request(f"{address}/version")
                    break
                time.sleep(0.1)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # its extensions have processes of their own


@contextmanager
def vscode(project: Project, folder: Path) -> Iterator[str]:
    """Install the editor and run its server in a context; yield its address.

    Args:
        project: The project whose environment its programs use.
        folder: A folder to make for it.
    """
    folder.mkdir()
    editor = install(folder / "npm")
    add_stand_ins(folder / "extensions", folder / "npm")
    with served(editor, folder / "extensions", project.env) as address:
        yield address


@contextmanager
def opened(
    address: str, project: Path, role: str, size: tuple[int, int] = (1400, 900)
) -> Iterator[Window]:
    """Open the workspace file of a role in a context; yield its window.

    Args:
        address: The address of the editor's server.
        project: The project's folder.
        role: The role.
        size: Width and height of the window in pixels.
    """
    file = project / f"flight-delays.{role}.code-workspace"
    shown = "document.querySelector('.explorer-folders-view')?.innerText.includes('tests')"
    for _ in range(3):  # on a busy machine the window may open before the server gives it the file
        with (
            TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            browser(Path(profile)) as page,
        ):
            address_of_file = f"{address}/?workspace={file}"
            page.open(address_of_file, width=size[0], height=size[1], scheme="light")
            window = Window(page)
            if window.is_soon(shown, 40):
                yield window
                return
    raise AssertionError(f"{file} does not open")
