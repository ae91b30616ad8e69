"""Apply a project's Terraform to a simulator of AWS (moto), deploy, use its buckets, destroy all.

Override files leave out what the simulator lacks: budgets, autoscaling, and the condition of the
statement that refuses requests without TLS.
"""

import os
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from tests.baton import run
from tests.test_infra import needs_provider, needs_terraform, plugins

pytestmark = [needs_terraform, needs_provider]

SETTINGS = {
    "OWNER/NAME": "acme/flight-delays",
    "DOMAIN": "ml.example.com",
    "clients: []": "clients: [203.0.113.0/24]",
    "alerts_to: []": "alerts_to: [on-call@example.com]",
}

# The simulator has one host name, so the bucket's name must be in the path.
PROVIDER = 'provider "aws" {\n  s3_use_path_style = true\n}\n'


def resource(kind: str, name: str, body: str) -> str:
    """Return the override of a resource."""
    return f'resource "{kind}" "{name}" {{\n{body}\n}}\n'


def ignoring(name: str) -> str:
    """Return the body of an override that ignores an attribute that the simulator does not keep."""
    return f"lifecycle {{\n ignore_changes = [{name}]\n}}"


OVERRIDES = {
    "state": PROVIDER,
    "envs/staging": PROVIDER,
    "foundation": PROVIDER
    + resource("aws_budgets_budget", "month", "count = 0")
    + resource("aws_lb", "main", "enable_deletion_protection = false")
    + resource("aws_db_instance", "tracking", "deletion_protection = false")
    + resource("aws_vpc_security_group_egress_rule", "connection", ignoring("description"))
    + resource("aws_vpc_security_group_ingress_rule", "connection", ignoring("description"))
    + resource("aws_vpc_security_group_egress_rule", "s3", ignoring("description"))
    + resource("aws_db_parameter_group", "tracking", ignoring("parameter"))
    + resource("aws_ecs_service", "tracking", ignoring("availability_zone_rebalancing")),
    "modules/service": resource("aws_appautoscaling_target", "service", "count = 0")
    + resource(
        "aws_appautoscaling_policy",
        "service",
        'count = 0\nservice_namespace = ""\nscalable_dimension = ""\nresource_id = ""',
    )
    + resource(
        "aws_ecs_service",
        "service",
        ignoring("availability_zone_rebalancing, health_check_grace_period_seconds, desired_count"),
    ),
    "modules/bucket": resource("aws_s3_bucket", "this", "force_destroy = true")
    + resource(
        "aws_s3_bucket_policy",
        "this",
        """policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(var.statements, [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::${var.name}/*"
    }])
  })""",
    ),
}

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/flight-delays/service@sha256:1"

STORE_AND_FETCH = """
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
store = get_artifact_repository({uri!r})
store.log_artifact("table.csv", "run")
print(open(store.download_artifacts("run/table.csv")).read(), end="")
"""


class Terraform:
    """Terraform in the configurations of one project."""

    def __init__(self, project: Path, aws: dict[str, str]) -> None:
        self.folder = project / "infra"
        self.env = aws | {"TF_CLI_ARGS_init": f"-plugin-dir={plugins()}", "TF_IN_AUTOMATION": "1"}

    def __call__(self, configuration: str, *arguments: str) -> str:
        command = ["terraform", f"-chdir={configuration}", *arguments]
        return run(command, self.folder, env=self.env).stdout

    def apply(self, configuration: str) -> None:
        """Initialise with the state's bucket, as the README does, and apply."""
        up = os.path.relpath(self.folder, self.folder / configuration)
        self(configuration, "init", f"-backend-config={up}/backend.hcl")
        self(configuration, "apply", "-auto-approve")


