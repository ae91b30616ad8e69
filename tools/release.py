"""Release the template, or list what a release would cost projects at their next update.

`python tools/release.py` compares the work tree with the last tags, lists every problem, and exits
1 if there is one; otherwise it names the tag to set. With `--release` it needs a clean work tree,
and then writes the wheel, and into CHANGELOG.md the date, the practices and the tools. It commits
and tags nothing.
"""

import datetime
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "handoff/src")]

from baton_handoff.updates.changelog import RECEIVED  # noqa: E402
from baton_handoff.updates.template import releases  # noqa: E402

from tools.derive import stale  # noqa: E402
from tools.release_rules import State, changed_practices, changed_tools, problems, read_state  # noqa: E402
from tools.wheel import write as write_wheel  # noqa: E402

LAST = 5
"""How many releases a new one is compared with: projects skip some."""


def released(root: Path) -> dict[str, State]:
    """The last releases of a repository by their tag, the newest first."""
    states = {}
    for tag in releases(_git(root, "tag", "--list").split())[:LAST]:
        packed = subprocess.run(
            ["git", "archive", "--format=zip", tag], cwd=root, capture_output=True, check=True
        ).stdout
        with TemporaryDirectory() as folder:
            with ZipFile(BytesIO(packed)) as archive:
                archive.extractall(folder)
            states[tag] = read_state(Path(folder))
    return states


def found_in(before: dict[str, State], after: State) -> Iterator[str]:
    """Every problem of a release once, with the newest tag against which it shows."""
    own = [*problems(None, after)]
    yield from own
    if f"v{after.version}" in before:
        yield (
            f"The tag v{after.version} exists already: raise the version in handoff/pyproject.toml,"
            " and give it a section in CHANGELOG.md."
        )
    seen = {*own}
    for tag, state in before.items():
        for problem in problems(state, after):
            if problem not in seen:
                seen.add(problem)
                yield f"{tag}: {problem}"


def dated(
    changelog: str, version: str, day: datetime.date, before: State | None, after: State
) -> str:
    """The changelog with the date of a version, and the practices and tools that it changes."""
    changelog = changelog.replace(f"## {version} - Unreleased", f"## {version} - {day}", 1)
    head, title, rest = changelog.partition(f"## {version} - ")
    section, following, tail = rest.partition("\n## ")
    received, other, repository = section.partition("\n### This repository")
    for kind, lines in (
        ("Practices", [*changed_practices(before, after)] if before else []),
        ("Tools", [*changed_tools(before, after)] if before else []),
    ):
        if lines and f"### {RECEIVED}" in received and f"#### {kind}\n" not in received:
            items = "\n".join(f"- {line}" for line in lines)
            received = f"{received.rstrip()}\n\n#### {kind}\n\n{items}\n"
    return "".join([head, title, received, other, repository, following, tail])


def release(root: Path, day: datetime.date) -> int:
    """Prepare a release: the wheel, the date in the changelog, the checks.

    Args:
        root: The repository's folder.
        day: The date of the release.

    Returns:
        0 the release can be committed and tagged; 1 something has to be done first.
    """
    if changed := _git(root, "status", "--porcelain").splitlines():
        print(
            f"There are changes that are not committed ({changed[0].strip()} …): commit them first."
        )
        return 1
    before, after = released(root), read_state(root)
    newest = next(iter(before.values()), None)
    text = dated(after.changelog, after.version, day, newest, after)
    outdated = [f"{path.relative_to(root)} is outdated: `make derive`." for path in stale(root)]
    if found := [*outdated, *found_in(before, replace(after, changelog=text))]:
        print("\n".join([*found, "The release is refused; nothing was written."]))
        return 1
    write_wheel(root)
    (root / "CHANGELOG.md").write_text(text, encoding="utf-8")
    tag, written = f"v{after.version}", _git(root, "status", "--porcelain")
    if written:
        print(
            f"{written}\nLook at `git diff`. Then:\n"
            f"  git add --all && git commit -m 'Release {tag}'"
        )
    print(f"  git tag {tag} && git push origin HEAD {tag}")
    return 0


def check(root: Path) -> int:
    """List what a release of the work tree would cost projects."""
    after = read_state(root)
    if found := [*found_in(released(root), after)]:
        print("\n".join(found))
        return 1
    print(f"No update loses anything: `make release`, then `git tag v{after.version}`.")
    return 0


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    if "--release" in sys.argv[1:]:
        sys.exit(release(ROOT, datetime.datetime.now(tz=datetime.UTC).date()))
    sys.exit(check(ROOT))
