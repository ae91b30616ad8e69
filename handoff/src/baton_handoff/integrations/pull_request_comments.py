"""The report where a change is talked about: one comment, which every later run writes anew.

Where nobody may comment, the run's summary has it all the same.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.rendering.markdown_report import MARKER

_LONGEST = 60_000
"""Characters of a comment: GitHub takes 65,536, the others more."""

_AT_ONCE = 100
"""Comments that GitHub and GitLab list at once, at most."""

Env: TypeAlias = Mapping[str, str]


def post(project: Project, report: str, env: Env) -> None:
    """Show a report in the run's summary, and in a pull request as its one comment.

    Args:
        project: The project, whose answers say which provider this is.
        report: The report, in Markdown, with the marker as its first line.
        env: The environment variables.

    Raises:
        HandoffError: There is no comment, and why; the summary has been written before.
    """
    text = _shortened(report)
    summary, comment = _PROVIDERS[project.ci]
    summary(project, text, env)
    try:
        comment(env, text)
    except HTTPError as error:
        reason = f"{project.ci} refuses it ({error.code} {error.reason})"
        raise HandoffError(f"There is no comment: {reason}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{project.ci} does not answer as it is known ({error!r})"
        raise HandoffError(f"There is no comment: {reason}.") from error


def _on_github(env: Env, text: str) -> None:
    """As https://docs.github.com/rest/issues/comments says: a pull request is an issue."""
    number = re.match(r"refs/pull/(\d+)/", env.get("GITHUB_REF", ""))
    if not number:
        return
    token = _token(env, "GITHUB_TOKEN", "the job's `github.token`")
    api = _Api({"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"})
    issues = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/issues"
    thread = f"{issues}/{number[1]}/comments"
    api.write_anew(thread, text, "PATCH", f"{issues}/comments")


def _on_gitlab(env: Env, text: str) -> None:
    """As https://docs.gitlab.com/api/notes/ says; the job's own token may not write there."""
    number = env.get("CI_MERGE_REQUEST_IID")
    if not number:
        return
    token = _token(env, "HANDOFF_TOKEN", "a project access token with the scope `api`")
    api = _Api({"PRIVATE-TOKEN": token})
    project = f"{env['CI_API_V4_URL']}/projects/{env['CI_MERGE_REQUEST_PROJECT_ID']}"
    thread = f"{project}/merge_requests/{number}/notes"
    api.write_anew(thread, text, "PUT", thread)


def _on_azure(env: Env, text: str) -> None:
    """As https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads says."""
    number = env.get("SYSTEM_PULLREQUEST_PULLREQUESTID")
    if not number or env.get("BUILD_REPOSITORY_PROVIDER") != "TfsGit":
        return
    token = _token(env, "SYSTEM_ACCESSTOKEN", "the job's `System.AccessToken`")
    api = _Api({"Authorization": f"Bearer {token}"})
    project = f"{env['SYSTEM_COLLECTIONURI'].rstrip('/')}/{env['SYSTEM_TEAMPROJECTID']}"
    threads = f"{project}/_apis/git/repositories/{env['BUILD_REPOSITORY_ID']}"
    threads += f"/pullRequests/{number}/threads"
    version = "?api-version=7.1"
    firsts = (
        (one["comments"][0].get("content"), f"{one['id']}/comments/{one['comments'][0]['id']}")
        for one in api.ask("GET", threads + version)["value"]
        if one.get("comments") and not one.get("isDeleted")
    )
    earlier = _ours(firsts)
    if earlier is None:
        # Closed: a policy may let an open thread hold up the change.
        first = {"parentCommentId": 0, "content": text, "commentType": "text"}
        api.ask("POST", threads + version, {"comments": [first], "status": "closed"})
    else:
        api.ask("PATCH", f"{threads}/{earlier}{version}", {"content": text})


def _to_file(_project: Project, text: str, env: Env) -> None:
    """GitHub's summary is a file that a step adds to."""
    if file := env.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(text)


def _by_command(project: Project, text: str, env: Env) -> None:
    """Azure takes a file that a line of the log names."""
    if env.get("TF_BUILD"):
        file = project.local / "status.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"##vso[task.uploadsummary]{file.resolve()}")


def _nowhere(_project: Project, _text: str, _env: Env) -> None:
    """GitLab has no summary: the merge request links the page that the job keeps."""


_PROVIDERS: Mapping[str, tuple[Callable[[Project, str, Env], None], Callable[[Env, str], None]]] = {
    "github": (_to_file, _on_github),
    "gitlab": (_nowhere, _on_gitlab),
    "azure": (_by_command, _on_azure),
}
"""For each provider how a run's summary is written, and how a comment is."""


class _Api:
    """A provider's API, asked in JSON by somebody whom it knows."""

    def __init__(self, login: Mapping[str, str]) -> None:
        self._headers = {**login, "Content-Type": "application/json", "User-Agent": "handoff"}

    def ask(self, method: str, address: str, said: Any = None) -> Any:
        """What it answers."""
        body = None if said is None else json.dumps(said).encode()
        request = Request(address, body, self._headers, method=method)  # noqa: S310 - the provider's
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def write_anew(self, thread: str, text: str, method: str, comments: str) -> None:
        """Write our comment of a thread; a method changes it, by its address below `comments`."""
        earlier = _ours((one["body"], one["id"]) for one in self.pages(thread))
        if earlier is None:
            self.ask("POST", thread, {"body": text})
        else:
            self.ask(method, f"{comments}/{earlier}", {"body": text})

    def pages(self, address: str) -> Iterator[Any]:
        """Everything that it lists, the oldest first."""
        number = 1
        while True:
            query = f"?per_page={_AT_ONCE}&page={number}&sort=asc&order_by=created_at"
            listed = self.ask("GET", address + query)
            yield from listed
            if len(listed) < _AT_ONCE:
                return
            number += 1


def _ours(comments: Iterable[tuple[str | None, Any]]) -> Any:
    """The identifier of the comment that an earlier run has left; None without one."""
    return next(
        (identifier for said, identifier in comments if (said or "").startswith(MARKER)), None
    )


def _token(env: Env, name: str, what: str) -> str:
    if not env.get(name):
        raise HandoffError(f"There is no comment: {name} is not set, {what}.")
    return env[name]


def _shortened(text: str) -> str:
    """As much as a comment may hold, in whole lines; what is folded stays folded."""
    if len(text) <= _LONGEST:
        return text
    kept = text[:_LONGEST].rpartition("\n")[0]
    closed = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return f"{kept}{closed}\n\n`uv run poe status` shows the rest.\n"