def client(name: str, aws: dict[str, str]) -> Any:
    """Return a client of a service of the simulator."""
    return boto3.client(
        name,
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=aws["AWS_REGION"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )


def buckets(aws: dict[str, str]) -> list[str]:
    """Return the names of the project's buckets, without the account."""
    listed = [one["Name"] for one in client("s3", aws).list_buckets()["Buckets"]]
    return [name[14:-13] for name in listed if name.startswith("flight-delays-")]


def fill_in(settings: Path, aws: dict[str, str]) -> None:
    """Replace all examples in the settings."""
    text = settings.read_text(encoding="utf-8")
    for example, value in SETTINGS.items():
        assert example in text
        text = text.replace(example, value)
    request = client("acm", aws).request_certificate(DomainName="*.ml.example.com")
    text = re.sub(r"(?m)^certificate: .*", f"certificate: {request['CertificateArn']}", text)
    settings.write_text(text, encoding="utf-8")


def test_terraform_validates_applies_deploys_serves_data_and_destroys(
    aws: dict[str, str], pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(cloud="aws")
    terraform = Terraform(project, aws)

    def uv(*arguments: str) -> str:
        env = terraform.env | {"TF_PLUGIN_CACHE_DIR": ""}
        return run(["uv", "run", "--locked", *arguments], project, env=env).stdout

    valid = uv("handoff", "check", "--only", "infrastructure")
    assert valid == "Every configuration in infra/ is valid, its tests pass.\n"

    for folder, text in OVERRIDES.items():
        (project / "infra" / folder / "simulator_override.tf").write_text(text, "utf-8")
    terraform("state", "init")
    backend = project / "infra/backend.hcl"
    with ThreadPoolExecutor(1) as pool:
        # The provider waits a minute for a rule of the bucket, which nothing else needs.
        state = pool.submit(terraform, "state", "apply", "-auto-approve")
        while "state" not in buckets(aws) and not state.done():
            time.sleep(1)
        backend.write_text(
            f'bucket = "flight-delays-state-123456789012"\nregion = "{aws["AWS_REGION"]}"\n'
            "encrypt = true\nuse_lockfile = true\n"
        )
        terraform("foundation", "init", "-backend-config=../backend.hcl")
        refused = run(
            ["terraform", "-chdir=foundation", "plan", "-no-color"],
            terraform.folder,
            env=terraform.env,
            check=False,
        )
        assert "infra/settings.yaml still has values in capital letters." in refused.stderr
        fill_in(project / "infra/settings.yaml", aws)
        terraform.apply("foundation")
        state.result()
    written = terraform("state", "output", "-raw", "backend")
    assert re.sub(" +", " ", written).strip() == backend.read_text().strip()
    terraform.apply("envs/staging")
    for configuration in ("foundation", "envs/staging"):
        terraform(configuration, "plan", "-detailed-exitcode")  # exits 2 if it has changes

    image = "/flight-delays/staging/image"
    client("ssm", aws).put_parameter(Name=image, Value=IMAGE, Overwrite=True)
    terraform("envs/staging", "apply", "-auto-approve")
    tasks = client("ecs", aws).describe_task_definition(taskDefinition="flight-delays-staging")
    (container,) = tasks["taskDefinition"]["containerDefinitions"]
    assert container["image"] == IMAGE
    terraform("envs/staging", "plan", "-detailed-exitcode")

    (project / "table.csv").write_text("a,b\n1,2\n")
    uv("dvc", "add", "table.csv")
    remote = terraform("foundation", "output", "-raw", "dvc_remote")
    uv("dvc", "remote", "add", "--default", "aws", remote)
    uv("dvc", "push", "table.csv")
    (project / "table.csv").unlink()
    shutil.rmtree(project / ".dvc/cache")
    uv("dvc", "pull", "table.csv")
    assert (project / "table.csv").read_text() == "a,b\n1,2\n"
    artifacts = terraform("foundation", "output", "-raw", "mlflow_artifacts")
    assert (
        uv("--with", "boto3", "python", "-c", STORE_AND_FETCH.format(uri=artifacts)) == "a,b\n1,2\n"
    )

    for configuration in ("envs/staging", "foundation"):
        terraform(configuration, "destroy", "-auto-approve")
        assert terraform(configuration, "state", "list") == ""
    assert buckets(aws) == ["state"]
