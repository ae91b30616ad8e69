"""A planted history: breaks by each side, repairs of some of them, and what reading can't judge."""

import json
import shutil
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.git import git
from baton_handoff.replay import replay as walk
from baton_handoff.replay.judgement import Brought
from baton_handoff.replay.replay import Replay, replay
from kept_project import kept_project

DS, ML, BOTH = "ds@example.com", "ml@example.com", "data-science and ml-engineering"
CONTRACTS, FEATURES = "src/trips/contracts/__init__.py", "src/trips/features/build.py"
APP, TEST, SETTINGS = "src/trips/serving/app.py", "tests/unit/test_build.py", "handoff.toml"
LAYERS = """
[importlinter]
root_package = trips

[importlinter:contract:layers]
name = layers
type = layers
containers = trips
layers =
    (training) | (serving)
    (contracts)
"""
COST = '"""What trips cost."""\n\n\ndef cost(price: float) -> float:\n    return 2 * price\n'
COST_TEST = (
    "from trips.features.build import cost\n\n\ndef test_cost() -> None:\n    assert cost(1)\n"
)
OTHER_TEST = "def test_other() -> None:\n    assert 1\n"


EXCEPTION = """
[[exceptions]]
practice = "linted"
reason = "soon"
owner = "a"
expires = 2027-01-31
"""


class History:
    """A project in a folder of a repository, and the commits that change it."""

    def __init__(self, repository: Path) -> None:
        self.repository, self.root = repository, repository / "apps/trips"
        kept = kept_project(repository.with_name("kept")).root
        self.days = 0
        repository.mkdir()
        self._git("init", "--quiet", "--initial-branch", "main")
        self.commit("Before Baton", {"../../README.md": "All apps.\n"})
        ignored = shutil.ignore_patterns(".git", ".handoff")
        shutil.copytree(kept, self.root, ignore=ignored, dirs_exist_ok=True)
        rooms = ("features", "serving", "training")
        made: dict[str, str | None] = {f"src/trips/{room}/__init__.py": "" for room in rooms}
        made |= {FEATURES: COST, TEST: COST_TEST, "standards/importlinter.ini": LAYERS}
        self.commit("Made", made | {APP: self.text(APP)[1:]})

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, files: dict[str, str | None]) -> None:
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_text(text, encoding="utf-8")

    def commit(self, title: str, files: dict[str, str | None], author: str = ML) -> None:
        self.write(files)
        self.days += 1
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title, author=author)

    def merge(self, title: str, files: dict[str, str | None], author: str) -> None:
        """Merge a pull request: a third person makes the merge commit."""
        self._git("checkout", "--quiet", "-b", "work")
        self.commit("wip", files, author)
        self._git("checkout", "--quiet", "main")
        self._git(
            "merge", "--quiet", "--no-ff", "--message", title, "work", author="boss@b.example"
        )
        self._git("branch", "--quiet", "--delete", "work")

    def _git(self, *arguments: str, author: str = ML) -> None:
        day = f"2026-11-{self.days:02}T12:00:00+00:00"
        names = {"NAME": author.partition("@")[0], "EMAIL": author, "DATE": day}
        roles = ("AUTHOR", "COMMITTER")
        env = {f"GIT_{role}_{name}": value for role in roles for name, value in names.items()}
        git(self.repository, *arguments, env=env)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Project:
    history = History(tmp_path_factory.mktemp("planted") / "repository")
    contracts, settings, app = map(history.text, (CONTRACTS, SETTINGS, APP))
    narrow = contracts.replace("le=9", "le=8", 1)
    history.merge("Fewer seats", {CONTRACTS: narrow}, DS)
    importing = app.replace("\n\n\n", "\n\nfrom trips.training.ingest import ingest\n\n\n", 1)
    history.merge("Read in the service", {APP: importing}, ML)
    history.commit("Only outside", {"../../README.md": "All our apps.\n"})
    history.commit("Triple", {FEATURES: COST.replace("2 *", "3 *")}, DS)
    history.commit("Another test", {"tests/unit/test_other.py": OTHER_TEST}, DS)
    history.commit("Broken settings", {SETTINGS: settings + "[broken\n"})
    history.commit("Mended settings", {SETTINGS: settings})
    history.commit("Unreadable contract", {CONTRACTS: f"{narrow}\nraise RuntimeError\n"}, DS)
    raised = narrow.replace('"1.0.0"', '"2.0.0"')
    history.commit("Raise the version", {CONTRACTS: raised}, DS)
    tested = COST_TEST.replace("cost(1)", "cost(1) == 3")
    history.commit("Test the price", {TEST: tested}, DS)
    history.commit("Serve alone", {APP: app})
    moved = "src/trips/serving/service.py"
    history.commit("Print", {APP: f"import os\n{app}"})
    history.commit("Move", {APP: None, moved: f"import os\n{app}"})
    history.commit("Mend", {moved: app})
    excepted = f"{history.text(SETTINGS)}{EXCEPTION}"
    history.commit("Accept and add", {SETTINGS: excepted, moved: f"import os\n{app}"})
    history.commit("Add one more", {moved: f"import os\nimport sys\n{app}"})
    history.commit("Delete a test", {TEST: None}, DS)
    return find_project(history.root)


