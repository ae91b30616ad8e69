"""Reading notebooks: their cells, with the code that IPython would run. Nothing is run.

IPython itself is no dependency of the engine: a service and a check in CI do without it. The tests
compare the code with that of IPython's own transformer.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

KERNEL = "python3"
"""The kernel that every environment with ipykernel has."""

_MEASURING = {"capture", "lprun", "memit", "mprun", "prun", "snakeviz", "time", "timeit"}
"""Magics that run the Python code after them."""

_OPTIONS = re.compile(r"(?:-[fmTDu]\s+\S+\s+|-\w+(?:[ =]?\d+)?\s+)*")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.|In \[\d+\]:|\.{3,}:)(?: |$)")
_FIRST_PROMPT = re.compile(r"^\s*(?:>>>|In \[\d+\]:)(?: |$)")
_CELL_MAGIC = re.compile(r"%%(?P<name>[^\s?]+) ?(?P<line>.*)")
_HELP = re.compile(r"(?P<name>%{0,2}(?!\d)[\w*]+(?:\.[\w*]+|\[\d+\])*)(?P<mark>\?\??)\s*$")
_ESCAPE = re.compile(r"(?P<indent>\s*)(?P<mark>!!|!|\?\?|\?|[%,;/])(?P<rest>.*)")
_PART = re.compile(
    r"#.*"
    r"|(?P<quotes>\"\"\"|''')"
    r"|(?P<text>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
    r"|(?P<bracket>[(\[{])|(?P<closing>[)\]}])"
    r"|(?P<assigned>(?<![=!<>+\-*/%&|^:@])=(?!=))"
    r"|[^#'\"()\[\]{}=]+|."
)


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        source: Its text, as it is in the notebook.
        code: The Python code that IPython would make of it, line for line; blank in a notebook of
            another language.
        count: The number of its last run, None without one.
        outputs: Its saved outputs, as the notebook format has them.
    """

    source: str
    code: str
    count: int | None
    outputs: Sequence[Mapping[str, Any]]

    @property
    def has_error(self) -> bool:
        """Whether its last run ended with an error."""
        return any(output.get("output_type") in ("error", "pyerr") for output in self.outputs)


