"""Notebooks written as text: `# %%` begins a cell, as in jupytext's percent format."""

import json
import re

from baton_handoff.source_code.modules import Notebook, parse_module


def notebook_text(text: str) -> str:
    """The content of a notebook file."""
    sources = re.split(r"^# %%.*\n?", text.strip("\n"), flags=re.MULTILINE)
    cells = [
        {"cell_type": "code", "source": source.strip("\n").splitlines(keepends=True), "outputs": []}
        for source in sources
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def notebook(text: str, file: str = "notebooks/a.ipynb") -> Notebook:
    """A parsed notebook."""
    module = parse_module(file, notebook_text(text))
    assert isinstance(module, Notebook)
    return module
