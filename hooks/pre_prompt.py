"""Before Cookiecutter asks anything: is copier, which makes the project, there?"""

import importlib.util
import sys

if importlib.util.find_spec("copier") is None:
    sys.exit(
        "Copier makes this project and is missing beside cookiecutter: "
        f"run `{sys.executable} -m pip install copier`, or `pipx inject cookiecutter copier`, "
        "or start with `uvx --with copier cookiecutter`."
    )
