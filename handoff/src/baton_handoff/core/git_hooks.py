"""The hook of a repository that runs the hooks of the projects in it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from baton_handoff.core.environments import ENVIRONMENT
from baton_handoff.core.files import text_of
from baton_handoff.core.git import git, git_or_none, run_git

CALL = "handoff hooks"
"""What a hook runs in the folder of each project whose files are committed."""

_PROGRAMS = ("$HOME/.local/bin", "$HOME/.uv/bin")
"""Folders in which people install uv, and which an editor started from the desktop may not know."""

_SCRIPT = f"""\
#!/bin/sh
# Written by `uv run poe setup`. It runs `{CALL}` in each project whose files are committed;
# a commit of other files needs neither the project nor uv.
other="$(dirname "$0")/pre-commit.other"
if [ -x "$other" ]; then "$other" "$@" || exit 1; fi
case "$GIT_INDEX_FILE" in
  ''|/*|[A-Za-z]:*) ;;
  *) GIT_INDEX_FILE="$PWD/$GIT_INDEX_FILE"; export GIT_INDEX_FILE ;;
esac
PATH="$PATH:{":".join(_PROGRAMS)}"; export PATH
git -c core.quotePath=false ls-files -- handoff.toml '*/handoff.toml' |
while IFS= read -r file; do
  folder=$(dirname "$file")
  [ -f "$folder/.pre-commit-config.yaml" ] || continue
  git diff --cached --quiet -- "$folder" && continue
  (
    cd "$folder" || exit 2
    [ ! -f {ENVIRONMENT}/uv.lock ] || export UV_PROJECT={ENVIRONMENT}
    # No absolute path: containers and work trees share this file, and folders move. An environment
    # that is absent here is created from the lock; one that is present is used as it is.
    environment=--no-sync
    uv run --quiet --no-sync python -c 'import baton_handoff' 2>/dev/null || environment=--frozen
    exec uv run --quiet $environment python -m baton_{CALL}
  ) </dev/null && continue
  code=$?
  if [ $code -gt 1 ]; then
    echo "The hooks of $folder can't run. If uv is missing, install it." >&2
    echo "Otherwise prepare the project in this work tree; run there: uv run poe setup" >&2
  fi
  exit 1
done
"""

CONFIGURATION = ".pre-commit-config.yaml"
"""The file of a project with its hooks."""

_INTERPRETER = re.compile(r"^INSTALL_PYTHON=(['\"]?)(?P<python>.*?)\1$", re.MULTILINE)


def hook_folder(root: Path) -> Path:
    """The folder from which git runs the hooks of a repository, wherever settings put it."""
    found = git_or_none(root, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
    return Path(found) if found else root / ".git" / "hooks"


def foreign_hook_folder(root: Path) -> Path | None:
    """The folder that `core.hooksPath` names instead of the repository's own; None without it."""
    folder = hook_folder(root)
    common = git_or_none(root, "rev-parse", "--path-format=absolute", "--git-common-dir")
    own = not common or Path(common, "hooks").resolve() == folder.resolve()
    return None if own else folder


def hook_problem(root: Path) -> str | None:
    """Why no hook of a project runs before a commit on this machine; None if one does."""
    files = [hook_folder(root) / name for name in ("pre-commit", "pre-commit.legacy")]
    texts = [text_of(file) for file in files if file.is_file() and os.access(file, os.X_OK)]
    if any(CALL in text for text in texts):
        folders = [os.environ.get("PATH", os.defpath), *map(os.path.expandvars, _PROGRAMS)]
        found = shutil.which("uv", path=os.pathsep.join(folders))
        return None if found else "The hook starts uv, which is not on PATH"
    if (folder := foreign_hook_folder(root)) is not None:
        return f"Git runs the hooks in {folder} (core.hooksPath), which do not run this project's"
    if not texts or "pre-commit" not in texts[0].replace("#!/", ""):
        return "No hook runs before a commit on this machine"
    if git_or_none(root, "rev-parse", "--show-prefix"):
        return "The repository's hook runs in its root folder, not in this project"
    generated = _INTERPRETER.search(texts[0])
    if generated and not os.access(generated["python"], os.X_OK):
        return f"The hook starts {generated['python']}, which is not on this machine"
    return None


def install_hook(root: Path) -> Path | None:
    """Make git run the hooks of the projects of a repository; other hooks there still run.

    Returns:
        The hook; None if `core.hooksPath` names a folder that other repositories may share.
    """
    if foreign_hook_folder(root) is not None:
        return None
    folder = hook_folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / "pre-commit"
    text = text_of(hook)
    configuration = (
        f"--config={git_or_none(root, 'rev-parse', '--show-prefix') or ''}{CONFIGURATION}"
    )
    if _INTERPRETER.search(text) and configuration in text.replace("'", ""):
        text = ""  # an earlier set-up of this project wrote it
    elif _INTERPRETER.search(text):
        # It belongs to the repository around the project, and runs this file after itself.
        hook = folder / "pre-commit.legacy"
        text = text_of(hook)
    if text and CALL not in text:
        hook.rename(folder / "pre-commit.other")
    hook.write_text(_SCRIPT, encoding="utf-8", newline="\n")
    hook.chmod(0o755)
    return hook


@contextmanager
def project_repository(root: Path) -> Iterator[dict[str, str]]:
    """Yield variables with which git sees a project in a subfolder as a repository of its own.

    Its last commit and its index are the project's part of the real ones; its work tree is the
    project's folder. Nothing is written into the real repository.
    """
    prefix = git(root, "rev-parse", "--show-prefix").strip()
    index = os.environ.get("GIT_INDEX_FILE")  # git's own during `git commit FILE`
    staged = git(
        root,
        *("write-tree", f"--prefix={prefix}"),
        env={"GIT_INDEX_FILE": index} if index else None,
    ).strip()
    objects = git(root, "rev-parse", "--path-format=absolute", "--git-path", "objects").strip()
    with TemporaryDirectory(prefix="handoff-") as scratch:
        git(root, "init", "--quiet", "--bare", "--template=", scratch)
        Path(scratch, "objects/info").mkdir(exist_ok=True)
        Path(scratch, "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
        variables = {"GIT_DIR": scratch, "GIT_WORK_TREE": str(root)}
        git(root, "config", "core.bare", "false", env=variables)
        head = run_git(root, "rev-parse", "--verify", "--quiet", f"HEAD:{prefix.rstrip('/')}")
        if head.returncode == 0:
            person = {
                f"GIT_{role}_{part}": "handoff"
                for role in ("AUTHOR", "COMMITTER")
                for part in ("NAME", "EMAIL")
            }
            committed = git(
                root, "commit-tree", "-m", "HEAD", head.stdout.strip(), env=variables | person
            )
            git(root, "update-ref", "HEAD", committed.strip(), env=variables)
        git(root, "read-tree", staged, env=variables)
        run_git(root, "update-index", "-q", "--refresh", env=variables)
        yield variables
