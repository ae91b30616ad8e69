"""The command `handoff`: its groups, their commands, and the old names of commands."""

import re

import pytest

from baton_handoff.cli import main
from baton_handoff.cli.old_names import OLD_NAMES, translate
from baton_handoff.config.project import Project

TOP = (
    "setup",
    "pipeline",
    "docs",
    "doctor",
    "serve",
    "check",
    "fix",
    "test",
    "status",
    "ci",
    "triage",
    "replay-history",
    "update",
    "adopt",
    "monitor",
)
GROUPS = {
    "contract": ("new", "join", "diff", "api", "wheel"),
    "model": (
        *("list", "register", "promote", "rollback", "fetch"),
        *("compare", "image", "score", "accept"),
    ),
    "source": ("list", "add", "report"),
    "feature": ("list", "store"),
    "notebook": ("new", "scan", "brief", "lift", "verify"),
    "policy": ("status", "baseline", "owners", "radar"),
}
EVERY = [*TOP, *(f"{group} {name}" for group, names in GROUPS.items() for name in names)]


def helped(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0


def test_the_help_lists_every_command_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    helped()
    message = capsys.readouterr().out
    listed = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)  +\S", message, re.MULTILINE)
    assert sorted(listed) == sorted(EVERY)
    assert re.findall(r"^([a-z]+): \S", message, re.MULTILINE) == ["usage", *GROUPS]
    assert max(map(len, message.splitlines())) <= 100


@pytest.mark.parametrize("group", GROUPS)
def test_the_help_of_a_group_lists_its_commands(
    capsys: pytest.CaptureFixture[str], group: str
) -> None:
    helped(group)
    listed = re.findall(r"^    ([a-z]+)  +\S", capsys.readouterr().out, re.MULTILINE)
    assert tuple(listed) == GROUPS[group]


@pytest.mark.parametrize("arguments", [[], ["contract"], ["model"]])
def test_without_a_command_the_help_is_printed_and_the_exit_code_is_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr()
    assert message.out == ""
    assert message.err.startswith(" ".join(["usage: handoff", *arguments]))


@pytest.mark.parametrize("command", EVERY)
def test_every_command_has_a_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    helped(*command.split())
    assert capsys.readouterr().out.startswith(f"usage: handoff {command}")


TYPED = [
    ("new-contract a.csv", "contract new a.csv", "uv run handoff contract new"),
    ("diff --base main", "contract diff --base main", "uv run poe diff"),
    ("api", "contract api", "uv run handoff contract api"),
    ("api --check", "check --only api", "uv run poe check --only api"),
    ("build-contracts", "contract wheel", "uv run handoff contract wheel"),
    ("models --json", "model list --json", "uv run handoff model list"),
    ("register", "model register", "uv run poe register"),
    ("promote 1 --dry-run", "model promote 1 --dry-run", "uv run poe promote"),
    ("rollback --why late", "model rollback --why late", "uv run poe rollback"),
    ("fetch candidate", "model fetch candidate", "uv run handoff model fetch"),
    ("replay 2", "model compare 2", "uv run handoff model compare"),
    ("image", "model image", "uv run handoff model image"),
    ("score a b", "model score a b", "uv run handoff model score"),
    ("acceptance", "model accept", "uv run handoff model accept"),
    ("sources", "source list", "uv run handoff source list"),
    ("sources list --json", "source list --json", "uv run handoff source list"),
    ("sources add a.csv", "source add a.csv", "uv run handoff source add"),
    ("sources report-problem a", "source report a", "uv run handoff source report"),
    (
        "sources --check --format json",
        "check --only sources --format json",
        "uv run poe check --only sources",
    ),
    ("features --json", "feature list --json", "uv run handoff feature list"),
    ("features --check", "check --only features", "uv run poe check --only features"),
    ("feature-store", "feature store", "uv run handoff feature store"),
    (
        "feature-store --check",
        "check --only feature-store",
        "uv run poe check --only feature-store",
    ),
    ("baseline", "policy baseline", "uv run handoff policy baseline"),
    ("owners", "policy owners", "uv run handoff policy owners"),
    ("owners --check", "check --only owners", "uv run poe check --only owners"),
    ("radar", "policy radar", "uv run handoff policy radar"),
    ("radar --check", "check --only radar", "uv run poe check --only radar"),
    ("types", "check --only types", "uv run poe check --only types"),
    ("layers", "check --only layers", "uv run poe check --only layers"),
    ("poe-triage --side a", "triage --side a", "uv run handoff triage"),
    ("done --base main", "done --base main", "uv run poe status --base REF"),
    ("record lint -- x", "record lint -- x", "uv run poe check --only lint"),
    (
        "record lint -- ruff check --fix a.py",
        "record lint -- ruff check --fix a.py",
        "uv run poe fix --only lint",
    ),
    ("record test -- x", "record test -- x", "uv run poe test"),
    ("record acceptance -- x", "record acceptance -- x", "uv run handoff model accept"),
]
"""For each old command the new arguments and the command that the message names."""


@pytest.mark.parametrize(
    ("old", "new", "typed"),
    TYPED,
)
def test_an_old_name_runs_the_new_command_and_prints_it(
    capsys: pytest.CaptureFixture[str], old: str, new: str, typed: str
) -> None:
    name, *_ = old.split()
    assert translate(old.split()) == new.split()
    message = capsys.readouterr()
    assert message.out == ""
    called = name.replace("poe-", "poe ")
    assert message.err == f"`{called}` is an old name, which the next release drops: `{typed}`\n"
    helped(name)
    assert capsys.readouterr().out.startswith("usage: handoff ")


def test_every_old_name_has_a_case_above() -> None:
    assert {old.partition(" ")[0] for old, *_ in TYPED} == {*OLD_NAMES}


def test_a_new_name_prints_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    for command in EVERY:
        assert translate(command.split()) == command.split()
    assert capsys.readouterr().err == ""


def test_an_old_name_prints_the_same_json_as_the_new_one(
    kept: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept.root)
    for old, new in (
        ("sources --check --format json", "check --only sources --format json"),
        ("sources list --json", "source list --json"),
        ("done --base HEAD --format json", "done --base HEAD --format json"),
    ):
        ends = main(old.split()), main(new.split())
        first, second = capsys.readouterr().out.strip(), ""
        half = len(first) // 2
        first, second = first[:half].strip(), first[half:].strip()
        assert (ends[0], first) == (ends[1], second)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("promot", "there is no command `promot`; did you mean `model promote`?"),
        ("stauts", "there is no command `stauts`; did you mean `status`?"),
        ("model regster", "there is no command `regster`; did you mean `register`?"),
        ("zzz", "there is no command `zzz`: `handoff --help` lists them."),
        ("model list --jsn", "there is no option `--jsn`; did you mean `--json`?"),
        ("serve --prot=80", "there is no option `--prot`; did you mean `--port`?"),
        ("status --q", "there is no option `--q`: `handoff status --help` lists them."),
        ("status --stage promotoin", "no value `promotoin`; did you mean `promotion`?"),
        ("check --only lnit", "there is no value `lnit`; did you mean `lint`?"),
        ("model promote 1 --to champoin", "no value `champoin`; did you mean `champion`?"),
        ("model list 1", "`1` is one argument too many"),
    ],
)
def test_a_mistyped_command_or_option_is_an_error_that_suggests_the_right_one(
    capsys: pytest.CaptureFixture[str], typed: str, message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(message)
