"""Calls to this machine, which a proxy can't reach."""

import os

THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
"""The names of this machine."""


def reach_this_machine_directly() -> None:
    """Let this process, and those that it starts, call this machine without a proxy.

    Variables are the one setting that every HTTP client reads: urllib, requests, httpx, botocore.
    """
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host for part in listed.split(",") if (host := part.strip())]
    if "*" not in hosts:
        hosts += [host for host in THIS_MACHINE if host not in hosts]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)
