"""The demo: a flights project with default answers, from rendering to one prediction."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "demo" / "flight-delays"


def main() -> None:
    """Run every step with its output, then print a summary."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    took: dict[str, float] = {}
    answer: dict[str, Any] = {}
    steps: dict[str, Callable[[], object]] = {
        "generate": lambda: copier.run_copy(
            str(ROOT), PROJECT, defaults=True, quiet=True, vcs_ref="HEAD"
        ),
        "set up": lambda: _poe("setup"),
        "pipeline": lambda: _poe("pipeline"),
        "commit": _commit,
        "register": lambda: _poe("register"),
        "serve and predict": lambda: answer.update(_predict()),
    }
    for number, (name, step) in enumerate(steps.items(), start=1):
        print(f"\n[{number}/{len(steps)}] {name}", flush=True)
        start = time.monotonic()
        step()
        took[name] = time.monotonic() - start
    _sum_up(took, answer)


def _poe(task: str) -> None:
    done = subprocess.run(["uv", "run", "poe", task], cwd=PROJECT, env=_environment(), check=False)
    if done.returncode != 0:
        sys.exit(f"`uv run poe {task}` failed in {PROJECT}: its last lines above say why.")


def _commit() -> None:
    """Commit all files, because a candidate stores its commit."""
    whose = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com"]
    for command in (["add", "--all"], ["commit", "--quiet", "--message", "The demo"]):
        done = subprocess.run(
            ["git", *whose, *command], cwd=PROJECT, env=_environment(), check=False
        )
        if done.returncode != 0:
            sys.exit(f"`git {command[0]}` failed in {PROJECT}: its last lines above say why.")


def _predict() -> dict[str, Any]:
    """Start the service, request one prediction, and end the service."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Without uv as a parent process, so that terminating the process ends the service.
    command = PROJECT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "handoff"
    service = subprocess.Popen(
        [command, "serve", "--port", str(port)], cwd=PROJECT, env=_environment()
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/healthz", service)
        body = (PROJECT / "tests" / "golden" / "request.json").read_bytes()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{url}/predict", body, headers)  # noqa: S310 (our own)
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
        return answer
    finally:
        service.terminate()
        service.wait()


def _wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while service.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit("The service did not start: its last lines above say why.")


def _environment() -> dict[str, str]:
    """Return this process's environment without Baton's own virtual environment."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def _sum_up(took: dict[str, float], answer: dict[str, Any]) -> None:
    metrics = json.loads((PROJECT / "reports" / "metrics.json").read_text(encoding="utf-8"))
    sources = json.loads((PROJECT / "reports" / "sources.json").read_text(encoding="utf-8"))
    first = answer["predictions"][0]["late_probability"]
    lines = {
        "flights": f"{sources['Flights']['rows']:,}",
        "trained on": f"{metrics['rows']['train']:,} flights until September",
        "tested on": f"{metrics['rows']['test']:,} flights from October on",
        "AUC, model": f"{metrics['model']['auc']:.3f}",
        "AUC, logistic regression": f"{metrics['logistic_regression']['auc']:.3f}",
        "AUC, constant rate": f"{metrics['constant_rate']['auc']:.3f}",
        "registered": f"version {answer['version']}, as candidate",
        "one prediction": f"late with probability {first:.2f}",
        **{f"seconds, {name}": f"{seconds:.0f}" for name, seconds in took.items()},
    }
    print("\n" + "\n".join(f"  {name:27}{value}" for name, value in lines.items()))
    print(
        f"""
Now look around:

  cd {PROJECT.relative_to(Path.cwd()) if PROJECT.is_relative_to(Path.cwd()) else PROJECT}
  uv run poe             every task (uv run handoff --help: every command)
  uv run poe explore     the first notebook
  uv run poe check       format, lint, types, layers, owners
  uv run poe serve       the service, with its API on /docs

No uv of your own yet? {ROOT / ".venv" / "bin" / "uv"} is one."""
    )


if __name__ == "__main__":
    main()
