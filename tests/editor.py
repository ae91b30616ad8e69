"""An editor as far as a language server can tell: it opens files, is typed into, and is told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from tests.baton import editors_json

logging.getLogger("pygls").setLevel(logging.ERROR)  # a server says more than we ask for

PATIENCE_S = 120
"""Longer than any server needs, so that a test ends."""


class Editor:
    """One window on a project.

    Attributes:
        project: The folder that is open.
    """

    def __init__(self, project: Path, client: LanguageClient) -> None:
        self.project = project
        self._client = client
        self._version = 0
        self._told: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()

        def told(said: lsp.PublishDiagnosticsParams) -> None:
            self._told.put_nowait(said)

        client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(told)

    def open(self, path: str) -> str:
        """Open a file of the project and return its text."""
        text = (self.project / path).read_text(encoding="utf-8")
        document = lsp.TextDocumentItem(self._uri(path), "python", self._version, text)
        self._client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return text

    def type(self, path: str, text: str) -> None:
        """Change an open file to this text, without saving it."""
        self._version += 1
        document = lsp.VersionedTextDocumentIdentifier(self._version, self._uri(path))
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self._client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    async def told(self, path: str, *, problem: bool) -> Sequence[lsp.Diagnostic]:
        """What the server says next of a file, once that is a problem, or that there is none.

        Raises:
            TimeoutError: It says nothing of the kind.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said = await self._told.get()
                if said.uri == self._uri(path) and bool(said.diagnostics) is problem:
                    return said.diagnostics

    def _uri(self, path: str) -> str:
        return (self.project / path).as_uri()


@asynccontextmanager
async def editor(project: Path, python: Path) -> AsyncIterator[Editor]:
    """Open a project as VS Code does: with the settings that stand in its .vscode/.

    Pylance is closed; basedpyright, made from the same source, stands in.

    Args:
        project: The folder to open.
        python: The interpreter of its environment.
    """
    client = LanguageClient("editor", "1")
    settings = analysis(project)
    answers = {"python": {"pythonPath": str(python)}, "basedpyright": {"analysis": settings}}

    def configuration(asked: lsp.ConfigurationParams) -> list[Any]:
        return [answers.get(item.section or "", {}) for item in asked.items]

    client.feature(lsp.WORKSPACE_CONFIGURATION)(configuration)
    window = Editor(project, client)
    await client.start_io("basedpyright-langserver", "--stdio")
    workspace = lsp.WorkspaceClientCapabilities(configuration=True, workspace_folders=True)
    await client.initialize_async(
        lsp.InitializeParams(
            lsp.ClientCapabilities(workspace=workspace),
            workspace_folders=[lsp.WorkspaceFolder(project.as_uri(), project.name)],
        )
    )
    client.initialized(lsp.InitializedParams())
    try:
        yield window
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]


def analysis(project: Path) -> dict[str, Any]:
    """What a project's .vscode/settings.json says to the Python checker."""
    settings = editors_json((project / ".vscode/settings.json").read_text(encoding="utf-8"))
    prefix = "python.analysis."
    return {
        name.removeprefix(prefix): value
        for name, value in settings.items()
        if name.startswith(prefix)
    }
