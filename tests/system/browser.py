"""A headless browser, controlled by the protocol of its developer tools.

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

# As root it can't run its sandbox; it opens only our own pages.
COMMAND = "exec chromium --headless --no-sandbox --disable-gpu --remote-debugging-pipe"


class Page:
    """A page in the browser.

    Attributes:
        events: The events of the page, as protocol messages.
    """

    def __init__(self, to: IO[bytes], from_browser: IO[bytes]) -> None:
        self.events: list[dict[str, Any]] = []
        self._to, self._from_browser, self._number, self._rest = to, from_browser, 0, b""
        self._session: dict[str, str] = {}
        target = self("Target.createTarget", url="about:blank")["targetId"]
        session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; return its result, and keep the events that arrive before it."""
        self._number += 1
        request = {"id": self._number, "method": method, "params": params, **self._session}
        self._to.write(json.dumps(request).encode() + b"\0")
        self._to.flush()
        while (message := self._next()).get("id") != self._number:
            self.events.append(message)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']['message']}")
        answer: dict[str, Any] = message["result"]
        return answer

    def open(self, address: str, *, width: int, height: int, scheme: str) -> None:
        """Open an address with this screen size and preferred color scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self("Emulation.setDeviceMetricsOverride", mobile=width < 600, **size)
        wish = {"name": "prefers-color-scheme", "value": scheme}
        self("Emulation.setEmulatedMedia", features=[wish])
        self.events.clear()
        self("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def value(self, script: str) -> Any:
        """Run a script in the page; return its value."""
        done = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def picture(self, file: Path) -> None:
        """Save a screenshot of the whole page."""
        shot = self("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def events_of(self, *methods: str) -> list[dict[str, Any]]:
        """Return the events of some methods."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._from_browser.fileno(), 65536)
            assert more, "the browser has ended"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Run a browser with a separate profile in a context; yield its page."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    command = f'{COMMAND} "--user-data-dir=$0" 3<&{theirs_in} 4>&{theirs_out} 2>/dev/null'
    with (
        subprocess.Popen(
            ["bash", "-c", command, str(profile)], pass_fds=(theirs_in, theirs_out)
        ) as process,
        os.fdopen(ours_out, "wb") as to,
        os.fdopen(ours_in, "rb", buffering=0) as from_browser,
    ):
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Page(to, from_browser)
        finally:
            process.terminate()
