"""Gates decide a promotion, the registry records it, and the service loads the new champion."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, owners
from tests.project import (
    PIPELINE,
    STATED,
    STATEMENTS,
    Project,
    own_copy,
    replace_text,
    send_request,
    service,
    state,
)

pytestmark = pytest.mark.long


def two_versions(workshop: Workshop, environment: Path, folder: Path) -> Project:
    """Return a project with two versions, whose service loads a promoted version at once."""
    project = own_copy(workshop, environment, folder)
    settings = project.folder / "handoff.toml"
    replace_text(settings, "[service]\n", "[service]\nrefresh_seconds = 0.2\n")
    project("handoff", "model", "register")
    return project


@pytest.fixture(scope="module")
def project(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Return a project with two versions of the same code and no champion.

    All automatic checks have run, once for all workers; only the statements by a person are
    missing.
    """

    def make(folder: Path) -> None:
        project = two_versions(workshop, environment, folder)
        project.env |= types
        state(project.folder)
        replace_text(project.folder / "docs/model-card.md", STATED, "")
        owners(project.folder)
        commit(project.folder, "statements")
        project("pre-commit", "install")
        # Without the sentences of the model card the promotion stops, after everything has run.
        done = promote(project, 1, "--why", "the first", "--run")
        assert done.returncode == 1, done.stderr
        assert "docs/model-card.md" in done.stdout, done.stdout

    types = {"PYTHONDONTWRITEBYTECODE": "", "MYPY_CACHE_DIR": str(types_cache)}
    checked = workshop.once("promotable", make) / "flight-delays"
    folder = tmp_path_factory.mktemp("promotion") / checked.name
    project = Project(shutil.copytree(checked, folder, symlinks=True), environment)
    project.env |= types
    return project


def promote(
    project: Project, version: int, *options: str, **env: str
) -> subprocess.CompletedProcess[str]:
    promoting = Project(project.folder, Path())
    promoting.env = project.env | env
    return promoting("handoff", "model", "promote", str(version), *options, check=False)


def aliases_by_version(project: Project) -> dict[int, list[str]]:
    listed = json.loads(project("handoff", "model", "list", "--json").stdout)
    return {version["version"]: version["aliases"] for version in listed}


