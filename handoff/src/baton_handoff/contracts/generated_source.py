"""Generated Python source: rendered from a template, formatted as a project's own code."""

import subprocess
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Environment(
    autoescape=False,  # noqa: S701 - Python, not HTML
    keep_trailing_newline=True,
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    lstrip_blocks=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)


def render_source(template: str, **values: Any) -> str:
    """Render a template of `templates/`."""
    return _TEMPLATES.get_template(template).render(values)


def format_source(source: str) -> str:
    """Format source with ruff, in the line length of projects."""
    done = subprocess.run(
        ["ruff", "format", "--line-length", "100", "-"],
        input=source,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout
