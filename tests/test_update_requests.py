"""A scheduled job opens one pull request with an update, and renews it; people's commits stay.

git's remote is a folder, and the provider a server on this machine that answers as the providers'
documentation describes. The real ones are not exercised.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from handoff.tests.support.hosting import TOKEN, Provider, hosted
from tests import baton
from tests.baton import ROOT, Workshop, commit, git, render

pytestmark = pytest.mark.long

BRANCH = "handoff/update"
HANDOFF = [sys.executable, "-c", "import sys; from baton_handoff.cli import main; sys.exit(main())"]
UV = f"""\
#!{sys.executable}
# uv, whose new engine has one practice as a must.
import json, subprocess, sys
if sys.argv[1] == "run":
    done = subprocess.run([*{HANDOFF!r}, *sys.argv[5:]], stdout=subprocess.PIPE)
    status = json.loads(done.stdout)
    for one in status["outcomes"]:
        one["tier"] = "must" if one["practice"] == "tools-reviewed" else one["tier"]
    print(json.dumps(status))
"""
PLACES = {
    "github": r"/repos/acme/flights/(?:pulls|issues/(?P<number>\d+))",
    "gitlab": r"/projects/12/merge_requests(?:/(?P<number>\d+))?",
    "azure": r"/p/_apis/git/repositories/r/pullrequests"
    r"(?:/(?P<number>\d+)(?P<labels>/labels)?(?:/(?P<label>.+))?)?",
}


class Forge(Provider):
    """A provider with pull requests.

    Attributes:
        requests: The open ones.
    """

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name, address)
        self.requests: list[dict[str, Any]] = []

    def env(self, token: str = TOKEN) -> dict[str, str]:
        """The variables of a scheduled job."""
        return super().env(token) | {
            "HANDOFF_TOKEN": token,
            "GITHUB_REF_NAME": "main",
            "CI_PROJECT_ID": "12",
            "CI_COMMIT_BRANCH": "main",
            "BUILD_SOURCEBRANCH": "refs/heads/main",
        }

    def answer(self, method: str, path: str, token: str, said: Any) -> tuple[int, Any]:
        place = re.fullmatch(PLACES[self.name], urlsplit(path).path)
        query = {name: one[0] for name, one in parse_qs(urlsplit(path).query).items()}
        if token != TOKEN:
            return 401, {}
        if not place or (self.name == "azure" and query.get("api-version") != "7.1"):
            return 404, {}
        self.asked.append(method)
        return getattr(self, f"_{self.name}")(method, place.groupdict(), query, said)  # type: ignore[no-any-return]

    def _github(self, method: str, _: Any, query: Any, said: Any) -> tuple[int, Any]:
        if method == "GET":
            assert query == {"state": "open", "head": f"acme:{BRANCH}"}
            return 200, self.requests
        if method == "POST":
            assert (said["head"], said["base"]) == (BRANCH, "main")
            # A person's own label stays.
            self.requests.append({"number": 1, "labels": [{"name": "ours"}]})
        else:
            labels = [{"name": name} for name in said["labels"]]
            self.requests[0] |= {"title": said["title"], "text": said["body"], "labels": labels}
        return 200, self.requests[0]

    def _gitlab(self, method: str, _: Any, query: Any, said: Any) -> tuple[int, Any]:
        if method == "GET":
            assert query == {"state": "opened", "source_branch": BRANCH}
            return 200, self.requests
        if method == "POST":
            assert (said["source_branch"], said["target_branch"]) == (BRANCH, "main")
            self.requests.append({"iid": 1, "labels": [{"name": "ours"}]})
        else:
            names = {one["name"] for one in self.requests[0]["labels"]}
            names = names - {said["remove_labels"]} | {said["add_labels"]}
            labels = [{"name": name} for name in sorted(names)]
            self.requests[0] |= {
                "title": said["title"],
                "text": said["description"],
                "labels": labels,
            }
        return 200, self.requests[0]

    def _azure(self, method: str, place: Any, query: Any, said: Any) -> tuple[int, Any]:
        if place["labels"]:
            labels = self.requests[0]["labels"]
            if method == "POST":
                labels.append({"name": said["name"], "id": said["name"].replace(" ", "-")})
            if method == "DELETE":
                labels[:] = [one for one in labels if one["id"] != place["label"]]
                return 200, None
            return 200, {"value": labels}
        if method == "GET":
            assert query["searchCriteria.sourceRefName"] == f"refs/heads/{BRANCH}"
            return 200, {"value": self.requests}
        if method == "POST":
            assert said["targetRefName"] == "refs/heads/main"
            self.requests.append({"pullRequestId": 1, "labels": [{"name": "ours", "id": "ours"}]})
        self.requests[0] |= {"title": said["title"], "text": said["description"]}
        return 200, self.requests[0]

    @property
    def labels(self) -> set[str]:
        """The labels of the only pull request."""
        (one,) = self.requests
        return {label["name"] for label in one["labels"]}


@pytest.fixture(params=["github", "gitlab", "azure"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    with hosted(request.param, Forge) as made:
        assert isinstance(made, Forge)
        yield made


def propose(project: Path, forge: Forge, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    uv = project.with_name("uv")
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)
    env = forge.env(token) | {"PYTHONPATH": str(ROOT / "handoff/src"), "UV": str(uv)}
    return baton.run([*HANDOFF, "update", "--pull-request"], project, check=False, env=env)


def test_one_pull_request_is_opened_renewed_and_left_to_a_person(
    workshop: Workshop, forge: Forge, tmp_path: Path
) -> None:
    origin, clone = (tmp_path / name for name in ("origin", "clone"))
    template = f"git+file://{workshop.releases()}"
    made = render(template, tmp_path / "made", {"ci": forge.name}, "v1.0.0")
    git(made, "init", "--quiet", "--initial-branch=main")
    commit(made, "made")
    git(tmp_path, "clone", "--quiet", "--bare", str(made), str(origin))
    git(tmp_path, "clone", "--quiet", f"file://{origin}", str(clone))
    git(clone, "checkout", "--quiet", "--detach")  # as a runner does

    done = propose(clone, forge)
    assert done.returncode == 0, done.stdout + done.stderr
    assert forge.labels == {"ours", "update: clean"}
    (request,) = forge.requests
    assert request["title"] == "Update the standards from v1.0.0 to v1.1.0"
    assert "merges without a conflict" in request["text"]
    assert request["text"].startswith("1 practice becomes must (tools-reviewed)")
    assert git(clone, "status", "--porcelain") == ""
    proposed = git(origin, "show", f"{BRANCH}:.copier-answers.yml")
    assert "_commit: v1.1.0" in proposed
    assert "new = true" in git(origin, "show", f"{BRANCH}:standards/new-standard.toml")

    # The main branch gets an edit at the same place: the same pull request now needs a person.
    with (clone / "standards/ruff.toml").open("a", encoding="utf-8") as file:
        file.write("\n# ours\n")
    commit(clone, "ours")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    done = propose(clone, forge)
    assert done.returncode == 0, done.stdout + done.stderr
    assert forge.labels == {"ours", "update: conflicting"}
    assert request["text"].startswith("**")
    assert "standards/ruff.toml" in request["text"]
    assert git(origin, "rev-parse", f"{BRANCH}^") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "status", "--porcelain") == ""

    # A person resolves it on the branch: the next run changes nothing there.
    git(clone, "fetch", "--quiet", "origin", BRANCH)
    git(clone, "checkout", "--quiet", "FETCH_HEAD")
    (clone / "standards/ruff.toml").write_text("# resolved\n", encoding="utf-8")
    commit(clone, "Resolve it")
    git(clone, "push", "--quiet", "origin", f"HEAD:{BRANCH}")
    git(clone, "checkout", "--quiet", "--detach", "origin/main")
    tip, asked = git(origin, "rev-parse", BRANCH), len(forge.asked)
    done = propose(clone, forge)
    assert (done.returncode, git(origin, "rev-parse", BRANCH)) == (0, tip)
    assert "A person has committed to handoff/update" in done.stdout
    assert len(forge.asked) == asked

    refused = propose(clone, forge, "")
    assert refused.returncode == 2
    assert "TOKEN is not set" in refused.stderr
