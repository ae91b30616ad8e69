"""Serve a version for its promotion: `running.running_isolated` starts this process.

    python -m baton_handoff.serving.trial_process FOLDER ADDRESS

ADDRESS is the path of a Unix socket, or a port.
"""

import socket
import sys
from pathlib import Path

import uvicorn

from baton_handoff.config.project import find_project
from baton_handoff.core.command import in_one_sentence
from baton_handoff.serving.log_setup import set_up_logs
from baton_handoff.serving.process import load_service
from baton_handoff.serving.uvicorn_options import uvicorn_config


def main(folder: Path, address: str) -> int:
    """Answer until the process that started this one ends it."""
    set_up_logs(sys.stderr)
    app, _ = load_service(find_project(), lambda: folder)
    is_port = address.isdecimal()
    with socket.socket() if is_port else socket.socket(socket.AF_UNIX) as bound:
        bound.bind(("127.0.0.1", int(address)) if is_port else address)
        uvicorn.Server(uvicorn_config(app, workers=1)).run(sockets=[bound])
    return 0


if __name__ == "__main__":
    sys.exit(in_one_sentence(lambda: main(Path(sys.argv[1]), sys.argv[2])))
