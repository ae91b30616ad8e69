"""What a job learns from its CI provider."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from baton_handoff.config.project import Project


def base_in(env: Mapping[str, str]) -> str | None:
    """The branch or commit that a change is to be merged into; None for a push.

    Args:
        env: The environment variables of the job.
    """
    # A merge queue gives no branch: the commit is the one before the queued changes.
    if env.get("GITHUB_EVENT_NAME") == "merge_group":
        event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return str(event["merge_group"]["base_sha"])
    names = (
        "GITHUB_BASE_REF",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "SYSTEM_PULLREQUEST_TARGETBRANCH",
    )
    branch = next((env[name] for name in names if env.get(name)), "")
    return f"origin/{branch.removeprefix('refs/heads/')}" if branch else None


def annotations_in(project: Project) -> Literal["github", "azure"] | None:
    """The format in which the log of the project's provider shows findings at their lines."""
    match project.ci:
        case "github":
            return "github"
        case "azure":
            return "azure"
    return None


def as_log_lines(text: str) -> str:
    """A text for the log of a job, in which no line is a command for the provider.

    A file name, a commit's title or the output of a test may begin like one.
    """
    return re.sub(r"(?m)^(\s*)(::|##\[|##vso\[)", r"\1> \2", text)
