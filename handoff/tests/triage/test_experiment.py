"""The commits that cause a failure are found by what fails with some of them."""

from collections.abc import Sequence

import pytest

from baton_handoff.config.sides import DATA_SCIENCE
from baton_handoff.core.git_history import Commit
from baton_handoff.core.git_snapshots import Edit
from baton_handoff.triage.diagnosis import Cause, Diagnosis
from baton_handoff.triage.experiment import Experiment
from baton_handoff.triage.outcomes import ContractCheck, FailedCheck

FAILED = FailedCheck(ContractCheck.TESTS, "x", "broken", None, None, "")


@pytest.mark.parametrize(
    ("history", "breaking", "named"),
    [
        ("1:ada:a", "a", "1"),
        ("1:ada:a 2:max:b 3:max:c", "c", "3"),
        ("1:ada:a 2:max:b 3:eve:c", "a", "1"),
        ("1:ada:a 2:max:b", "ab", "12"),
        ("1:ada:a 2:max:b 3:eve:c", "ac", "13"),
        ("1:ada:a 2:ada:b 3:max:c", "ab", "1"),
        # Both edit one file: without the first edit the second state can't be told.
        ("1:ada:a 2:max:a", "a", "1"),
        ("1:ada:a 2:max:a,b", "ab", "12"),
    ],
)
def test_each_author_whose_own_files_make_the_check_fail_is_named(
    monkeypatch: pytest.MonkeyPatch, history: str, breaking: str, named: str
) -> None:
    commits = []
    for text in history.split():
        identifier, author, paths = text.split(":")
        commits.append(Commit(identifier, author, [Edit(path, "") for path in paths.split(",")]))

    def fails_after(_: object, __: object, ___: str, some: Sequence[Commit]) -> bool:
        return any(edit.path in breaking for commit in some for edit in commit.edits)

    monkeypatch.setattr(Experiment, "_fails_after", fails_after)
    experiment = object.__new__(Experiment)
    monkeypatch.setattr(experiment, "_commits", lambda _: commits, raising=False)
    diagnosis = Diagnosis(FAILED, Cause.CHANGE, frozenset({DATA_SCIENCE}))
    assert "".join(one.identifier for one in experiment.commits(diagnosis)) == named