def replayed(project: Project, level: int = 2, since: str | None = None) -> Replay:
    return replay(project, level, since, lambda *_: None)


@pytest.fixture(scope="module")
def found(planted: Project) -> Replay:
    return replayed(planted)


def described(one: Brought) -> tuple[str, str | None, str, str, int]:
    repaired = one.repaired.title if one.repaired else ""
    check = one.problems[0].finding.check
    return check, one.side, one.merge.title, repaired, one.repaired_after


def test_each_break_is_found_with_its_side_its_merge_and_its_repair(found: Replay) -> None:
    merges = [described(one) for one in found.brought if one.stage == "push"]
    assert merges == [
        ("contract-version", "data-science", "Fewer seats", "Raise the version", 7),
        ("layers-kept", "ml-engineering", "Read in the service", "Serve alone", 8),
        ("linted", "ml-engineering", "Read in the service", "Serve alone", 8),
        ("definition-of-done", "data-science", "Triple", "Test the price", 6),
        ("linted", "ml-engineering", "Print", "Mend", 2),
        # The exception comes with what it accepts; the next change may rely on it.
        ("linted", "ml-engineering", "Accept and add", "", 0),
        ("deleted-test", "data-science", "Delete a test", "", 0),
    ]


def test_shoulds_stop_the_next_handoff_and_not_the_merge(found: Replay) -> None:
    later = {described(one)[:3] for one in found.brought if one.stage == "handoff"}
    assert ("formatted", "data-science", "Delete a test") not in later
    assert all(side == "data-science" or check != "linted" for check, side, _ in later)


def test_what_reading_does_not_show_is_listed(found: Replay) -> None:
    assert {"tests-pass", "typed", "environment-current", "candidate-traceable"} <= found.unseen
    assert "layers-kept" not in found.unseen
    assert [merge.title for merge, _ in found.unread] == ["Broken settings"]
    assert [merge.title for merge, _ in found.unread_contracts] == ["Unreadable contract"]
    assert found.earlier == 1


def test_a_commit_outside_the_project_is_no_merge_of_it(found: Replay) -> None:
    assert "Only outside" not in {merge.title for merge in found.merges}


def test_a_second_replay_reads_no_tree_again(
    planted: Project, found: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "read_tree", None)
    monkeypatch.setattr(walk, "read_contracts", None)
    assert replayed(planted).brought == found.brought
    # What was read holds for every level.
    at_1 = [described(one)[0] for one in replayed(planted, 1).brought if one.stage == "push"]
    assert at_1 == ["contract-version"]
    assert not replayed(planted, 0).brought


def test_since_begins_with_a_later_commit(planted: Project, found: Replay) -> None:
    triple = next(merge for merge in found.merges if merge.title == "Triple")
    later = replayed(planted, since=triple.commit)
    assert [one.merge.title for one in later.brought if one.stage == "push"] == [
        "Print",
        "Accept and add",
        "Delete a test",
    ]


def test_a_replay_changes_nothing(planted: Project) -> None:
    def state() -> list[str]:
        commands = ("status --porcelain", "for-each-ref", "worktree list", "rev-parse HEAD")
        return [git(planted.root, *command.split()) for command in commands]

    before = state()
    replayed(planted)
    assert state() == before


def test_the_report_has_every_merge_as_data(
    planted: Project,
    found: Replay,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(planted.root)
    assert main(["replay-history", "--level", "2", "--format", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    (narrowed,) = [one for one in entries if one["check"] == "contract-version"]
    assert narrowed["title"] == "Fewer seats"
    assert (narrowed["repaired_after"], narrowed["repaired_days"], narrowed["number"]) == (7, 8, 2)
    assert entries[-1]["check"] == "replay"
    assert main(["replay-history", "--level", "2"]) == 0
    assert "merge" in capsys.readouterr().out


def test_a_repository_not_made_with_baton_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay-history"]) == 2
    assert "not made with Baton" in capsys.readouterr().err
