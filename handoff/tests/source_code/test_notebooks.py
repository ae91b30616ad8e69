"""The reader of notebooks: the code that IPython would run, by cell and line."""

import ast
import json
from contextlib import suppress
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from baton_handoff.source_code.modules import Notebook, SourceError, parse_module
from baton_handoff.source_code.notebooks import code_cells, python_code, with_usual_kernel

CELLS = [
    "x = 1",
    "",
    "\n\n  \nx = 1",
    "if new:\n    !wget -q https://example.org/a.csv\nx = 1",
    "if new:\n    !wget -q \\\n      https://example.org/a.csv\nx = 1",
    "for name in names:\n    files = !ls {name}\n    print(files)",
    "d = !cat x",
    "d = ! cat x",
    "d['a=b'] = !cat x",
    "a, b = %magic one two",
    "found = %sql SELECT * \\\n  FROM trips\nfound.head()",
    "%matplotlib inline\nimport pandas as pd",
    "% matplotlib inline",
    "    %load_ext autoreload\n    x = 1",
    "!!ls",
    "!ls 'a b' \"c\"",
    "?print",
    "??print",
    "?",
    "print?",
    "trips.columns??",
    "pd.read_*?",
    "%time?",
    "x = 1 # what?",
    "x = 'what?'",
    "print('100 %')",
    "x = 7\ny = x %2",
    "x %= 3",
    "x = (1\n%2)",
    "text = '''\n!ls\n%cd\nwhat?\n'''",
    'text = """a\n%cd ..\n""" ; x = 1',
    "text = 'a \\\n%cd'",
    "f(\n  a,\n  # %cd\n  b=1)\n!ls",
    "x = [\n  1,\n]\n%cd ..",
    "if a == b: pass\n!ls",
    "f(a=1)\nx = {'k': '='}\ny = !ls",
    ",f a b",
    ";f a b",
    "/f a b",
    "%%bash\nls\npwd",
    "%%bash --out files\nls",
    "\n%%html\n<b>x</b>",
    "%%writefile a.py\nimport os\n",
    "%%!\nls",
    ">>> x = 1\n>>> for i in x:\n...     print(i)\n",
    "In [1]: x = 1\nIn [2]: y = 2",
    "await load()",
    "async with a as b:\n    !ls",
    "x = 1;\n",
    "lambda row: row['a']",
    "s = 'a' 'b' \"c\"  # '\n!ls",
    "s = '\\''\n!ls",
    "s = r'\\d'\n!ls",
    "s = f'{a!r} {b}'\n!ls",
    "x = a != b\ny = !ls",
    "x: str = 'a'\n%env A=1",
    "@decorator\ndef f(x=1):\n    !ls\n    return x",
    "x = 1\r\n!ls\r\n",
    "s = '''it's'''\n!ls",
    's = "it\'s"\n!ls',
    "s = 'a'''\n!ls",
]
"""Cells as people write them; each has one special case of IPython's syntax or of what looks so."""

MEASURED = {
    "%time trips = load()": "trips = load()",
    "g = %time trips.sum()": "g = trips.sum()",
    "if a:\n    %timeit -n 10 -r3 f(x)": "if a:\n    f(x)",
    "%%time\ntrips = load()\n!ls": "\ntrips = load()\nget_ipython().system('ls')",
    "%%timeit -n 5\nf(x)": "\nf(x)",
    "%%capture out\nf(x)": "out = None\nf(x)",
    "%%capture --no-stderr\nf(x)": "\nf(x)",
    "%prun f(x)": "f(x)",
    "%lprun -f f -m a f(x)": "f(x)",
    "%time !ls": "get_ipython().system('ls')",
}
"""IPython passes this code to a magic as text; the reader shows it as the code that it is."""


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_is_read_as_ipython_reads_it(cell: str) -> None:
    code = python_code(cell)
    ipython = TransformerManager()  # type: ignore[no-untyped-call]
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(ipython.transform_cell(cell)))
    assert len(code.splitlines()) <= len(cell.splitlines())


@pytest.mark.parametrize(("cell", "code"), MEASURED.items())
def test_code_that_a_magic_only_measures_is_read(cell: str, code: str) -> None:
    assert python_code(cell) == code


def notebook(*sources: object, **metadata: Any) -> str:
    """The text of a notebook with these cells."""
    cells = [{"cell_type": "code", "source": source, "outputs": []} for source in sources]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4})


def test_a_command_does_not_hide_the_code_of_its_cell() -> None:
    text = notebook("if new:\n    !wget a.csv", ["d = !cat x\n", "trips = read(d)\n"], "def half(")
    module = parse_module("a.ipynb", text)
    assert isinstance(module, Notebook)
    names = [node.id for node in module.nodes(ast.Name) if isinstance(node.ctx, ast.Store)]
    assert names == ["d", "trips"]
    assert [module.location(node.lineno) for node in module.nodes(ast.Assign)] == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 100_000,
        '{"cells": 1}',
        '{"cells": [1]}',
        '{"cells": [{}]}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": null}]}',
        '{"cells": [{"cell_type": "code", "source": [1]}]}',
        '{"cells": [], "metadata": []}',
        '{"cells": [], "metadata": {"kernelspec": 1}}',
        '{"worksheets": [1]}',
    ],
    ids=range(12),
)
def test_what_is_no_notebook_is_one_error(text: str) -> None:
    with suppress(SourceError):
        assert parse_module("a.ipynb", text).tree.body == []


def test_a_notebook_with_large_outputs_is_read() -> None:
    output = {"output_type": "display_data", "data": {"image/png": "A" * 20_000_000}}
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [output]}
    assert parse_module("a.ipynb", json.dumps({"cells": [cell]})).tree.body
    assert not parse_module("a.ipynb", '{"cells": []}').tree.body


def test_a_notebook_of_the_format_3_is_read() -> None:
    cell = {
        "cell_type": "code",
        "input": ["x = 1\n", "!ls"],
        "prompt_number": 3,
        "language": "python",
    }
    error = {"output_type": "pyerr"}
    text = json.dumps({"worksheets": [{"cells": [{**cell, "outputs": [error]}]}], "nbformat": 3})
    (found,) = code_cells(text)
    assert found.count == 3
    assert found.has_error
    assert ast.parse(found.code).body


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"language": "R", "name": "ir"}},
        {"language_info": {"name": "julia"}},
    ],
)
def test_the_code_of_another_language_is_not_read_as_python(metadata: dict[str, Any]) -> None:
    module = parse_module("a.ipynb", notebook("x = 1\ny <- 2", **metadata))
    assert isinstance(module, Notebook)
    assert module.tree.body == []
    assert module.code[0].source == "x = 1\ny <- 2"


def test_the_kernel_of_one_machine_becomes_the_usual_one() -> None:
    text = json.dumps(
        json.loads(notebook("x = 'ü'", kernelspec={"name": "conda-env-x", "language": "python"})),
        indent=1,
        ensure_ascii=False,
    )
    changed, replaced = with_usual_kernel(f"{text}\n")
    assert replaced == "conda-env-x"
    assert json.loads(changed)["metadata"]["kernelspec"]["name"] == "python3"
    before, after = text.splitlines(), changed.splitlines()
    assert [line for line in after if line not in before] == [
        '   "name": "python3",',
        '   "language": "python",',
        '   "display_name": "Python 3 (ipykernel)"',
    ]
    assert with_usual_kernel(changed) == (changed, "")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", notebook(kernelspec={"name": "ir", "language": "R"})]
)
def test_what_is_no_python_notebook_keeps_its_text(text: str) -> None:
    assert with_usual_kernel(text) == (text, "")
