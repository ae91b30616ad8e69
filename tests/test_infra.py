"""The Terraform folder of a project on AWS matches its README, and Terraform accepts it.

`tests/system/test_infra_applies.py` applies it to a simulator of AWS.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hcl2.utils import SerializationOptions

from tests.baton import Workshop, run

PLAIN = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)


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


@pytest.fixture(scope="module")
def resources(infra: Path) -> dict[str, dict[str, Any]]:
    """Return every resource by its type, parsed from all files."""
    parsed = [
        hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=PLAIN)
        for path in [*infra.glob("*.tf"), *infra.glob("*.tfvars")]
    ]
    return {
        kind: resource
        for document in parsed
        for block in document.get("resource", [])
        for kind, named in block.items()
        for resource in named.values()
    }


def test_a_project_without_a_cloud_has_no_infra(default_project: Path) -> None:
    assert not (default_project / "infra").exists()


def test_resource_names_begin_with_the_project_name(infra: Path) -> None:
    answered = (infra / "terraform.tfvars").read_text(encoding="utf-8")
    assert answered == 'project = "flight-delays"\n'


def test_the_bucket_is_versioned_encrypted_and_private(resources: dict[str, Any]) -> None:
    (versioning,) = resources["aws_s3_bucket_versioning"]["versioning_configuration"]
    assert versioning["status"] == "Enabled"
    (rule,) = resources["aws_s3_bucket_server_side_encryption_configuration"]["rule"]
    assert rule["apply_server_side_encryption_by_default"] == [{"sse_algorithm": "AES256"}]
    block = resources["aws_s3_bucket_public_access_block"]
    assert {name for name, value in block.items() if value is True} == {
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    }


def test_images_are_scanned_and_their_tags_are_immutable(resources: dict[str, Any]) -> None:
    registry = resources["aws_ecr_repository"]
    assert registry["image_tag_mutability"] == "IMMUTABLE"
    assert registry["image_scanning_configuration"] == [{"scan_on_push": True}]


@needs_terraform
def test_the_files_are_formatted(infra: Path) -> None:
    run(["terraform", "fmt", "-check", "-diff"], infra)


@needs_terraform
@needs_provider
def test_terraform_validates_the_files(infra: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(infra, tmp_path / "infra")
    run(["terraform", "init", "-no-color", f"-plugin-dir={plugins()}"], folder)
    run(["terraform", "validate", "-no-color"], folder)
