"""Git compares and merges notebooks with nbdime, cell by cell, in one clone of a repository."""

from pathlib import Path

from baton_handoff.core.git import git

_NAME = "nbdime.config"
"""The file in the git folder with the drivers, and the value of `include.path`."""

UNDO = f"git config --local --unset-all include.path {_NAME}"
"""The command that brings back git's own comparison: attributes without a driver change nothing."""

_ATTRIBUTES = "*.ipynb diff=jupyternotebook merge=jupyternotebook"

_FOUND = "{uv} python -c 'import nbdime' 2>/dev/null"
_DIFF = (
    f'f() {{{{ if {_FOUND}; then {{uv}} git-nbdiffdriver diff "$@";'
    # It exits 1 if the files differ, which git takes for an error; 2 is one.
    ' else diff -u "$2" "$5"; test $? -le 1; fi; }}; f'
)
_MERGE = (
    f'f() {{{{ if {_FOUND}; then {{uv}} git-nbmergedriver merge "$@";'
    ' else git merge-file "$2" "$1" "$3"; fi; }}; f %O %A %B %L %P'
)
"""Git runs them in the root of the repository. Without nbdime they do what git does."""


def use_nbdime(root: Path) -> bool:
    """Make git compare and merge notebooks with nbdime, in this clone only.

    A clone in which somebody has undone that stays so, until its file with the drivers is deleted.

    Returns:
        Whether git did otherwise before.
    """
    found = git(root, "rev-parse", "--path-format=absolute", "--git-common-dir").strip()
    folder, prefix = Path(found), git(root, "rev-parse", "--show-prefix").strip()
    uv = f"uv run --quiet --no-sync --project './{prefix}'"
    file, attributes = folder / _NAME, folder / "info" / "attributes"
    is_new = not file.exists()
    file.write_text(f"# Written by `uv run poe setup`. To undo it: {UNDO}\n", encoding="utf-8")
    for key, value in (
        ("diff.jupyternotebook.command", _DIFF.format(uv=uv)),
        ("merge.jupyternotebook.name", "cell by cell"),
        ("merge.jupyternotebook.driver", _MERGE.format(uv=uv)),
    ):
        git(root, "config", "--file", str(file), key, value)
    if not is_new:
        return False
    attributes.parent.mkdir(exist_ok=True)
    lines = attributes.read_text(encoding="utf-8").splitlines() if attributes.exists() else []
    if _ATTRIBUTES not in lines:
        text = "".join(f"{line}\n" for line in [*lines, _ATTRIBUTES])
        attributes.write_text(text, encoding="utf-8", newline="\n")
    git(root, "config", "--local", "--add", "include.path", _NAME)
    return True
