"""Calls to this machine, which a proxy can't reach."""

import os
from collections.abc import Mapping

THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
"""The names of this machine."""

_VARIABLES = ("no_proxy", "NO_PROXY")
_added: list[str] = []


def reach_this_machine_directly() -> None:
    """Let this process, and those that it starts, call this machine without a proxy.

    Variables are the one setting that every HTTP client reads: urllib, requests, httpx, botocore.
    """
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host for part in listed.split(",") if (host := part.strip())]
    added = [host for host in THIS_MACHINE if host not in hosts and "*" not in hosts]
    if added:  # the second call adds nothing
        _added[:] = added
    os.environ |= dict.fromkeys(_VARIABLES, ",".join([*hosts, *added]))


def given_environment() -> Mapping[str, str]:
    """Return the environment variables without what `reach_this_machine_directly` has added."""
    listed = {name: os.environ.get(name, "").split(",") for name in _VARIABLES}
    given = {name: [one for one in hosts if one not in _added] for name, hosts in listed.items()}
    return os.environ | {name: ",".join(hosts) for name, hosts in given.items()}
