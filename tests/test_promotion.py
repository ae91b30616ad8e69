"""A candidate becomes champion through the gates, on the record, and the service follows."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, owners
from tests.project import (
    PIPELINE,
    STATED,
    STATEMENTS,
    Project,
    ask,
    registered,
    service,
    state,
)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def project(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """A project with two versions by the same code, both offered; nothing is champion yet.

    It does what it can by itself: what it still needs are people's words of the model.
    """
    trained = registered(workshop, environment, "pandas")
    folder = tmp_path_factory.mktemp("promotion") / "project"
    shutil.copytree(trained.folder, folder, symlinks=True)
    project = Project(folder, environment)
    project.env |= {"PYTHONDONTWRITEBYTECODE": "", "MYPY_CACHE_DIR": str(types_cache)}
    project("handoff", "model", "register")
    state(folder)
    edit(folder / "docs/model-card.md", STATED, "")
    # It follows what is promoted at once.
    edit(folder / "handoff.toml", "[service]\n", "[service]\nrefresh_seconds = 0.2\n")
    owners(folder)
    project("pre-commit", "install")
    for task in (["check"], ["test"], ["model", "accept"]):
        project("handoff", *task)
    return project


def edit(file: Path, said: str, instead: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert said in text
    file.write_text(text.replace(said, instead), encoding="utf-8")


def promote(
    project: Project, version: int, *options: str, **env: str
) -> subprocess.CompletedProcess[str]:
    promoting = Project(project.folder, Path())
    promoting.env = project.env | env
    return promoting("handoff", "model", "promote", str(version), *options, check=False)


def versions(project: Project) -> dict[int, list[str]]:
    listed = json.loads(project("handoff", "model", "list", "--json").stdout)
    return {version["version"]: version["aliases"] for version in listed}


def moves(project: Project) -> list[dict[str, Any]]:
    said = project.python(
        """
        import json
        from dataclasses import asdict
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.alias_moves import recorded_moves
        from baton_handoff.registry.model_registry import registry_client
        project = find_project()
        moves = recorded_moves(registry_client(project), project, "champion")
        print(json.dumps([asdict(move) for move in moves]))
        """
    )
    told: list[dict[str, Any]] = json.loads(said.splitlines()[-1])
    return told


def red(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The gates that block, and whose turn it is."""
    return {
        finding["check"].removeprefix("gate-"): finding["side"]
        for finding in json.loads(done.stdout)
        if finding["blocks"]
    }


def test_what_only_a_person_can_say_is_asked_for_and_nothing_moves(project: Project) -> None:
    """Nobody has stated anything yet; what has run counts all the same."""
    settings = project.folder / "handoff.toml"
    said = settings.read_text(encoding="utf-8")
    edit(settings, STATEMENTS, "")
    done = promote(project, 1, "--dry-run", "--format", "json")
    settings.write_text(said, encoding="utf-8")
    assert done.returncode == 1, done.stderr
    assert red(done) == {
        "card": "data-science",
        "practices": "ml-engineering",
        "approval": "ml-engineering",
    }
    (asked,) = [one for one in json.loads(done.stdout) if one["check"] == "gate-practices"]
    assert asked["fix"].startswith(
        "state in handoff.toml, as one of `[[statements]]`, which editor"
    )
    first, second, third = asked["evidence"]
    assert first.startswith("proper-editor [ml-engineering]: No ml-engineer has stated it. → ")
    assert second.startswith("tools-introduced [ml-engineering]: ")
    assert third.startswith("alerts-reach-somebody [ml-engineering]: ")
    assert versions(project) == {2: ["candidate"], 1: []}
    done = promote(project, 1)
    assert (done.returncode, done.stderr) == (
        2,
        "A promotion is recorded with its reason: add --why, or --dry-run.\n",
    )


def test_who_lowers_the_level_is_judged_by_the_level_that_was(project: Project) -> None:
    answers = project.folder / ".copier-answers.yml"
    edit(answers, "level: 1", "level: 0")
    done = promote(project, 1, "--dry-run", "--format", "json", "--base", "HEAD")
    edit(answers, "level: 0", "level: 1")
    assert done.returncode == 1
    assert {"card", "approval"} <= set(red(done))
    said = [one["message"] for one in json.loads(done.stdout)]
    assert any(message.startswith("level: 1 → 0. ") for message in said)


