"""`infra/` is validated by Terraform; `terraform_data` is built in, so no provider is loaded."""

import json
import shutil

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.evidence.terraform import configurations, program, terraform_findings
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.status.missing_evidence import is_producible
from baton_handoff.policy.status.status import assess
from kept_project import TODAY

COMMAND = ["check", "--only", "infrastructure"]
TEST = "modules/stack/tests/size.tftest.hcl"
FILES = {
    "main.tf": 'module "stack" {\n  source = "./modules/stack"\n  size   = 2\n}\n',
    "modules/stack/main.tf": """\
variable "size" {
  type = number
}

resource "terraform_data" "queue" {
  input = var.size
}
""",
    TEST: """\
variables {
  size = 3
}

run "size" {
  command = plan

  assert {
    condition     = terraform_data.queue.input == 3
    error_message = "The queue has another size."
  }
}
""",
    "envs/other/main.tf": 'terraform {\n  backend "local" {}\n}\n',
}

needs_terraform = pytest.mark.skipif(program() is None, reason="neither terraform nor tofu")


@pytest.fixture
def project(kept: Project) -> Project:
    """The project that keeps every practice, with several configurations in `infra/`."""
    for name, text in FILES.items():
        (kept.root / "infra" / name).parent.mkdir(parents=True, exist_ok=True)
        (kept.root / "infra" / name).write_text(text, encoding="utf-8")
    return find_project(kept.root)


def edit(project: Project, name: str, old: str, new: str) -> None:
    file = project.root / "infra" / name
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def practice(project: Project) -> PracticeResult:
    results = assess(find_project(project.root), today=TODAY).results
    (result,) = (one for one in results if one.practice.name == "infrastructure-as-code")
    return result


def test_a_module_is_examined_by_itself_only_if_it_has_tests(project: Project) -> None:
    def examined() -> list[str]:
        return configurations(project.root, EvidenceStore(project).files.under(["infra/"]))

    assert examined() == ["infra", "infra/envs/other", "infra/modules/stack"]
    (project.root / "infra" / TEST).unlink()
    assert examined() == ["infra", "infra/envs/other"]


@needs_terraform
def test_valid_configurations_have_no_finding_and_no_file_is_added(project: Project) -> None:
    before = sorted((project.root / "infra").rglob("*"))
    assert terraform_findings(project) == []
    assert sorted((project.root / "infra").rglob("*")) == before


STACK = "modules/stack/main.tf"


@needs_terraform
@pytest.mark.parametrize(
    ("name", "old", "new", "line", "message"),
    [
        (STACK, "  input", "   input", None, "the format differs"),
        (STACK, "= var.size", "= var.seize", 6, "Reference to undeclared input variable: "),
        (STACK, "var.size\n}", "var.size\n", 5, "Unclosed configuration block: "),
        (STACK, "  input =", "  inputs =", 6, "Unsupported argument: "),
        ("main.tf", "modules/stack", "modules/nothing", 1, "Module not installed: "),
        (TEST, "== 3", "== 4", 9, "Test assertion failed: The queue has another size."),
    ],
)
def test_an_error_is_reported_at_its_place(
    project: Project, name: str, old: str, new: str, line: int | None, message: str
) -> None:
    edit(project, name, old, new)
    found = terraform_findings(project)
    (one,) = (one for one in found if one.message.startswith(message))
    assert (one.file, one.line, one.blocks) == (f"infra/{name}", line, True)


@needs_terraform
def test_a_provider_that_is_not_available_leaves_no_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_init", f"-plugin-dir={project.root}")
    monkeypatch.chdir(project.root)
    with (project.root / "infra/main.tf").open("a", encoding="utf-8") as file:
        file.write('\nresource "aws_s3_bucket" "data" {}\n')
    assert main(COMMAND) == 2
    error = capsys.readouterr().err
    assert "-chdir=infra init` failed: Failed to query available provider packages" in error
    assert EvidenceStore(project).current("infrastructure") is None


@needs_terraform
def test_the_step_records_its_findings_as_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    assert main(COMMAND) == 0
    assert "Every configuration in infra/ is valid" in capsys.readouterr().out
    edit(project, STACK, "= var.size", "= var.seize")
    assert main([*COMMAND, "--format", "json"]) == 1
    (reported,) = json.loads(capsys.readouterr().out)
    assert (reported["file"], reported["line"]) == (f"infra/{STACK}", 6)
    evidence = EvidenceStore(project).current("infrastructure")
    assert evidence
    assert not evidence.ok
    assert [(one.file, one.line) for one in evidence.findings] == [(f"infra/{STACK}", 6)]


def test_without_a_program_the_practice_is_not_shown_and_no_run_can_show_it(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert practice(kept).message == "infra/ was validated on 2026-11-25."
    (kept.root / "infra/new.tf").touch()
    monkeypatch.setattr(shutil, "which", "/usr/bin/{}".format)
    assert practice(kept).command == "uv run poe check --only infrastructure"
    assert is_producible(practice(kept))
    monkeypatch.setattr(shutil, "which", {}.get)
    result = practice(kept)
    assert result.state is State.NOT_SHOWN
    assert result.message == ("infra/ was not validated: neither terraform nor tofu is on PATH.")
    assert not is_producible(result)
    with pytest.raises(HandoffError, match="Neither terraform nor tofu is on PATH"):
        terraform_findings(kept)
