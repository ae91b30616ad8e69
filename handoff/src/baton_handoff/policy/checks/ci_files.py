"""The files of CI: when a pipeline starts, and which commands it runs."""

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import groupby, zip_longest
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

_ALL_IN_ONE = r"\bhandoff ci check\b"
"""It runs all of them, and leaves a result for each of these jobs."""

_RESULT_JOBS = ("contracts", "data-science", "ml-engineering")
_RESULT = r"^test -e \S*\.passed\b"
"""With this command such a job fails unless its result has passed."""

_SCRIPTS = ("run", "script", "before_script", "bash", "pwsh", "powershell")
_SEPARATORS = ("&&", "||", ";", "|", "&")
_WITHOUT_EFFECT = ("echo", "printf", ":", "true", "Write-Host", "Write-Output")
_TOLERANT = ("continue-on-error", "continueOnError", "allow_failure")
_OTHER_EVENT = r"'(push|schedule|workflow_dispatch|Schedule|Manual|IndividualCI)'"


def missing_commands(provider: str, pipelines: Mapping[str, Any]) -> list[str]:
    """What no pipeline runs before a merge: required commands, or else jobs with their result."""
    started = [one for one in pipelines.values() if runs_before_merge(provider, one)]
    called = "\n".join(one for pipeline in started for one in texts_under(pipeline, ("uses",)))
    # GitLab includes its other files; GitHub calls a reusable workflow by its path.
    run = [
        one
        for path, one in pipelines.items()
        if one in started or provider == "gitlab" or path in called
    ]
    commands = "\n".join(one for pipeline in run for one in _deciding_commands(pipeline))
    if re.search(_ALL_IN_ONE, commands):
        jobs = [job for pipeline in run for job in _jobs(pipeline)]
        failing = {name for name, job in jobs if _fails_without_result(job)}
        return [name for name in _RESULT_JOBS if name not in failing]
    missing = [name for name, pattern in _REQUIRED.items() if not re.search(pattern, commands)]
    if "poe check" in commands and "poe test" in commands:
        return [name for name in missing if name != "handoff status --run"]
    return missing


def _deciding_commands(tree: Any) -> list[str]:
    """The commands whose failure makes a change red."""
    scripts = texts_under(tree, _SCRIPTS, is_off=_decides_nothing)
    return [command for script in scripts for command in _commands(script)]


def _decides_nothing(job: Mapping[Any, Any]) -> bool:
    """Whether a job or a step never runs for a change, or its failure is accepted."""
    conditions = " ".join(str(job.get(key, "")) for key in ("if", "condition"))
    return (
        _is_off(job)
        or any(job.get(key) not in (None, False) for key in _TOLERANT)
        or bool(
            re.search(rf"(==\s*|eq\([^)]*){_OTHER_EVENT}", conditions)
            and not re.search(r"pull_?request", conditions, re.IGNORECASE)
        )
    )


def _jobs(pipeline: Any) -> Iterator[tuple[str, Any]]:
    """The jobs of a pipeline with their names, each with the one that it extends."""
    jobs = pipeline.get("jobs", pipeline)
    if isinstance(jobs, list):  # Azure's names have no dashes
        named = {str(job.get("job", "")).replace("_", "-"): job for job in jobs}
    else:
        named = {name: job for name, job in jobs.items() if isinstance(job, dict)}
    for name, job in named.items():
        extended = job.get("extends")
        base = named.get(extended, {}) if isinstance(extended, str) else {}
        yield name, {**base, **job}


def _fails_without_result(job: Mapping[Any, Any]) -> bool:
    return any(re.search(_RESULT, command) for command in _deciding_commands(job))


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


def _is_off(job: Mapping[Any, Any]) -> bool:
    """Whether a job or a step never runs by itself."""
    conditions = (job.get(key) for key in ("if", "condition", "enabled"))
    return job.get("when") in ("never", "manual") or any(
        re.fullmatch(r"(\$\{\{)?\s*false\s*(\}\})?", str(one), re.IGNORECASE) for one in conditions
    )


def texts_under(
    tree: Any, keys: Collection[str], is_off: Callable[[Mapping[Any, Any]], bool] = _is_off
) -> list[str]:
    """The texts under some keys, in any job that is not switched off."""
    if isinstance(tree, list):
        return [text for item in tree for text in texts_under(item, keys, is_off)]
    if not isinstance(tree, dict) or is_off(tree):
        return []
    found: list[str] = []
    for key, value in tree.items():
        if key in keys and not isinstance(value, dict):
            found += [value] if isinstance(value, str) else map(str, value or [])
        else:
            found += texts_under(value, keys, is_off)
    return found


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
        parts = [[*group] for _, group in groupby(tokens, lambda token: token in _SEPARATORS)]
        for part, separator, after in zip_longest(parts, parts[1:], parts[2:], fillvalue=[""]):
            ignored = separator == ["||"] and after[0] in _WITHOUT_EFFECT
            if part[0] not in (*_SEPARATORS, *_WITHOUT_EFFECT) and not ignored:
                yield " ".join(part)
