"""The shortest way to a champion: each thing once, in order, each sentence with its file."""

from pathlib import Path

import pytest

from assessments import DS, ML, practice, result
from baton_handoff.config.project import Project, find_project
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.status import missing_evidence
from baton_handoff.policy.status.champion_way import (
    Remaining,
    missing_approval,
    missing_statements,
    shortest_way,
    way_to_champion,
)
from baton_handoff.policy.status.missing_evidence import EvidenceError, produce_for_promotion
from baton_handoff.policy.status.promotion_practices import PromotionRequirements
from baton_handoff.policy.status.status import assess
from baton_handoff.registry.version_facts import ROLLED_BACK, VersionFacts
from kept_project import TODAY, cache_versions

COMMIT = 'git add --all && git commit -m "MESSAGE"'
PROMOTE = "uv run poe promote candidate --why WHY --run"


def lacking(name: str, command: str, side: str = ML) -> PracticeResult:
    """A result that lacks the evidence of a command."""
    known = practice(name)
    return PracticeResult(
        practice=known.model_copy(update={"check": "linted"}),
        side=side,
        tier="must",
        state=State.NOT_SHOWN,
        message="Not run.",
        fix=f"`{command}`",
        command=command,
    )


CHECKED = [lacking("linted", "uv run poe check"), lacking("typed", "uv run poe check")]
TESTED = lacking("tests-pass", "uv run poe test")
PIPELINE = lacking("pipeline-current", "uv run poe pipeline")
EDIT = [result(practice("drawn"), side, State.NOT_MET, "No.", fix="draw it") for side in (DS, ML)]
SAID = result(practice("said").model_copy(update={"check": STATEMENT}), ML, State.NOT_SHOWN, "No.")


@pytest.mark.parametrize(
    ("remaining", "size", "steps"),
    [
        (Remaining(), "1 command", [PROMOTE]),
        (Remaining([*CHECKED, TESTED]), "1 command", [PROMOTE]),
        (Remaining(version="3"), "1 command", [PROMOTE.replace("candidate", "3")]),
        (
            Remaining(CHECKED, ["Intended use", "Limits"]),
            "2 commands, 2 sentences to write",
            ["write in docs/model-card.md: Intended use, Limits", COMMIT, PROMOTE],
        ),
        (
            Remaining([PIPELINE], ["Limits"], register=True),
            "4 commands, 1 sentence to write",
            [
                "write in docs/model-card.md: Limits",
                "uv run poe pipeline",
                COMMIT,
                "uv run poe register",
                PROMOTE,
            ],
        ),
        # With a version, the promotion itself compares the files of the pipeline.
        (Remaining([PIPELINE]), "1 command", [PROMOTE]),
        (
            Remaining([*EDIT, SAID], edits=["improve the model [data-science]"]),
            "2 commands, 1 sentence to write, 2 things to correct",
            [
                "write in handoff.toml, `[[statements]]`: said",
                "improve the model [data-science]",
                "draw it [data-science, ml-engineering]",
                COMMIT,
                PROMOTE,
            ],
        ),
        (Remaining(commit=True), "2 commands", [COMMIT, PROMOTE]),
    ],
)
def test_each_thing_is_done_once_and_edits_come_before_the_commands(
    remaining: Remaining, size: str, steps: list[str]
) -> None:
    way = shortest_way(remaining)
    assert (way.size, way.steps) == (size, steps)


