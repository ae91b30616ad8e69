"""The report as one comment of a pull request, which later runs update, and in the run's summary.

Without the right to comment there is still the summary.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.rendering.markdown_report import MARKER

_MAX_LENGTH = 60_000
"""Characters of a comment: GitHub accepts 65,536, the others more."""

_PAGE_SIZE = 100
"""The most comments that GitHub and GitLab list on one page."""

Env: TypeAlias = Mapping[str, str]


def post(project: Project, report: str, env: Env) -> None:
    """Write a report to the run's summary and to the comment of the pull request.

    Args:
        project: The project; its answers name the provider.
        report: The report in Markdown; its first line is the marker.
        env: The environment variables.

    Raises:
        HandoffError: The comment can't be written; the summary is.
    """
    text = _shortened(report)
    summary, comment = _PROVIDERS[project.ci]
    summary(project, text, env)
    try:
        comment(env, text)
    except HTTPError as error:
        reason = f"{project.ci} refuses it ({error.code} {error.reason})"
        raise HandoffError(f"No comment was written: {reason}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"unexpected answer from {project.ci} ({error!r})"
        raise HandoffError(f"No comment was written: {reason}.") from error


def _on_github(env: Env, text: str) -> None:
    """See https://docs.github.com/rest/issues/comments: a pull request is an issue."""
    number = re.match(r"refs/pull/(\d+)/", env.get("GITHUB_REF", ""))
    if not number:
        return
    token = _token(env, "GITHUB_TOKEN", "the job's `github.token`")
    api = Api({"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"})
    issues = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/issues"
    thread = f"{issues}/{number[1]}/comments"
    api.write(thread, text, "PATCH", f"{issues}/comments")


def _on_gitlab(env: Env, text: str) -> None:
    """See https://docs.gitlab.com/api/notes/; the job's own token has no right to write there."""
    number = env.get("CI_MERGE_REQUEST_IID")
    if not number:
        return
    token = _token(env, "HANDOFF_TOKEN", "a project access token with the scope `api`")
    api = Api({"PRIVATE-TOKEN": token})
    project = f"{env['CI_API_V4_URL']}/projects/{env['CI_MERGE_REQUEST_PROJECT_ID']}"
    thread = f"{project}/merge_requests/{number}/notes"
    api.write(thread, text, "PUT", thread)


def _on_azure(env: Env, text: str) -> None:
    """See https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads."""
    number = env.get("SYSTEM_PULLREQUEST_PULLREQUESTID")
    if not number or env.get("BUILD_REPOSITORY_PROVIDER") != "TfsGit":
        return
    token = _token(env, "SYSTEM_ACCESSTOKEN", "the job's `System.AccessToken`")
    api = Api({"Authorization": f"Bearer {token}"})
    project = f"{env['SYSTEM_COLLECTIONURI'].rstrip('/')}/{env['SYSTEM_TEAMPROJECTID']}"
    threads = f"{project}/_apis/git/repositories/{env['BUILD_REPOSITORY_ID']}"
    threads += f"/pullRequests/{number}/threads"
    version = "?api-version=7.1"
    former = _find_marked(
        (each["comments"][0].get("content"), f"{each['id']}/comments/{each['comments'][0]['id']}")
        for each in api.request("GET", threads + version)["value"]
        if each.get("comments") and not each.get("isDeleted")
    )
    if former is None:
        # Closed, as a policy can block a change with open threads.
        comment = {"parentCommentId": 0, "content": text, "commentType": "text"}
        api.request("POST", threads + version, {"comments": [comment], "status": "closed"})
    else:
        api.request("PATCH", f"{threads}/{former}{version}", {"content": text})


def _write_file(_project: Project, text: str, env: Env) -> None:
    """Append to GitHub's file for the summary."""
    if file := env.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(text)


def _upload(project: Project, text: str, env: Env) -> None:
    """Print Azure's command that uploads a file as the summary."""
    if env.get("TF_BUILD"):
        file = project.local / "status.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"##vso[task.uploadsummary]{file.resolve()}")


_PROVIDERS: Mapping[str, tuple[Callable[[Project, str, Env], None], Callable[[Env, str], None]]] = {
    "github": (_write_file, _on_github),
    # GitLab has no summary: the merge request links the page that the job keeps.
    "gitlab": (lambda *_: None, _on_gitlab),
    "azure": (_upload, _on_azure),
}
"""How each provider's summary is written, and its comment."""


class Api:
    """A provider's API in JSON, with the headers that authorise requests."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {**headers, "Content-Type": "application/json", "User-Agent": "handoff"}

    def request(self, method: str, address: str, content: Any = None) -> Any:
        """Send a request and return the answer."""
        body = None if content is None else json.dumps(content).encode()
        request = Request(address, body, self._headers, method=method)  # noqa: S310 - the provider's
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def write(self, thread: str, text: str, method: str, comments: str) -> None:
        """Update our comment of a thread with a method, by its address below `comments`."""
        former = _find_marked((each["body"], each["id"]) for each in self._list(thread))
        if former is None:
            self.request("POST", thread, {"body": text})
        else:
            self.request(method, f"{comments}/{former}", {"body": text})

    def _list(self, address: str) -> Iterator[Any]:
        """All comments of a thread, the oldest first."""
        for page in count(1):
            query = f"?per_page={_PAGE_SIZE}&page={page}&sort=asc&order_by=created_at"
            comments = self.request("GET", address + query)
            yield from comments
            if len(comments) < _PAGE_SIZE:
                return


def _find_marked(comments: Iterable[tuple[str | None, Any]]) -> Any:
    """The identifier of the comment that begins with the marker; None without one."""
    return next(
        (identifier for text, identifier in comments if (text or "").startswith(MARKER)), None
    )


def _token(env: Env, name: str, description: str) -> str:
    if not env.get(name):
        raise HandoffError(f"No comment was written: set {name} to {description}.")
    return env[name]


def _shortened(text: str) -> str:
    """The text up to the longest comment, in whole lines and with closed `<details>`."""
    if len(text) <= _MAX_LENGTH:
        return text
    kept = text[:_MAX_LENGTH].rpartition("\n")[0]
    closed = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return f"{kept}{closed}\n\n`uv run poe status` shows the rest.\n"
