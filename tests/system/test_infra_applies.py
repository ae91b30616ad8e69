"""Apply the Terraform folder of a project to a simulator of AWS (moto), and use it with DVC."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.baton import run
from tests.test_infra import needs_provider, needs_terraform, plugins

pytestmark = [needs_terraform, needs_provider]

# The simulator has one host name, so the bucket's name must be in the path.
OVERRIDE = 'provider "aws" {\n  s3_use_path_style = true\n}\n'


def test_terraform_applies_a_second_plan_is_empty_and_dvc_stores_data(
    aws: dict[str, str], pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(cloud="aws")

    def terraform(*arguments: str) -> str:
        return run(["terraform", "-chdir=infra", *arguments], project, env=aws).stdout

    def dvc(*arguments: str) -> str:
        return run(["uv", "run", "--locked", "dvc", *arguments], project, env=aws).stdout

    (project / "infra/simulator_override.tf").write_text(OVERRIDE)
    terraform("init", f"-plugin-dir={plugins()}")
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode")  # exits 2 if the plan has changes

    (project / "table.csv").write_text("a,b\n1,2\n")
    dvc("add", "table.csv")
    remote = terraform("output", "-raw", "dvc_remote")
    dvc("remote", "add", "--default", "aws", remote)
    dvc("push", "table.csv")
    (project / "table.csv").unlink()
    shutil.rmtree(project / ".dvc/cache")
    dvc("pull", "table.csv")
    assert (project / "table.csv").read_text() == "a,b\n1,2\n"
