"""Secrets in files and notebooks are found with their place, and no message contains one."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.integrations.hooks import use_usual_kernels
from baton_handoff.reporting.findings import render
from baton_handoff.source_code.secrets import find_secrets
from trip_project import SETTINGS, git

LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5kL7nP9rS"

SECRETS = {
    "AWS": f"key = 'AKIA{LETTERS[:16].upper()}'",
    "GitHub": f"token = 'ghp_{LETTERS[:36]}'",
    "Slack": f"hook('xoxb-{'123456789012'}-{'123456789012'}-{LETTERS[:24]}')",
    "Stripe": f"stripe.api_key = 'sk_live_{LETTERS[:24]}'",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{LETTERS}\n{LETTERS}\n-----END",
    "address": "engine = connect('postgresql://anna:tR4in5-9x@db.trips.internal/trips')",
    "password": "password = 'tR4in5-9xQ'",
    "key": f"api_key = '{LETTERS[:20]}'",
    "JWT": "h = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0'",
}
"""A line of each kind; put together here, so that no scanner takes this file for a leak."""

HARMLESS = [
    "password = os.environ['PASSWORD']",
    "token = params['token']",
    "password = '<your password>'",
    "api_key = None",
    "digest = '9e107d9d372bb6826bd81d3542a419d6'",
    "commit = '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12'",
    "columns = ['tokens', 'secret_santa']",
    "address = 'https://example.org/a?b=c'",
    "url = f'postgresql://{user}:{password}@db/trips'",
    "import secrets",
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a repository of its own."""
    (tmp_path / "handoff.toml").write_text(SETTINGS, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    return find_project(tmp_path)


def notebook(source: str, printed: str = "", text: str = "") -> str:
    outputs = [{"output_type": "stream", "text": [printed]}] if printed else []
    code = {"cell_type": "code", "source": source, "outputs": outputs, "execution_count": None}
    return json.dumps({"cells": [{"cell_type": "markdown", "source": [text]}, code], "nbformat": 4})


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_in_a_file_and_in_each_part_of_a_notebook(
    project: Project, kind: str
) -> None:
    line = SECRETS[kind]
    (project.root / "a.py").write_text(f"x = 1\n{line}\n", encoding="utf-8")
    for name, given in {
        "source": notebook(f"x = 1\n{line}"),
        "output": notebook("x = 1", printed=line),
        "text": notebook("x = 1", text=line),
    }.items():
        (project.root / f"{name}.ipynb").write_text(given, encoding="utf-8")
    found = find_secrets(project)
    places = {one.place: one for one in found}
    assert {one.file for one in found} == {"a.py", "source.ipynb", "output.ipynb", "text.ipynb"}
    if kind != "private key":
        assert {"a.py:2", "source.ipynb, cell 1, line 2"} <= set(places)
    assert all(one.blocks for one in found)
    for form in ("terminal", "json", "sarif"):
        assert line not in render(found, form, "")
        assert LETTERS[:16] not in render(found, form, "")


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_looks_like_a_secret_is_not_found(project: Project, line: str) -> None:
    (project.root / "a.py").write_text(f"{line}\n", encoding="utf-8")
    (project.root / "a.ipynb").write_text(notebook(line, printed=line), encoding="utf-8")
    assert find_secrets(project) == []


def test_terraform_refers_to_secrets_and_only_a_quoted_one_is_found(project: Project) -> None:
    references = """\
secret         = aws_secretsmanager_secret.application[name].arn
password       = var.password
api_key        = data.aws_ssm_parameter.key.value
secret         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:flights-1"
secrets_manager_secret_id = aws_secretsmanager_secret.tracking.id
manage_master_user_password   = true
master_user_secret_kms_key_id = aws_kms_key.main.key_id
"""
    (project.root / "main.tf").write_text(references, encoding="utf-8")
    assert find_secrets(project) == []
    literal = SECRETS["password"].replace("'", '"')
    (project.root / "main.tf").write_text(f"{references}{literal}\n", encoding="utf-8")
    assert [one.place for one in find_secrets(project)] == ["main.tf:8"]


def test_a_reviewed_false_positive_is_accepted(project: Project) -> None:
    marked = f"{SECRETS['password']}  # pragma: allowlist secret"
    (project.root / "a.py").write_text(f"{marked}\n", encoding="utf-8")
    (project.root / "a.ipynb").write_text(notebook(marked), encoding="utf-8")
    assert find_secrets(project) == []

    (project.root / "b.py").write_text(f"{SECRETS['key']}\n", encoding="utf-8")
    assert len(find_secrets(project)) == 1
    digest = hashlib.sha1(LETTERS[:20].encode()).hexdigest()
    for is_secret, left in ((None, 1), (True, 1), (False, 0)):
        entry = {"hashed_secret": digest, "is_secret": is_secret}
        baseline = {"results": {"b.py": [{k: v for k, v in entry.items() if v is not None}]}}
        (project.root / ".secrets.baseline").write_text(json.dumps(baseline), encoding="utf-8")
        assert len(find_secrets(project)) == left


def test_the_hook_sees_what_is_staged(project: Project) -> None:
    file = project.root / "a.py"
    file.write_text(SECRETS["key"], encoding="utf-8")
    git(project.root, "add", "a.py")
    file.write_text("x = 1\n", encoding="utf-8")
    assert [one.file for one in find_secrets(project, staged=True)] == ["a.py"]
    assert find_secrets(project) == []


def test_files_that_are_no_text_are_left_out(project: Project) -> None:
    (project.root / "a.bin").write_bytes(b"\0" + SECRETS["key"].encode())
    (project.root / "latin.py").write_bytes(b"# \xe9\n" + SECRETS["key"].encode())
    (project.root / "broken.ipynb").write_text("{" + SECRETS["key"], encoding="utf-8")
    assert {one.file for one in find_secrets(project)} == {"latin.py", "broken.ipynb"}


def test_the_hook_replaces_the_kernel_of_one_machine(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {"name": "conda-env-x", "language": "python", "display_name": "x"}
    given = {**json.loads(notebook("x = 1")), "metadata": {"kernelspec": spec}}
    for name in ("a.ipynb", "partly.ipynb"):
        (project.root / name).write_text(json.dumps(given, indent=1), encoding="utf-8")
    git(project.root, "add", ".")
    changed = json.dumps({**given, "nbformat_minor": 5}, indent=1)
    (project.root / "partly.ipynb").write_text(changed, encoding="utf-8")
    use_usual_kernels(replace(project))
    staged = git(project.root, "show", ":a.ipynb")
    assert json.loads(staged)["metadata"]["kernelspec"]["name"] == "python3"
    assert (project.root / "a.ipynb").read_text(encoding="utf-8") == staged
    assert "conda-env-x" in git(project.root, "show", ":partly.ipynb")
    message = capsys.readouterr().out
    assert "a.ipynb" in message
    assert "conda-env-x" in message
