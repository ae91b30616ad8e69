"""A client of the Debug Adapter Protocol: starts an entry of launch.json as VS Code does."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

Message = dict[str, Any]


class Debugger:
    """A debug session with debugpy's adapter, over its standard input and output."""

    def __init__(self, to: IO[bytes], from_adapter: IO[bytes]) -> None:
        self._to, self._from_adapter, self._number = to, from_adapter, 0

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request; return its number."""
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command}
        body = json.dumps(message | {"arguments": arguments}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._to.flush()
        return self._number

    def wait_for(self, event: str) -> Message:
        """Return the content of the next such event."""
        while True:
            message = self._next()
            assert message.get("success", True), message
            assert message.get("event") not in {"terminated", "exited"} - {event}, message
            if message.get("event") == event:
                return cast("Message", message.get("body", {}))

    def answer(self, request: int) -> Message:
        """Return the content of the answer to a request."""
        while True:
            message = self._next()
            if message.get("request_seq") == request:
                assert message["success"], message
                return cast("Message", message.get("body", {}))

    def _next(self) -> Message:
        length = 0
        while header := self._from_adapter.readline().strip():
            length = int(header.split(b":")[1])
        assert length, "the adapter has ended"
        return cast("Message", json.loads(self._from_adapter.read(length)))


@contextmanager
def debugging(
    python: Path, entry: Mapping[str, Any], breakpoint_at: tuple[Path, int], env: Mapping[str, str]
) -> Iterator[Debugger]:
    """Start an entry of launch.json with one breakpoint; end its process afterwards.

    Args:
        python: The interpreter of the project.
        entry: The entry, without variables.
        breakpoint_at: A file and a line.
        env: The environment variables of VS Code.
    """
    file, line = breakpoint_at
    command: list[str | Path] = [python, "-m", "debugpy.adapter"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=dict(env), stdin=pipe, stdout=pipe) as adapter:
        assert adapter.stdin
        assert adapter.stdout
        session = Debugger(adapter.stdin, adapter.stdout)
        session.send("initialize", adapterID="debugpy", linesStartAt1=True, pathFormat="path")
        session.send("launch", **entry, console="internalConsole", python=[str(python)])
        session.wait_for("initialized")
        source = {"path": str(file), "name": file.name}
        session.send("setBreakpoints", source=source, breakpoints=[{"line": line}])
        session.send("configurationDone")
        try:
            yield session
        finally:
            session.send("disconnect", terminateDebuggee=True)
            adapter.stdin.close()