def test_the_other_side_approves_where_the_registry_can_be_reached(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert missing_approval(project, is_missing=False) == "given"
    local = missing_approval(project, is_missing=True)
    first, *rest = shortest_way(Remaining(approval=local)).steps
    assert "exception for the gate `approval`" in first
    assert rest == [COMMIT, PROMOTE]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com")
    (job,) = shortest_way(Remaining(approval=missing_approval(project, is_missing=True))).steps
    assert job.startswith("start the job `promote` of the pipeline")


def test_the_status_of_a_project_tells_its_way(kept: Project) -> None:
    """One that keeps everything lacks the sentences on its model, and a champion."""
    project = find_project(kept.root)
    assert way_to_champion(project, assess(project, today=TODAY)) is None
    facts = {"version": 1, "tags": {}, "metrics": {}}
    cache_versions(project.root, {"candidate": facts, "champion": None})  # type: ignore[dict-item]
    way = way_to_champion(project, assess(project, today=TODAY))
    assert way
    assert [*way.sentences] == ["docs/model-card.md"]
    assert way.commands[-2:] == ["uv run poe register", PROMOTE]


def test_a_version_that_was_rolled_back_is_not_promoted_again(kept: Project) -> None:
    project = find_project(kept.root)
    facts = {"version": 2, "tags": {ROLLED_BACK: "it answers NaN"}, "metrics": {}}
    champion = {"version": 1, "tags": {}, "metrics": {}}
    cache_versions(project.root, {"candidate": facts, "champion": champion})
    way = way_to_champion(project, assess(project, today=TODAY))
    assert way
    assert way.edits[0] == "correct what version 2 was rolled back for: it answers NaN"
    assert way.commands == ["uv run poe pipeline", COMMIT, "uv run poe register", PROMOTE]


def test_a_comment_that_asks_for_a_sentence_is_none(tmp_path: Path) -> None:
    assert missing_statements(tmp_path) == ["Intended use", "Limits"]
    (tmp_path / "docs").mkdir()
    card = "## Intended use\n\n<!-- Who? -->\n\n## Limits\n\nNone known.\n"
    (tmp_path / "docs/model-card.md").write_text(card, encoding="utf-8")
    assert missing_statements(tmp_path) == ["Intended use"]


@pytest.fixture
def runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, int]]:
    """The commands that ran, and the exit code of each; a run that ends well leaves evidence."""
    ran: list[str] = []
    codes: dict[str, int] = {}

    def requirements(*_: object) -> PromotionRequirements:
        open_ = []
        for one in (*CHECKED, TESTED, lacking("accepted", "uv run handoff model accept")):
            code = codes.get(one.command, 0) if one.command in ran else None
            if code is None:
                open_.append(one)
            elif code == 1:
                open_.append(result(one.practice, ML, State.NOT_MET, "It fails."))
            elif code > 1:
                open_.append(one)
        return PromotionRequirements(open_)

    def run(_: Project, command: list[str]) -> int:
        ran.append(" ".join(command))
        return codes.get(ran[-1], 0)

    version = VersionFacts(1, {}, {})
    monkeypatch.setattr(missing_evidence, "promotion_requirements", requirements)
    monkeypatch.setattr(missing_evidence, "find_version", lambda *_: version)
    monkeypatch.setattr(missing_evidence, "with_served", lambda given, _: given)
    monkeypatch.setattr(missing_evidence, "_run", run)
    return ran, codes


COMMANDS = ["uv run poe check", "uv run poe test", "uv run handoff model accept"]


def test_missing_runs_are_made_in_order_with_their_progress(
    project: Project,
    runs: tuple[list[str], dict[str, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    produce_for_promotion(project, "candidate")
    assert runs[0] == COMMANDS
    lines = capsys.readouterr().err.splitlines()
    assert lines[::2] == [f"[{n}/3] {command}" for n, command in enumerate(COMMANDS, start=1)]


@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_promotion_stops_at_the_first_run_that_fails(
    project: Project, runs: tuple[list[str], dict[str, int]], place: int, code: int
) -> None:
    ran, codes = runs
    codes[COMMANDS[place]] = code
    with pytest.raises(EvidenceError) as raised:
        produce_for_promotion(project, "candidate")
    assert ran == COMMANDS[: place + 1]
    assert raised.value.exit_code == 1
    assert raised.value.command == COMMANDS[place]
    assert raised.value.practices == [("linted", "typed"), ("tests-pass",), ("accepted",)][place]
    assert list(raised.value.not_run) == COMMANDS[place + 1 :]
