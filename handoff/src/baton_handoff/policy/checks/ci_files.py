"""The files of CI: when a pipeline starts, and which commands it runs."""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from typing import Any

FILES = {
    "github": (".github/workflows/",),
    "gitlab": (".gitlab-ci.yml", ".gitlab/"),
    "azure": ("azure-pipelines.yml",),
}
"""Where each provider reads its pipelines."""

_REQUIRED = {
    # It checks and tests, as far as there is no evidence yet.
    "handoff status --run": r"\b(handoff|poe) status\b.*--run\b",
    "handoff contract diff": r"\b(handoff contract|handoff|poe) diff\b",
    "handoff triage": r"\bhandoff triage\b",
}
"""What CI has to run, and the ways to call it; `handoff diff` is an older name."""

_SCRIPTS = ("run", "script", "before_script", "bash", "pwsh", "powershell")
_SEPARATORS = ("&&", "||", ";", "|", "&")
_WITHOUT_EFFECT = ("echo", "printf", ":", "true", "Write-Host", "Write-Output")


def missing_commands(provider: str, pipelines: Mapping[str, Any]) -> list[str]:
    """The required commands that no pipeline runs before a merge."""
    started = [one for one in pipelines.values() if runs_before_merge(provider, one)]
    called = "\n".join(one for pipeline in started for one in texts_under(pipeline, ("uses",)))
    # GitLab includes its other files; GitHub calls a reusable workflow by its path.
    run = [
        one
        for path, one in pipelines.items()
        if one in started or provider == "gitlab" or path in called
    ]
    scripts = (script for one in run for script in scripts_in(one))
    commands = "\n".join(command for script in scripts for command in _commands(script))
    missing = [name for name, pattern in _REQUIRED.items() if not re.search(pattern, commands)]
    if "poe check" in commands and "poe test" in commands:
        return [name for name in missing if name != "handoff status --run"]
    return missing


def runs_before_merge(provider: str, pipeline: Any) -> bool:
    """Whether a pull or merge request starts a pipeline."""
    if not isinstance(pipeline, dict):
        return False
    match provider:
        case "azure":  # every pull request starts it, unless it opts out
            return pipeline.get("pr") != "none"
        case "gitlab":
            text = json.dumps(pipeline, default=str)
            return bool(re.search(r"merge_requests?(_event)?\b", text))
    # YAML reads the key `on` as true.
    events = pipeline.get("on", pipeline.get(True)) or []
    return any(event in events for event in ("pull_request", "pull_request_target"))


def scripts_in(pipeline: Any, *further_keys: str) -> list[str]:
    """The scripts of all jobs of a pipeline that can run."""
    return texts_under(pipeline, (*_SCRIPTS, *further_keys))


def texts_under(tree: Any, keys: Collection[str]) -> list[str]:
    """The texts under some keys, in any job that is not switched off."""
    if isinstance(tree, list):
        return [text for item in tree for text in texts_under(item, keys)]
    if not isinstance(tree, dict) or _is_off(tree):
        return []
    found: list[str] = []
    for key, value in tree.items():
        if key in keys and not isinstance(value, dict):
            found += [value] if isinstance(value, str) else map(str, value or [])
        else:
            found += texts_under(value, keys)
    return found


def _is_off(job: Mapping[Any, Any]) -> bool:
    """Whether a job or a step never runs by itself."""
    conditions = (job.get(key) for key in ("if", "condition", "enabled"))
    return job.get("when") in ("never", "manual") or any(
        re.fullmatch(r"(\$\{\{)?\s*false\s*(\}\})?", str(one), re.IGNORECASE) for one in conditions
    )


def _commands(script: str) -> Iterator[str]:
    """The commands of a script, without comments and without those that only print."""
    for line in script.replace("\\\n", " ").splitlines():
        text = re.sub(r"(^|\s)#.*", "", line)
        lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        try:
            tokens = [*lexer]
        except ValueError:  # a quoted text that continues on the next line
            tokens = text.split()
        for separates, group in groupby(tokens, lambda token: token in _SEPARATORS):
            command = [*group]
            if not separates and command[0] not in _WITHOUT_EFFECT:
                yield " ".join(command)
