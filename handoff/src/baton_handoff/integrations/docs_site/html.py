"""What pages are made of: Markdown, and tables as HTML, which can hold anything."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from baton_handoff.contracts.dictionary import DictionaryColumn
from baton_handoff.contracts.sentences import RuleText


def page(title: str, *parts: str, without: str = "navigation, toc") -> str:
    """A page, without the columns beside it that it has no use for."""
    head = f"---\nhide: [{without}]\n---"
    return "\n\n".join([head, f"# {title}", *filter(None, parts)]) + "\n"


def rules_of(column: DictionaryColumn) -> list[RuleText]:
    """What a column's values must be, and whether it must be there."""
    return [*column.rules, *([] if column.required else [RuleText("may be left out")])]


def rule_html(rule: RuleText) -> str:
    """A rule; a long list of values opens when it is asked for."""
    if rule.short == str(rule):
        return escape(str(rule))
    values = ", ".join(rule.values)
    return f"<details><summary>{escape(rule.short)}</summary>{escape(values)}</details>"


def linked(text: str, links: Mapping[str, str]) -> str:
    """A type, for example, in which every name that has a place leads there."""

    def link(word: re.Match[str]) -> str:
        return f'<a href="{links[word[0]]}">{word[0]}</a>' if word[0] in links else word[0]

    return re.sub(r"\w+", link, escape(text))


def code(text: str) -> str:
    """Text as code, nothing where there is none."""
    return f"<code>{escape(text)}</code>" if text else ""


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are HTML, and what is empty in all rows is left out."""
    used = [place for place in range(len(head)) if any(row[place] for row in rows)]
    titles = "".join(f"<th>{escape(head[place])}</th>" for place in used)
    cells = ("".join(f"<td>{row[place]}</td>" for place in used) for row in rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def html_list(rules: Iterable[RuleText]) -> str:
    """Rules as a list, nothing where there are none."""
    items = "".join(f"<li>{escape(str(rule))}</li>" for rule in rules)
    return f"<ul>{items}</ul>" if items else ""
