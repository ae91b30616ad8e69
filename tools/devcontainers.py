"""The devcontainers of a project, one for each role, made from the roles' definitions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tools.roles import Role, extension_lines, roles, setting_lines

FOLDER = Path("template/.devcontainer")
COMMON = Path("tools/devcontainer.json")
"""What all devcontainers have in common."""

Definition: TypeAlias = Mapping[str, Any]

_HEAD = "// Template-owned, made from the roles. One of your own goes into another folder."
_APT_GET = "apt-get update && apt-get install --yes --no-install-recommends"


def devcontainers(root: Path) -> dict[Path, str]:
    """Return the text of each role's devcontainer.json by its path.

    Args:
        root: The repository's folder.
    """
    common = json.loads((root / COMMON).read_text(encoding="utf-8"))
    everyone, listed = roles(root)
    texts = {role.id: _devcontainer(role, everyone, common) for role in listed}
    return {
        root / FOLDER / name / f"devcontainer.json{'.jinja' if '{%' in text else ''}": text
        for name, text in texts.items()
    }


def _devcontainer(role: Role, everyone: Role, common: Definition) -> str:
    """Return a devcontainer.json: what all have in common, with what a role adds.

    The settings of everyone are those of the project's .vscode/.
    """
    whole = {
        "name": f"${{localWorkspaceFolderBasename}} ({role.stated['title']})",
        **common,
        "build": common["build"] | {"target": role.id} | _context(role.stated),
    }
    # Those that open containers and remote machines run outside.
    extensions = [
        one
        for one in (*everyone.stated["extensions"], *role.stated["extensions"])
        if not one["id"].startswith("ms-vscode-remote.")
    ]
    return f"""{_HEAD}
{json.dumps(whole, indent=2, ensure_ascii=False).removesuffix("}").rstrip()},
  "customizations": {{
    "vscode": {{
      "extensions": [
{extension_lines(extensions, "        ")}
      ],
      "settings": {{
{setting_lines(role, "        ")},
        "python.defaultInterpreterPath": "/home/dev/.uv/venv/bin/python"
      }}
    }}
  }}
}}
"""


def _context(role: Definition) -> dict[str, str]:
    """Return the project as the build's context if the role's stage copies a file of it.

    Some engines copy the whole context, and a project has data.
    """
    return {"context": "../.."} if _for_extras(role) else {}


def stages(root: Path) -> str:
    """Return the end of the Dockerfile: what everyone needs, and a stage for each role.

    Args:
        root: The repository's folder.
    """
    everyone, listed = roles(root)
    parts = [_installation(everyone.stated) + "USER dev\n"]
    for role in listed:
        installation = _installation(role.stated)
        as_root = f"USER root\n{installation}USER dev\n" if installation else ""
        parts.append(f"FROM everyone AS {role.id}\n{as_root}")
    return "\n".join(parts)


def _installation(part: Definition) -> str:
    """Return the lines that install the tools of a part in a container.

    A tool without a package for Debian or an image, as uv, is not installed here.
    """
    tools = [tool for tool in part.get("tools", []) if tool.get("place") != "laptop"]
    by_extra = _for_extras(part)
    debian = [tool for tool in tools if "apt" in tool["packages"] and tool not in by_extra]
    lines = []
    if debian:
        names = "".join(_if(tool, f" {tool['packages']['apt']}") for tool in debian)
        lines += [f"RUN {_APT_GET}{names} \\", "    && rm -rf /var/lib/apt/lists/*"]
    for tool in tools:
        if image := tool["packages"].get("image"):
            program = tool["commands"][0]
            copy = f"COPY --from={image} /bin/{program} /usr/local/bin/{program}"
            lines.append(_if(tool, copy))
    if by_extra:
        lines += [
            "# Whether the project asks for an extra of the standards.",
            "COPY pyproject.toml /",
        ]
    for tool in by_extra:
        extra = tool["only"]["extra"]
        lines += [
            f"RUN if grep --quiet 'baton-standards\\[[^]]*\\b{extra}\\b' /pyproject.toml; then \\",
            f"        {_APT_GET} {tool['packages']['apt']} \\",
            "        && rm -rf /var/lib/apt/lists/*; \\",
            "    fi",
        ]
    return "".join(f"{line}\n" for line in lines)


def _for_extras(part: Definition) -> list[Definition]:
    """Return the tools that a project needs if it asks for an extra of the standards."""
    return [tool for tool in part.get("tools", []) if "extra" in tool.get("only", {})]


def _if(entry: Definition, text: str) -> str:
    """Return a text for the answers for which an entry is needed."""
    for question, answer in entry.get("only", {}).items():
        text = f"{{% if {question} == '{answer}' %}}{text}{{% endif %}}"
    return text