def test_of_two_promotions_at_the_same_time_exactly_one_wins(project: Project) -> None:
    (project.folder / "docs/model-card.md").write_text(STATED, encoding="utf-8")
    command = ["handoff", "model", "promote", "1", "--why", "the first"]
    env = {**os.environ, **project.env, **PIPELINE}
    both = [
        subprocess.Popen(
            command, cwd=project.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = {process.pid: process.communicate()[1].decode() for process in both}
    assert sorted(process.returncode for process in both) == [0, 2], said
    (loser,) = (process.pid for process in both if process.returncode == 2)
    assert said[loser].splitlines()[-1] == (
        "Another promotion or rollback is running in this project: wait until it has ended."
    )
    assert versions(project) == {2: ["candidate"], 1: ["champion"]}
    (move,) = moves(project)
    assert (move["to"], move["before"], move["who"], move["why"]) == (1, None, "max", "the first")
    assert move["red"] == []


def test_the_champions_card_says_what_a_person_has_said(project: Project) -> None:
    page = project.python(
        """
        import mlflow
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import get_version
        run = get_version(find_project(), "champion").run_id
        print(mlflow.artifacts.load_text(f"runs:/{run}/card/card.html"))
        """
    )
    assert "To warn travellers." in page
    assert page.count('src="data:image/png;base64,') == 7
    assert "<script" not in page
    assert 'src="http' not in page


CRASH = """
    import os, sys
    import mlflow
    mlflow.MlflowClient.set_registered_model_alias = lambda *_: os._exit(9)
    from baton_handoff.config.project import find_project
    from baton_handoff.policy.promotion import promote as promotion
    project = find_project()
    promotion.validate = lambda *_: None
    promotion.judge = lambda *_: {}
    promotion._restate_card = lambda *_: None
    promotion.promote(project, "2", "champion", "it crashes", print)
"""


def test_a_crash_in_the_middle_leaves_the_old_champion_and_is_told(project: Project) -> None:
    crashing = Project(project.folder, Path())
    crashing.env = project.env | PIPELINE | {"HANDOFF_ALIAS": "champion"}
    with pytest.raises(AssertionError, match="exited 9"):
        crashing.python(CRASH)
    assert versions(project) == {2: ["candidate"], 1: ["champion"]}
    brought = crashing("handoff", "model", "fetch").stdout.splitlines()
    assert brought[0].startswith("The registry records that max moved champion to version 2 on ")
    assert brought[0].endswith("Promote the right version again.")
    assert Path(brought[1]).name.startswith("1-")


def test_a_retrained_version_is_promoted_and_taken_back_under_load(project: Project) -> None:
    """The alias moves twice while the service is asked all the time: no request fails."""
    asking = Project(project.folder, Path())
    asking.env = project.env | {"HANDOFF_ALIAS": "champion"}
    rows = json.loads((project.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    garbage = {"rows": [rows["rows"][0] | {"humidity_pct": 140.0}]}
    with service(asking) as (address, _):
        answers: list[tuple[int, int | None]] = []
        refused: list[int] = []
        done = threading.Event()

        def load() -> None:
            while not done.is_set():
                status, said = ask(f"{address}/predict", rows)
                answers.append((status, json.loads(said).get("version")))
                refused.append(ask(f"{address}/predict", garbage)[0])

        def until(version: int) -> None:
            for _ in range(300):
                if json.loads(ask(f"{address}/readyz")[1])["version"] == version:
                    return
                time.sleep(0.2)
            raise AssertionError(ask(f"{address}/version")[1])

        thread = threading.Thread(target=load)
        thread.start()
        try:
            until(1)
            promoted = promote(project, 2, "--why", "retrained", **PIPELINE)
            assert promoted.returncode == 0, promoted.stdout
            until(2)
            back = project("handoff", "model", "rollback", "--why", "only trying").stdout
            assert back == "Version 1 is the champion again (before: version 2).\n"
            until(1)
        finally:
            done.set()
            thread.join()
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {1, 2}
        assert set(refused) == {422}
    how = [(move["how"], move["to"]) for move in moves(project)][-2:]
    assert how == [("promotion", 2), ("rollback", 1)]


def test_there_is_nothing_before_the_first(project: Project) -> None:
    done = project("handoff", "model", "rollback", "--why", "further", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no former champion of flight-delays to go back to")


def test_other_code_is_not_taken_over_while_the_service_runs(project: Project) -> None:
    """Its code is imported already; what stands in the files by now is not what would answer."""
    asking = Project(project.folder, Path())
    asking.env = project.env | {"HANDOFF_ALIAS": "candidate"}
    calendar = project.folder / "src/flight_delays/features/calendar.py"
    with service(asking) as (address, _):
        before = json.loads(ask(f"{address}/version")[1])
        calendar.write_text(calendar.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        commit(project.folder, "other code")
        project("handoff", "pipeline")
        project("handoff", "model", "register")
        for _ in range(300):
            now = json.loads(ask(f"{address}/version")[1])
            if now["refused"]:
                break
            time.sleep(0.2)
        assert now | {"refused": None} == before
        assert now["refused"].startswith(
            "Version 3 of flight-delays was made by the code of commit"
        )
        assert now["refused"].endswith(f"Version {before['version']} goes on answering.")
    done = promote(project, 2, "--dry-run", "--format", "json", **PIPELINE)
    assert red(done)["code"] == "ml-engineering"


def test_a_service_that_is_ended_answers_what_it_has_accepted(project: Project) -> None:
    rows = json.loads((project.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    many = {"rows": rows["rows"] * 2000}
    for number, row in enumerate(many["rows"]):
        many["rows"][number] = row | {"flight_number": 1 + number}
    said: list[int] = []
    with service(project, HANDOFF_ALIAS="candidate") as (address, process):
        threads = [
            threading.Thread(target=lambda: said.append(ask(f"{address}/predict", many)[0]))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)  # all three have been accepted, and the first is not yet answered
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert said == [200, 200, 200]
        assert process.wait(timeout=30) == 0
