"""A browser that nobody sees, driven as its own developer tools drive it.

Chromium reads commands from one pipe and writes answers and events to another, each a JSON text
that ends with a zero byte: https://chromedevtools.github.io/devtools-protocol/.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

# As root it can't keep its pages apart from the machine, and it opens only our own.
COMMAND = "exec chromium --headless --no-sandbox --disable-gpu --remote-debugging-pipe"


class Page:
    """A page in the browser.

    Attributes:
        events: What has happened in it, in the protocol's words.
    """

    def __init__(self, to: IO[bytes], said: IO[bytes]) -> None:
        self.events: list[dict[str, Any]] = []
        self._to, self._said, self._number, self._rest = to, said, 0, b""
        self._session: dict[str, str] = {}
        target = self("Target.createTarget", url="about:blank")["targetId"]
        session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """What a command answers; what happens meanwhile is kept."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params, **self._session}
        self._to.write(json.dumps(asked).encode() + b"\0")
        self._to.flush()
        while (message := self._next()).get("id") != self._number:
            self.events.append(message)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']['message']}")
        answer: dict[str, Any] = message["result"]
        return answer

    def open(self, address: str, *, width: int, height: int, scheme: str) -> None:
        """Open an address on a screen of this size, by somebody who prefers light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self("Emulation.setDeviceMetricsOverride", mobile=width < 600, **size)
        wish = {"name": "prefers-color-scheme", "value": scheme}
        self("Emulation.setEmulatedMedia", features=[wish])
        self.events.clear()
        self("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, script: str) -> Any:
        """What a script of ours comes to in the page."""
        done = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def picture(self, file: Path) -> None:
        """Keep what the whole page looks like."""
        shot = self("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def happened(self, *methods: str) -> list[dict[str, Any]]:
        """The events of some kinds."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._said.fileno(), 65536)
            assert more, "the browser has ended"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own, until the end of the block."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    command = f'{COMMAND} "--user-data-dir=$0" 3<&{theirs_in} 4>&{theirs_out} 2>/dev/null'
    with (
        subprocess.Popen(
            ["bash", "-c", command, str(profile)], pass_fds=(theirs_in, theirs_out)
        ) as process,
        os.fdopen(ours_out, "wb") as to,
        os.fdopen(ours_in, "rb", buffering=0) as said,
    ):
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Page(to, said)
        finally:
            process.terminate()
