"""A notebook's code, a cell at a time."""

import json


def code_cells(text: str) -> list[str]:
    """The code of every cell, without what only IPython understands; lines stay where they are.

    Raises:
        ValueError, KeyError, TypeError: It is no notebook.
    """
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return [_python("".join(cell["source"])) for cell in cells]


def _python(source: str) -> str:
    lines = ["" if line.lstrip()[:1] in ("%", "!") else line for line in source.splitlines()]
    return "\n".join(lines)
