"""Run cells in a Jupyter kernel: read each as a line of JSON, answer with a line of its outputs."""

import json
import signal
import sys
from typing import Any

from jupyter_client.manager import start_new_kernel


def main() -> None:
    """Answer cells until the input ends or the editor stops this process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for line in sys.stdin:
            outputs: list[dict[str, str]] = []
            reply = client.execute_interactive(
                json.loads(line), output_hook=lambda message, to=outputs: to.append(shown(message))
            )
            ok = reply["content"]["status"] == "ok"
            print(json.dumps({"ok": ok, "outputs": [one for one in outputs if one]}), flush=True)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def shown(message: dict[str, Any]) -> dict[str, str]:
    """Return what a kernel's message shows, as text by its MIME type."""
    content = message["content"]
    if message["msg_type"] == "stream":
        return {"text/plain": content["text"]}
    if message["msg_type"] == "error":
        return {"text/plain": "\n".join(content["traceback"])}
    texts = ("text/html", "text/plain")
    return {mime: content["data"][mime] for mime in texts if mime in content.get("data", {})}


if __name__ == "__main__":
    main()
