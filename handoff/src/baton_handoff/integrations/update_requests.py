"""One pull request that proposes an update of the template: a scheduled job opens or renews it."""

import base64
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.parse import quote

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, prefix_of, run_git
from baton_handoff.integrations.pull_request_comments import Api
from baton_handoff.integrations.update import (
    UpdateOptions,
    renew_lock,
    status_changes,
    status_now,
    update,
)
from baton_handoff.updates.applied import read_record, undo

CLEAN, CONFLICTING = "update: clean", "update: conflicting"
"""The labels of a pull request."""

TRAILER = "Made-by: handoff update"
"""The last line of a commit on the branch: only such a commit is ever replaced."""

_LONGEST = {"azure": 3_900}
"""Characters of a description, 60,000 without an entry; Azure accepts 4,000."""

_AUTHOR = {
    f"GIT_{role}_{name}": value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in (("NAME", "handoff"), ("EMAIL", "handoff@localhost"))
}

Env: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class Proposal:
    """What a pull request contains.

    Attributes:
        branch: The branch that it merges.
        title: Its title.
        text: Its description, in Markdown.
        label: Whether it needs a person.
        other: The label that it must not have.
    """

    branch: str
    title: str
    text: str
    label: str
    other: str


def propose_update(project: Project, env: Env) -> int:
    """Open or renew the pull request of an update; the work tree is restored.

    Args:
        project: The project, as its main branch contains it.
        env: The environment variables of the job.

    Returns:
        0: the project is current, or the pull request is there.

    Raises:
        HandoffError: The update can't be tried, the branch not be pushed, or the provider refuses.
    """
    token = env.get("SYSTEM_ACCESSTOKEN" if project.ci == "azure" else "HANDOFF_TOKEN")
    if not token:
        name = "SYSTEM_ACCESSTOKEN" if project.ci == "azure" else "HANDOFF_TOKEN"
        raise HandoffError(
            f"{name} is not set, so no pull request can be opened: docs/use/keeping-current.md of"
            " the template lists the rights that the token needs."
        )
    folder = prefix_of(project.root).strip("/").replace("/", "-")
    branch = "-".join(filter(None, ["handoff/update", folder]))
    former = _former(project, branch, token)
    if former is None:
        print(f"A person has committed to {branch}, so it stays as it is.")
        return 0
    before, printed = status_now(project), StringIO()
    with redirect_stdout(printed):
        code = update(project, UpdateOptions(commit=False))
    print(printed.getvalue())
    record = read_record(project)
    if record is None or record.commit:
        return 0
    try:
        lock_error = renew_lock(project)
        # Without a lock, or with a conflict in a setting, nothing can run the new engine.
        changes = [] if code or lock_error else status_changes(project, before)
        title, _, body = record.message.strip().partition("\n")
        message = f"{title}\n\n{body.strip()}\n\n{TRAILER}\n"
        git(project.root, "add", "--update", ".")
        tree = git(project.root, "write-tree").strip()
        arguments = ("commit-tree", tree, "-p", "HEAD")
        commit = git(project.root, *arguments, stdin=message, env=_AUTHOR).strip()
    finally:
        undo(project)
    report = f"`uv lock` fails: {lock_error}\n\n" if lock_error else ""
    report += printed.getvalue() if code else ""
    needed = bool(code or lock_error)
    proposal = Proposal(
        branch=branch,
        title=title + (f" in {folder}" if folder else ""),
        text=_text(project, "\n".join([*changes, "", body.strip()]).strip(), report, needed=needed),
        label=CONFLICTING if needed else CLEAN,
        other=CLEAN if needed else CONFLICTING,
    )
    _push(project, branch, former, commit, token)
    try:
        number = _PROVIDERS[project.ci](env, token, proposal)
    except HTTPError as error:
        reason = f"{project.ci} refuses it ({error.code} {error.reason})"
        raise HandoffError(
            f"{proposal.branch} is pushed, but no pull request: {reason}."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"unexpected answer from {project.ci} ({error!r})"
        raise HandoffError(
            f"{proposal.branch} is pushed, but no pull request: {reason}."
        ) from error
    print(f"Pull request {number}, labelled `{proposal.label}`: {proposal.title}.")
    return 0


def _text(project: Project, body: str, report: str, *, needed: bool) -> str:
    if needed:
        team = project.teams[1] or project.teams[0]
        whom = f"{team}: a" if team else "A"
        end = (
            f"**{whom} person is needed.** Check out this branch, resolve what follows, and push;"
            " from then on no scheduled job changes it.\n\n"
            f"~~~~~text\n{report.strip()}\n~~~~~"
        )
    else:
        end = "The update merges without a conflict and loses no line. The checks judge it."
    longest = _LONGEST.get(project.ci, 60_000)
    # What a person has to do comes first, so that it is never cut off.
    text = f"{end}\n\n{body}" if needed else f"{body}\n\n{end}"
    if len(text) <= longest:
        return text
    closed = "\n~~~~~" if text[:longest].count("~~~~~") == 1 else ""
    return f"{text[:longest]}{closed}\n\n(shortened)"


def _former(project: Project, branch: str, token: str) -> str | None:
    """The commit at the end of a remote branch, empty without one; None if it is a person's."""
    root, remote, env = project.root, f"refs/heads/{branch}", _authorized(project.ci, token)
    listed = run_git(root, "ls-remote", "origin", remote, env=env)
    if listed.returncode:
        raise HandoffError(f"The remote `origin` can't be read: {listed.stderr.strip()}")
    former = listed.stdout.split("\t")[0].strip()
    if not former:
        return ""
    git(root, "fetch", "--quiet", "origin", remote, env=env)
    ours = git(root, "log", "-1", "--format=%B", former).strip().endswith(TRAILER)
    return former if ours else None


def _push(project: Project, branch: str, former: str, commit: str, token: str) -> None:
    """Push a commit as the branch, unless another one has been pushed since `former`."""
    remote = f"refs/heads/{branch}"
    lease = f"--force-with-lease={remote}:{former}"
    push = ("push", "--quiet", lease, "origin", f"{commit}:{remote}")
    done = run_git(project.root, *push, env=_authorized(project.ci, token))
    if done.returncode:
        raise HandoffError(f"{branch} can't be pushed: {done.stderr.strip()}")


def _authorized(ci: str, token: str) -> dict[str, str]:
    """Variables with which git sends the token; no list of processes shows them."""
    user = {"github": "x-access-token", "gitlab": "oauth2"}.get(ci)
    login = base64.b64encode(f"{user}:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {f'Basic {login}' if user else f'Bearer {token}'}",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _on_github(env: Env, token: str, proposal: Proposal) -> int:
    """See https://docs.github.com/rest/pulls/pulls: labels are those of its issue."""
    api = Api({"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"})
    repository = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}"
    owner = env["GITHUB_REPOSITORY"].partition("/")[0]
    head = quote(f"{owner}:{proposal.branch}", safe="")
    found = api.request("GET", f"{repository}/pulls?state=open&head={head}")
    content = {"title": proposal.title, "body": proposal.text}
    refs = {"head": proposal.branch, "base": env["GITHUB_REF_NAME"]}
    one = found[0] if found else api.request("POST", f"{repository}/pulls", content | refs)
    labels = {each["name"] for each in one["labels"]} - {proposal.other} | {proposal.label}
    changed = content | {"labels": sorted(labels)}
    api.request("PATCH", f"{repository}/issues/{one['number']}", changed)
    return int(one["number"])


def _on_gitlab(env: Env, token: str, proposal: Proposal) -> int:
    """See https://docs.gitlab.com/api/merge_requests/."""
    api = Api({"PRIVATE-TOKEN": token})
    requests = f"{env['CI_API_V4_URL']}/projects/{env['CI_PROJECT_ID']}/merge_requests"
    branch = quote(proposal.branch, safe="")
    found = api.request("GET", f"{requests}?state=opened&source_branch={branch}")
    content = {"title": proposal.title, "description": proposal.text}
    refs = {"source_branch": proposal.branch, "target_branch": env["CI_COMMIT_BRANCH"]}
    one = found[0] if found else api.request("POST", requests, content | refs)
    labels = {"add_labels": proposal.label, "remove_labels": proposal.other}
    api.request("PUT", f"{requests}/{one['iid']}", content | labels)
    return int(one["iid"])


def _on_azure(env: Env, token: str, proposal: Proposal) -> int:
    """See https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests."""
    api = Api({"Authorization": f"Bearer {token}"})
    place = f"{env['SYSTEM_COLLECTIONURI'].rstrip('/')}/{env['SYSTEM_TEAMPROJECTID']}/_apis/git"
    requests = f"{place}/repositories/{env['BUILD_REPOSITORY_ID']}/pullrequests"
    version, ref = "api-version=7.1", f"refs/heads/{proposal.branch}"
    criteria = f"searchCriteria.status=active&searchCriteria.sourceRefName={quote(ref, safe='')}"
    found = api.request("GET", f"{requests}?{criteria}&{version}")["value"]
    content = {"title": proposal.title, "description": proposal.text}
    refs = {"sourceRefName": ref, "targetRefName": env["BUILD_SOURCEBRANCH"]}
    if found:
        one = found[0]
        api.request("PATCH", f"{requests}/{one['pullRequestId']}?{version}", content)
    else:
        one = api.request("POST", f"{requests}?{version}", content | refs)
    labels = f"{requests}/{one['pullRequestId']}/labels"
    listed = api.request("GET", f"{labels}?{version}")["value"]
    for label in listed:
        if label["name"] == proposal.other:
            api.request("DELETE", f"{labels}/{label['id']}?{version}")
    api.request("POST", f"{labels}?{version}", {"name": proposal.label})
    return int(one["pullRequestId"])


_PROVIDERS: Mapping[str, Callable[[Env, str, Proposal], int]] = {
    "github": _on_github,
    "gitlab": _on_gitlab,
    "azure": _on_azure,
}
