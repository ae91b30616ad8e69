"""A language client that behaves like an editor: it opens and changes files, gets diagnostics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from tests.baton import editors_json

logging.getLogger("pygls").setLevel(logging.ERROR)  # the server sends more than the tests need

PATIENCE_S = 120
"""Timeout in seconds, longer than any server needs, so that each test ends."""


class Editor:
    """An editor window with one project open.

    Attributes:
        project: The folder that is open.
    """

    def __init__(self, project: Path, client: LanguageClient) -> None:
        self.project = project
        self._client = client
        self._version = 0
        self._published: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()

        def on_publish(published: lsp.PublishDiagnosticsParams) -> None:
            self._published.put_nowait(published)

        client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(on_publish)

    def open(self, path: str) -> str:
        """Open a file of the project; return its text."""
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

    async def wait_for_diagnostics(self, path: str, *, problem: bool) -> Sequence[lsp.Diagnostic]:
        """Wait until the server reports problems in a file, or reports that it has none.

        Raises:
            TimeoutError: The server reports no such state.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                published = await self._published.get()
                if published.uri == self._uri(path) and bool(published.diagnostics) is problem:
                    return published.diagnostics

    def _uri(self, path: str) -> str:
        return (self.project / path).as_uri()


@asynccontextmanager
async def editor(project: Path, python: Path) -> AsyncIterator[Editor]:
    """Open a project as VS Code does, with the settings in its .vscode/.

    basedpyright, built from the same source, replaces Pylance, which is closed source.

    Args:
        project: The folder to open.
        python: The interpreter of its environment.
    """
    client = LanguageClient("editor", "1")
    settings = analysis(project)
    answers = {"python": {"pythonPath": str(python)}, "basedpyright": {"analysis": settings}}

    def configuration(request: lsp.ConfigurationParams) -> list[Any]:
        return [answers.get(item.section or "", {}) for item in request.items]

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
    """Return the settings of the Python checker in a project's .vscode/settings.json."""
    settings = editors_json((project / ".vscode/settings.json").read_text(encoding="utf-8"))
    prefix = "python.analysis."
    return {
        name.removeprefix(prefix): value
        for name, value in settings.items()
        if name.startswith(prefix)
    }
