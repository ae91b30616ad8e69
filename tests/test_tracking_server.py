"""The files for a team's tracking server are valid, pinned, and private by default.

`tests/system/test_shared_backends.py` runs them, as far as possible without Docker.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.baton import ROOT, git, run

FOLDER = ROOT / "template/standards/tracking-server"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Return the parsed compose file."""
    parsed: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    """Return its services by name."""
    started: dict[str, Any] = compose["services"]
    return started


def pins(requirements: list[str]) -> set[tuple[str, str]]:
    """Return name and version of each exact requirement, without its markers."""
    return set(re.findall(r"(?m)^([\w.-]+)==(\S+)", "\n".join(requirements)))


def test_the_compose_file_is_valid_by_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    run(["check-jsonschema", *schema, FOLDER / "compose.yaml"], ROOT)


@pytest.fixture(scope="module")
def dockerfile(services: dict[str, Any]) -> str:
    """Return the Dockerfile in the compose file, with the default of its variable."""
    text: str = services["server"]["build"]["dockerfile_inline"]
    return re.sub(r"\$\{BASE_IMAGE:-(.*?)\}", r"\1", text)


def test_the_dockerfile_has_no_linter_finding(dockerfile: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    run(["hadolint", tmp_path / "Dockerfile"], ROOT)


def test_the_server_has_the_versions_that_the_standards_are_tested_with() -> None:
    machinery = ROOT / "template/standards/pyproject.toml"
    extras = tomllib.loads(machinery.read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    proved = pins([*extras["proved"], *extras["proved-aws"]])
    server = pins((FOLDER / "requirements.txt").read_text(encoding="utf-8").splitlines())
    shared = {name for name, _ in proved} & {name for name, _ in server}
    assert {"mlflow", "botocore", "sqlalchemy"} <= shared
    assert {pin for pin in server if pin[0] in shared} <= proved


def test_every_image_is_an_exact_version(services: dict[str, Any], dockerfile: str) -> None:
    (base,) = re.findall(r"(?m)^FROM (.*)", dockerfile)
    images = [base, *(service["image"] for service in services.values() if "image" in service)]
    assert len(images) == 3
    assert [image for image in images if not re.search(r":\d+\.\d+(\.\d+)?(-|$)", image)] == []


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    secrets = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|KEY", name)
    }
    assert len(secrets) >= 5
    loose = {
        name: value
        for name, value in secrets.items()
        if value is not None and not re.fullmatch(r"\$\{\w+:\?[^}]+\}", value)
    }
    assert loose == {}


def test_ports_are_published_on_the_loopback_interface_only(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert [port for port in published if not port.startswith("${LISTEN:-127.0.0.1}:")] == []


def test_every_service_has_a_health_check_and_a_restart_policy(services: dict[str, Any]) -> None:
    once = "bucket"
    for name, service in services.items():
        assert ("healthcheck" in service) == (name != once)
        assert service.get("restart") == (None if name == once else "unless-stopped")


def test_a_team_with_a_cloud_starts_no_object_store(services: dict[str, Any]) -> None:
    always = {name for name, service in services.items() if "profiles" not in service}
    assert always == {"server", "database"}


def test_the_store_refuses_to_start_without_keys(services: dict[str, Any]) -> None:
    """SeaweedFS without keys would accept every client."""
    entrypoint = [part.replace("$$", "$") for part in services["s3"]["entrypoint"]]
    guard = [part.replace("exec /entrypoint.sh", "echo starts") for part in entrypoint]
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    given = run([*guard, "server"], ROOT, env=keys)
    assert given.stdout == "starts server\n"
    for missing in keys:
        refused = run([*guard, "server"], ROOT, env=keys | {missing: ""}, check=False)
        assert refused.returncode != 0
        assert refused.stdout == ""


def test_git_ignores_the_file_with_the_secrets(default_project: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_bytes((default_project / ".gitignore").read_bytes())
    git(tmp_path, "check-ignore", "standards/tracking-server/.env")