def code_cells(text: str) -> list[Cell]:
    """The code cells of a notebook of the format 3 or 4.

    Raises:
        ValueError, LookupError, TypeError or AttributeError: The text is no notebook.
    """
    notebook = json.loads(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    is_python = _language(notebook) in ("python", "ipython", "")
    return [_cell(cell, is_python=is_python) for cell in _cells(notebook)]


def notebook_texts(text: str) -> Iterator[tuple[int | None, bool, str]]:
    """Every text in a notebook that a person may have written or a cell may have printed.

    Yields:
        The number of the code cell, None for a text cell; whether it is an output; the text.

    Raises:
        ValueError, LookupError, TypeError or AttributeError: The text is no notebook.
    """
    notebook = json.loads(text)
    for sheet in notebook.get("worksheets", [notebook]):
        for cell in sheet["cells"]:
            if cell["cell_type"] != "code":
                yield None, False, "".join(cell["source"])
    for number, code in enumerate(code_cells(text), 1):
        yield number, False, code.source
        for output in code.outputs:
            data = output.get("data") or {}
            printed = [value for kind, value in data.items() if not kind.startswith("image/")]
            for one in (output.get("text"), output.get("traceback"), *printed):
                yield number, True, "".join(one) if isinstance(one, list) else str(one or "")


def with_usual_kernel(text: str) -> tuple[str, str]:
    """A Python notebook that names the kernel which every environment has.

    A kernel of an author's machine, `conda-env-x` for example, exists nowhere else.

    Returns:
        The new text, and the name of the kernel that it replaces; empty if nothing had to change.
    """
    try:
        notebook = json.loads(text)
        spec = notebook["metadata"]["kernelspec"]
        name = str(spec["name"])
        if name == KERNEL or _language(notebook) not in ("python", "ipython"):
            return text, ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return text, ""
    spec |= {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL}
    indent = re.match(r"\{\r?\n(\s+)", text)
    changed = json.dumps(notebook, indent=indent[1] if indent else None, ensure_ascii=False)
    return changed + "\n" * text.endswith("\n"), name


def python_code(source: str) -> str:
    """The Python code that IPython makes of a cell, line for line.

    Commands and magics become the calls that IPython makes of them. The code after a magic that
    only measures it (`%time`, `%%capture`) stays as it is.
    """
    lines = _without_prompts(source.splitlines())
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and (magic := _CELL_MAGIC.fullmatch(lines[first])):
        return _cell_magic(magic["name"], magic["line"].rstrip(), lines, first)
    return "\n".join(_commands_replaced(lines))


def _language(notebook: Mapping[str, Any]) -> str:
    metadata = notebook.get("metadata") or {}
    kernel, info = (metadata.get(name) or {} for name in ("kernelspec", "language_info"))
    return str(info.get("name") or kernel.get("language") or "").lower()


def _cells(notebook: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The code cells; the format 3 has them in worksheets."""
    sheets = notebook.get("worksheets", [notebook])
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        if cell["cell_type"] == "code":
            yield cell


def _cell(cell: Mapping[str, Any], *, is_python: bool) -> Cell:
    source = "".join(cell["source"] if "source" in cell else cell["input"])
    language = str(cell.get("language") or "python").lower()
    count = cell.get("execution_count", cell.get("prompt_number"))
    return Cell(
        source,
        python_code(source) if is_python and language == "python" else "\n" * source.count("\n"),
        count if isinstance(count, int) else None,
        [output for output in cell.get("outputs") or [] if isinstance(output, dict)],
    )


def _without_prompts(lines: Sequence[str]) -> list[str]:
    """The lines without pasted prompts and without the indentation that all of them have."""
    begin = next((line for line in lines if line.strip()), "")
    if _FIRST_PROMPT.match(begin):
        lines = [_PROMPT.sub("", line) for line in lines]
    return dedent("\n".join(lines)).split("\n")


def _cell_magic(name: str, line: str, lines: Sequence[str], first: int) -> str:
    body = lines[first + 1 :]
    if name in _MEASURING:
        # `%%capture out` assigns the name.
        target = line.rsplit(maxsplit=1)[-1] if name == "capture" and line else ""
        begin = f"{target} = None" if target.isidentifier() else ""
        return "\n".join([*[""] * first, begin, *_commands_replaced(body)])
    text = "".join(f"{one}\n" for one in body)
    call = f"get_ipython().run_cell_magic({name!r}, {line!r}, {text!r})"
    return "\n".join([*[""] * first, call, *[""] * len(body)])


def _commands_replaced(lines: Sequence[str]) -> Iterator[str]:
    """The lines with each command and magic replaced by Python code; their number stays."""
    quotes, depth, number = "", 0, 0
    while number < len(lines):
        line = lines[number]
        if not quotes and depth == 0 and (replaced := _replaced(lines, number)):
            code, length = replaced
            yield from (code, *[""] * (length - 1))
            number += length
            continue
        number += 1
        yield line
        quotes, depth, _ = _state_after(line, quotes, depth)
        while line.endswith("\\") and not quotes and number < len(lines):  # no statement begins
            line = lines[number]
            number += 1
            yield line
            quotes, depth, _ = _state_after(line, quotes, depth)


def _replaced(lines: Sequence[str], number: int) -> tuple[str, int] | None:
    """The Python code of a command that begins in a line, and its number of lines."""
    line = lines[number]
    asked = _HELP.search(line) if line.rstrip().endswith("?") else None
    if asked and not any(part[0][0] == "#" for part in _PART.finditer(line)):
        indent = line[: len(line) - len(line.lstrip())]
        return indent + _call(asked["mark"], asked["name"]), 1
    if found := _ESCAPE.fullmatch(line):
        command, length = _continued(lines, number, found.start("rest"))
        return found["indent"] + _call(found["mark"], command), length
    *_, assigned = _state_after(line, "", 0)
    value = _ESCAPE.fullmatch(line, assigned) if assigned is not None else None
    is_magic = value and value["mark"] == "%" and value["rest"][:1].isidentifier()
    if value is None or not (is_magic or value["mark"] == "!"):
        return None
    command, length = _continued(lines, number, value.start("rest"))
    return f"{line[:assigned]} {_call('=' if is_magic else '!!', command)}", length


def _continued(lines: Sequence[str], number: int, begin: int) -> tuple[str, int]:
    """A command that goes on in the next line after a backslash, and its number of lines."""
    parts = [lines[number][begin:]]
    while parts[-1].rstrip().endswith("\\") and number + len(parts) < len(lines):
        parts[-1] = parts[-1].rstrip()[:-1]
        parts.append(lines[number + len(parts)])
    return " ".join([*parts[:-1], parts[-1].rstrip()]), len(parts)


def _call(mark: str, command: str) -> str:
    """The Python code of a command, as IPython writes it."""
    name, _, rest = command.partition(" ")
    words = command.split()
    match mark:
        case "!":
            return f"get_ipython().system({command!r})"
        case "!!":
            return f"get_ipython().getoutput({command!r})"
        case "?" | "??":
            magic = "psearch" if "*" in command else "pinfo2" if mark == "??" else "pinfo"
            asked = f"run_line_magic({magic!r}, {command.strip()!r})" if words else "show_usage()"
            return f"get_ipython().{asked}"
        case "," | ";":
            return f"{name}({', '.join(map(_quoted, words[1:] if mark == ',' else [rest]))})"
        case "/":
            return f"{name}({', '.join(words[1:])})"
    return _magic(name, rest, is_value=mark == "=")


def _magic(name: str, rest: str, *, is_value: bool) -> str:
    """The Python code of a magic; the value of most magics that measure is not that of the code."""
    statement = _OPTIONS.sub("", rest.lstrip(), count=1)
    if statement and (name == "time" or (name in _MEASURING and not is_value)):
        return next(_commands_replaced([statement]))
    return f"get_ipython().run_line_magic({name!r}, {rest!r})"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _state_after(line: str, quotes: str, depth: int) -> tuple[str, int, int | None]:
    """The state at the end of a line.

    Args:
        line: The line.
        quotes: The quotes of the string that is open at its beginning, empty without one.
        depth: The number of open brackets there.

    Returns:
        The open quotes, the number of open brackets, and the position after the first `=` outside
        brackets, None without one.
    """
    position, assigned = 0, None
    while position < len(line):
        if quotes:
            end = line.find(quotes, position)
            while end > 0 and line[end - 1] == "\\":
                end = line.find(quotes, end + 1)
            if end < 0:
                break
            position, quotes = end + len(quotes), ""
            continue
        part = _PART.match(line, position)
        if part is None:
            break
        position = part.end()
        quotes = part["quotes"] or ""
        depth = max(0, depth + bool(part["bracket"]) - bool(part["closing"]))
        if part["assigned"] and depth == 0 and assigned is None:
            assigned = position
    return quotes, depth, assigned
