"""After Cookiecutter's questions: copier checks the answers and makes the project.

What comes out is a copier project, the same as by `copier copy`. Where an answer is refused, this
exits with 1 and Cookiecutter removes the folder again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import copier
from copier.errors import CopierError

CONTEXT = json.loads(r"""{{ cookiecutter | tojson }}""")


def source(template: str) -> str:
    """Where copier finds the template now and at every update: an address or an absolute path."""
    started_in = os.environ.get("PWD", ".")
    for folder in (started_in, CONTEXT["_output_dir"]):
        local = Path(folder, template).expanduser()
        if (local / "copier.yml").is_file():
            return str(local.resolve())
    if ":" in template:
        return template
    # `cookiecutter baton` names an earlier clone, which knows where it came from.
    origin = ["git", "-C", CONTEXT["_repo_dir"], "remote", "get-url", "origin"]
    return subprocess.run(origin, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Make the project in the folder that Cookiecutter has just made."""
    Path("made-by-copier").unlink()
    answers = {name: value for name, value in CONTEXT.items() if not name.startswith("_")}
    try:
        copier.run_copy(
            source(CONTEXT["_template"]),
            Path.cwd(),
            data=answers,
            vcs_ref=CONTEXT["_checkout"],
            defaults=True,
            overwrite=True,
        )
    except (CopierError, ValueError) as refusal:
        sys.exit(str(refusal))


main()