def alias_moves(project: Project) -> list[dict[str, Any]]:
    output = project.python(
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
    parsed: list[dict[str, Any]] = json.loads(output.splitlines()[-1])
    return parsed


def blocking_gates(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the gates that block, each with the side that has to act."""
    return {
        finding["check"].removeprefix("gate-"): finding["side"]
        for finding in json.loads(done.stdout)
        if finding["blocks"]
    }


@contextmanager
def replaced(project: Project, changes: Mapping[str, tuple[str, str]]) -> Iterator[None]:
    """Replace a text in some files, where it is there; afterwards they are as before."""
    before = {name: (project.folder / name).read_text(encoding="utf-8") for name in changes}
    for name, (old, new) in changes.items():
        (project.folder / name).write_text(before[name].replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        for name, content in before.items():
            (project.folder / name).write_text(content, encoding="utf-8")


@pytest.fixture(scope="module")
def parallel_promotions(project: Project) -> list[tuple[int, str]]:
    """Promote version 1 twice at the same time; return both exit codes and what stderr says."""
    (project.folder / "docs/model-card.md").write_text(STATED, encoding="utf-8")
    commit(project.folder, "the model card")
    command = ["handoff", "model", "promote", "1", "--why", "the first"]
    env = {**os.environ, **project.env, **PIPELINE}
    both = [
        subprocess.Popen(
            command, cwd=project.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    errors = [process.communicate()[1].decode() for process in both]
    return sorted(zip((process.returncode for process in both), errors, strict=True))


@pytest.fixture(scope="module")
def champion(project: Project, parallel_promotions: list[tuple[int, str]]) -> Project:
    """Return the project with version 1 as its champion and version 2 as its candidate.

    Tests must leave it so: any of them may be the first or the only one of its worker.
    """
    assert [code for code, _ in parallel_promotions] == [0, 2], parallel_promotions
    return project


def test_a_missing_statement_on_the_model_blocks_a_promotion(project: Project) -> None:
    """Practices need no statement: what a machine can see is checked."""
    aliases = aliases_by_version(project)
    changes = {"handoff.toml": (STATEMENTS, ""), "docs/model-card.md": (STATED, "")}
    with replaced(project, changes):
        done = promote(project, 1, "--dry-run", "--format", "json")
    assert done.returncode == 1, done.stderr
    assert blocking_gates(done) == {
        "card": "data-science",
        "approval": "data-science and ml-engineering",
    }
    assert aliases_by_version(project) == aliases
    done = promote(project, 1)
    assert (done.returncode, done.stderr) == (
        2,
        "A promotion is recorded with its reason: add --why, or --dry-run.\n",
    )


def test_a_change_that_lowers_the_level_is_judged_by_the_former_level(project: Project) -> None:
    changes = {".copier-answers.yml": ("level: 1", "level: 0"), "docs/model-card.md": (STATED, "")}
    with replaced(project, changes):
        done = promote(project, 1, "--dry-run", "--format", "json", "--base", "HEAD")
    assert done.returncode == 1
    assert {"card", "approval"} <= set(blocking_gates(done))
    messages = [one["message"] for one in json.loads(done.stdout)]
    assert any(message.startswith("level: 1 → 0. ") for message in messages)


def test_exactly_one_of_two_parallel_promotions_succeeds(
    champion: Project, parallel_promotions: list[tuple[int, str]]
) -> None:
    _, (_, refusal) = parallel_promotions
    assert refusal.splitlines()[-1] == (
        "Another promotion or rollback is running in this project: wait until it has ended."
    )
    assert aliases_by_version(champion) == {2: ["candidate"], 1: ["champion"]}
    first = alias_moves(champion)[0]
    assert (first["to"], first["before"], first["who"], first["why"]) == (
        1,
        None,
        "max",
        "the first",
    )
    assert first["red"] == []


def test_the_champions_card_contains_the_statements(champion: Project) -> None:
    page = champion.python(
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


def test_a_crash_during_promotion_keeps_the_old_champion_and_is_reported(champion: Project) -> None:
    crashing = Project(champion.folder, Path())
    crashing.env = champion.env | PIPELINE | {"HANDOFF_ALIAS": "champion"}
    with pytest.raises(AssertionError, match="exited 9"):
        crashing.python(CRASH)
    assert aliases_by_version(champion) == {2: ["candidate"], 1: ["champion"]}
    brought = crashing("handoff", "model", "fetch").stdout.splitlines()
    assert brought[0].startswith("The registry records that max moved champion to version 2 on ")
    assert brought[0].endswith("Promote the right version again.")
    assert Path(brought[1]).name.startswith("1-")


def test_a_version_is_promoted_and_rolled_back_under_load(champion: Project) -> None:
    """The alias moves twice while the service gets requests continuously: no request fails."""
    asking = Project(champion.folder, Path())
    asking.env = champion.env | {"HANDOFF_ALIAS": "champion"}
    rows = json.loads((champion.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    garbage = {"rows": [rows["rows"][0] | {"humidity_pct": 140.0}]}
    with service(asking) as (address, _):
        answers: list[tuple[int, int | None]] = []
        refused: list[int] = []
        done = threading.Event()

        def load() -> None:
            while not done.is_set():
                status, content = send_request(f"{address}/predict", rows)
                answers.append((status, json.loads(content).get("version")))
                refused.append(send_request(f"{address}/predict", garbage)[0])

        def until(version: int) -> None:
            for _ in range(300):
                if json.loads(send_request(f"{address}/readyz")[1])["version"] == version:
                    return
                time.sleep(0.2)
            raise AssertionError(send_request(f"{address}/version")[1])

        thread = threading.Thread(target=load)
        thread.start()
        try:
            until(1)
            promoted = promote(champion, 2, "--why", "retrained", **PIPELINE)
            assert promoted.returncode == 0, promoted.stdout
            until(2)
            back = champion("handoff", "model", "rollback", "--why", "only trying").stdout
            first, effect = back.splitlines()
            assert first == "Version 1 is the champion again (before: version 2)."
            assert "load version 1 within 0.2 seconds" in effect
            assert "The service loads the alias candidate" in effect
            until(1)
        finally:
            done.set()
            thread.join()
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {1, 2}
        assert set(refused) == {422}
    how = [(move["how"], move["to"]) for move in alias_moves(champion)][-2:]
    assert how == [("promotion", 2), ("rollback", 1)]


def test_a_rollback_without_a_former_champion_is_refused(champion: Project) -> None:
    done = champion("handoff", "model", "rollback", "--why", "further", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no former champion of flight-delays to go back to")


def test_a_running_service_does_not_load_a_version_of_other_code(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = two_versions(workshop, environment, tmp_path_factory.mktemp("promotion"))
    """The service has imported its code, so changed files would have no effect."""
    asking = Project(project.folder, Path())
    asking.env = project.env | {"HANDOFF_ALIAS": "candidate"}
    calendar = project.folder / "src/flight_delays/features/calendar.py"
    with service(asking) as (address, _):
        before = json.loads(send_request(f"{address}/version")[1])
        calendar.write_text(calendar.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        commit(project.folder, "other code")
        project("handoff", "pipeline")
        project("handoff", "model", "register")
        for _ in range(300):
            now = json.loads(send_request(f"{address}/version")[1])
            if now["refused"]:
                break
            time.sleep(0.2)
        assert now | {"refused": None} == before
        assert now["refused"].startswith(
            "Version 3 of flight-delays was made by the code of commit"
        )
        assert now["refused"].endswith(f"Version {before['version']} goes on answering.")
    done = promote(project, 2, "--dry-run", "--format", "json", **PIPELINE)
    assert blocking_gates(done)["code"] == "ml-engineering"


def test_a_terminated_service_answers_accepted_requests(champion: Project) -> None:
    rows = json.loads((champion.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    many = {"rows": rows["rows"] * 2000}
    for number, row in enumerate(many["rows"]):
        many["rows"][number] = row | {"flight_number": 1 + number}
    statuses: list[int] = []
    with service(champion, HANDOFF_ALIAS="candidate") as (address, process):
        threads = [
            threading.Thread(
                target=lambda: statuses.append(send_request(f"{address}/predict", many)[0])
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)  # the service has accepted all three and has answered none yet
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert statuses == [200, 200, 200]
        assert process.wait(timeout=30) == 0
