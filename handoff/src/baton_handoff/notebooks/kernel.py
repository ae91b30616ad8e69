"""Running the cells of a notebook in a fresh kernel, with the engine's own code between them."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from baton_handoff.core.errors import HandoffError
from baton_handoff.source_code.notebooks import KERNEL, Cell


class CellError(HandoffError):
    """A cell that ends with an error in a fresh kernel.

    Attributes:
        cell: The number of the cell, from 1.
    """

    def __init__(self, cell: int, error: str) -> None:
        super().__init__(
            f"Cell {cell} ends with an error if the notebook runs from its beginning: {error}."
        )
        self.cell = cell


class TimeLimitError(HandoffError):
    """A cell that has not ended when its time is over."""


class Kernel:
    """A running kernel; `kernel` starts and ends one."""

    def __init__(self, client: Any, folder: Path) -> None:
        self._client = client
        self._folder = folder

    def run_cells(
        self, cells: Sequence[Cell], first: int = 1, timeout: float | None = None
    ) -> None:
        """Run cells, the first of which has a number.

        Args:
            cells: The cells.
            first: The number of the first one.
            timeout: The seconds that each may take.

        Raises:
            CellError: A cell ends with an error.
            TimeLimitError: A cell takes longer.
        """
        for number, cell in enumerate(cells, first):
            try:
                error = self._error_of(cell.source, timeout)
            except TimeoutError as late:
                raise TimeLimitError(f"Cell {number} did not end in time.") from late
            if error:
                raise CellError(number, error)

    def call(self, function: str, **arguments: Any) -> Any:
        """Call a function of `recorder` with the names of the notebook and some arguments.

        Raises:
            HandoffError: It raises an error.
        """
        given, answer = self._folder / "arguments.json", self._folder / "answer.json"
        given.write_text(json.dumps(arguments), encoding="utf-8")
        module = "baton_handoff.notebooks.recorder"
        code = f"__import__({module!r}, fromlist=['_']).call({function!r}, {str(self._folder)!r})"
        if error := self._error_of(code):
            raise HandoffError(f"The kernel can't look at the notebook's values: {error}.")
        return json.loads(answer.read_text(encoding="utf-8"))

    def _error_of(self, code: str, timeout: float | None = None) -> str:
        """Run code; the error with which it ends, empty if it succeeds."""
        try:
            reply = self._client.execute_interactive(
                code,
                store_history=False,
                allow_stdin=False,
                output_hook=lambda _: None,
                timeout=timeout,
            )
        except RuntimeError as error:
            raise HandoffError(f"The kernel of the notebook ended: {error}.") from error
        content = reply["content"]
        if content["status"] == "ok":
            return ""
        return f"{content.get('ename', 'Aborted')}: {content.get('evalue', '')}".rstrip(": ")


@contextmanager
def kernel(folder: Path, *, before_path: Sequence[Path] = ()) -> Iterator[Kernel]:
    """A fresh kernel in a folder, as Jupyter starts it there.

    Args:
        folder: The folder, that of the notebook.
        before_path: Folders from which Python imports before all others.

    Raises:
        HandoffError: The environment has no kernel.
    """
    try:
        # Only here: importing them takes a third of a second.
        from jupyter_client.manager import start_new_kernel  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise HandoffError("Jupyter is not installed: run `uv run poe setup`.") from error
    with tempfile.TemporaryDirectory(prefix="handoff-") as scratch:
        manager, client = start_new_kernel(
            kernel_name=KERNEL,
            cwd=str(folder),
            env=_environment(before_path),
            stderr=subprocess.DEVNULL,  # the kernel writes warnings about itself
        )
        try:
            yield Kernel(client, Path(scratch))
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _environment(before_path: Sequence[Path]) -> Mapping[str, str]:
    inherited = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    path = os.pathsep.join([*map(str, before_path), *inherited])
    return {**os.environ, "PYTHONPATH": path}
