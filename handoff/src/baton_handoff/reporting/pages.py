"""HTML and Markdown, rendered from the Jinja2 templates in `templates/`."""

import html
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from baton_handoff.reporting.findings import single_line

_TEMPLATES = Path(__file__).with_name("templates")


def render_html(template: str, **values: Any) -> str:
    """Render a template whose values are escaped as HTML.

    A template that extends `page.html` and sets `title` gives a page that loads nothing: the style
    sheet is part of it, and images are `data:` addresses. The filter `prose` shows a message on one
    line, with the text between backticks as code.

    Args:
        template: The template's path below `templates/`.
        values: What the template refers to, by name.

    Returns:
        The whole text, with a line break at its end.
    """
    return template_environment().get_template(template).render(values)


def render_markdown(template: str, **values: Any) -> str:
    """Render a template whose values are escaped as Markdown: each stays text on one line.

    Text between backticks stays code. Use the filter `safe` for a value that is Markdown.

    Returns:
        The whole text, with a line break at its end.
    """
    return template_environment(_markdown).get_template(template).render(values)


def prose(text: str) -> Markup:
    """Return a message as HTML on one line, the text between backticks as code."""
    escaped = str(escape(single_line(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # noqa: S704


@cache
def template_environment(finalize: Callable[[Any], Any] | None = None) -> Environment:
    """Return the environment of the templates.

    Args:
        finalize: Escapes each value; None to escape them as HTML.
    """
    environment = Environment(
        autoescape=True,
        finalize=finalize,
        keep_trailing_newline=True,
        loader=FileSystemLoader(_TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["prose"] = prose
    return environment


def _markdown(value: Any) -> Markup:
    """Escape a value for Markdown, also in a cell of a table."""
    if isinstance(value, Markup):
        return value
    pieces = re.split(r"(`[^`]+`)", single_line(str(value)))
    # A bar would end a table's cell, in code too.
    pieces[1::2] = [piece.replace("|", "\\|") for piece in pieces[1::2]]
    pieces[::2] = [_plain(piece) for piece in pieces[::2]]
    return Markup("".join(pieces))  # noqa: S704 - escaped piece by piece


def _plain(text: str) -> str:
    marked = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text)
    # A comment must neither mention a user nor link another thread.
    return html.escape(marked, quote=False).replace("@", "&#64;").replace("://", ":&#47;/")
