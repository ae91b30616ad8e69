"""The Terraform folder of a project on AWS: its settings by CI provider, its format, its promises.

`tests/system/test_infra_applies.py` validates it, and applies it to a simulator of AWS.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.baton import Workshop, run


def plugins() -> Path | None:
    """Return a local folder with Terraform's providers, or None."""
    named = os.environ.get("BATON_TF_PLUGINS")
    found = [Path(named)] if named else sorted(Path("/opt").glob("tf-plugins"))
    return found[0] if found else None


needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="Terraform is not on PATH"
)
needs_provider = pytest.mark.skipif(
    plugins() is None, reason="no provider on this machine: BATON_TF_PLUGINS names its folder"
)


@pytest.fixture(scope="module")
def infra(workshop: Workshop) -> Path:
    """Return the folder `infra/` of a project on AWS."""
    return workshop.project({"cloud": "aws"}) / "infra"


def test_a_project_without_a_cloud_has_no_infra(default_project: Path) -> None:
    assert not (default_project / "infra").exists()


@pytest.mark.parametrize(
    ("ci", "issuer"),
    [
        ("github", "token.actions.githubusercontent.com"),
        ("gitlab", "gitlab.com"),
        ("azure", "vstoken.dev.azure.com/ORGANIZATION-ID"),
    ],
)
def test_the_settings_name_the_project_and_the_jobs_of_its_ci_provider(
    workshop: Workshop, ci: str, issuer: str
) -> None:
    file = workshop.project({"cloud": "aws", "ci": ci}) / "infra/settings.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert settings["project"] == "flight-delays"
    assert settings["owner"] == "@ml-engineering"
    assert settings["ci"]["issuer"] == issuer
    assert [*settings["ci"]["jobs"]] == ["read", "publish", "staging", "production"]
    assert all("REPOSITORY" in subject for subject in settings["ci"]["jobs"].values())


def test_the_environments_differ_in_name_alias_and_number_of_tasks_only(infra: Path) -> None:
    staging, production = (
        (infra / f"envs/{name}/main.tf").read_text(encoding="utf-8").splitlines()
        for name in ("staging", "production")
    )
    differing = [
        line
        for line, other in zip(staging, production, strict=True)
        if line.replace("staging", "production") != other
    ]
    assert [re.sub(r"\W+.*", "", line.strip()) for line in differing] == ["", "alias", "tasks"]


def test_no_policy_allows_everything(infra: Path) -> None:
    """Neither every action nor, apart from reading, one action on every resource."""
    roles = (infra / "foundation/roles.tf").read_text(encoding="utf-8")
    assert '"*"' not in re.findall(r'Action\s*=\s*("[^"]*")', roles)
    assert "iam:Create" not in roles
    assert "AdministratorAccess" not in roles


@needs_terraform
def test_the_files_are_formatted(infra: Path) -> None:
    run(["terraform", "fmt", "-check", "-diff", "-recursive"], infra)
