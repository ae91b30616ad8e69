"""The site, built by MkDocs into `site/` from pages and the project's own Markdown."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mergedeep import merge
from mkdocs.commands.build import build
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException
from mkdocs.livereload import LiveReloadServer
from mkdocs.utils.yaml import yaml_load

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError

HANDBOOK = Path("standards/handbook")
_SETTINGS = Path(__file__).with_name("mkdocs.yml")
_STYLE = Path(__file__).with_name("dictionary.css")
_FORMER = "standards/docs/mkdocs.yml"
"""The file that a project's settings had to inherit from in earlier releases."""
_PAGES = (
    "first-hour-data-scientist",
    "first-hour-ml-engineer",
    "explore",
    "state-a-contract",
    "change-a-feature",
    "hand-over-a-model",
    "promote-and-roll-back",
    "run-the-service",
    "watch-it",
    "when-something-breaks",
    "sources",
    "team-server",
    "levels-and-practices",
)
"""The pages of the handbook, in the order of the navigation."""
_MARK = "# Made by `uv run poe docs`: all of it may be deleted.\n*\n"


def build_site(project: Project, pages: Mapping[str, str]) -> tuple[Path, list[str]]:
    """Build the site; the former one stays until the new one is complete.

    Args:
        project: The project; its README, its `docs/` and the handbook keep their paths in the site.
        pages: The text of every other page by its path, in the order of the navigation.

    Returns:
        The folder, and MkDocs' messages about links out of the site.

    Raises:
        HandoffError: The folder holds something else, or MkDocs fails.
    """
    site = project.root / "site"
    mark = site / ".gitignore"
    if site.exists() and not (mark.is_file() and mark.read_text(encoding="utf-8") == _MARK):
        raise HandoffError(f"{site} was not made by `uv run poe docs`: rename it.")
    with tempfile.TemporaryDirectory(prefix="handoff-docs-") as scratch:
        folder, built = Path(scratch) / "docs", Path(scratch) / "site"
        _gather(project, pages, folder)
        links = _build(_config(project, pages, folder, built))
        (built / mark.name).write_text(_MARK, encoding="utf-8")
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(built, site)
    return site, links


def serve_site(project: Project, port: int, rebuild: Callable[[], None]) -> None:
    """Serve `site/` on this machine, and rebuild it when its sources change.

    Raises:
        HandoffError: The port is in use.
    """
    server = LiveReloadServer(rebuild, "127.0.0.1", port, str(project.root / "site"))
    own = ["README.md", "docs", "handoff.toml", "mkdocs.yml", str(HANDBOOK), "tests/golden"]
    for path in [project.source, *(project.root / name for name in own)]:
        if path.exists():
            server.watch(str(path))
    try:
        server.serve()  # type: ignore[no-untyped-call]
    except OSError as error:
        raise HandoffError(
            f"Port {port} can't be used ({error}): give another `--port`."
        ) from error
    except KeyboardInterrupt:
        server.shutdown()


def _gather(project: Project, pages: Mapping[str, str], folder: Path) -> None:
    """Copy all sources of the site, at the paths that they have in the project."""
    folder.mkdir()
    shutil.copy(_STYLE, folder)
    for own in ("docs", HANDBOOK):
        if (project.root / own).is_dir():
            shutil.copytree(project.root / own, folder / own, ignore_dangling_symlinks=True)
    readme = project.root / "README.md"
    text = (
        readme.read_text(encoding="utf-8")
        if readme.exists()
        else f"# {project.name or project.model}\n"
    )
    for name, content in {"README.md": text, **pages}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def _config(project: Project, pages: Mapping[str, str], folder: Path, built: Path) -> MkDocsConfig:
    """Return the engine's settings, overridden by the team's if there are any."""
    file = project.root / "mkdocs.yml"
    file = file if file.exists() else _SETTINGS
    nav: list[Any] = ["README.md"]
    if handbook := _handbook(folder):
        nav.append({"Handbook": handbook})
    nav += _nav(pages)
    if (folder / "docs").is_dir() and (own := _tree(folder, folder / "docs")):
        nav.append({"Docs": own})
    name = project.name or project.model
    ours = {"docs_dir": str(folder), "site_dir": str(built), "use_directory_urls": False}
    config = MkDocsConfig(config_file_path=str(file))
    try:
        config.load_dict({"site_name": name, "nav": nav, **_settings(file), **ours})
        errors, warnings = config.validate()
    except MkDocsException as error:
        raise HandoffError(f"{file} can't be used: {error}") from error
    for key, reason in [*errors, *warnings]:
        raise HandoffError(f"{file} can't be used: {key}: {reason}")
    config.strict = True
    return config


def _settings(file: Path) -> dict[str, Any]:
    """Return the settings of a file, merged into those of the engine."""
    own: Any = yaml_load(file.read_text(encoding="utf-8"))
    if not isinstance(own, dict):
        raise HandoffError(f"{file} can't be used: it holds no settings.")
    if own.get("INHERIT") == _FORMER:
        del own["INHERIT"]
    elif "INHERIT" in own:
        # MkDocs resolves the path only if it knows the file.
        with file.open("rb") as stream:
            own = yaml_load(stream)
    merged: dict[str, Any] = merge(yaml_load(_SETTINGS.read_text(encoding="utf-8")), own)
    return merged


def _handbook(folder: Path) -> list[str]:
    """Return the pages of the handbook in their order, unknown ones last."""
    pages = sorted(
        (folder / HANDBOOK).glob("*.md"),
        key=lambda page: ([*_PAGES, page.stem].index(page.stem), page.stem),
    )
    return [page.relative_to(folder).as_posix() for page in pages]


def _nav(pages: Iterable[str]) -> list[Any]:
    """Return the pages in their order, those of a folder under its name."""
    nav: dict[str, Any] = {}
    for page in pages:
        folder = page.rpartition("/")[0]
        nav.setdefault(folder or page, []).append(page)
    return [{key.capitalize(): inside} if key not in inside else key for key, inside in nav.items()]


def _tree(root: Path, folder: Path) -> list[Any]:
    """Return the pages of a folder and of the folders in it."""
    entries: list[Any] = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.suffix == ".md":
            entries.append(path.relative_to(root).as_posix())
        elif path.is_dir() and (inside := _tree(root, path)):
            entries.append({path.name.capitalize(): inside})
    return entries


def _build(config: MkDocsConfig) -> list[str]:
    """Build the site and return MkDocs' messages about links out of it."""
    messages = _Messages()
    logger = logging.getLogger("mkdocs")
    logger.addHandler(messages)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    except MkDocsException as error:
        reason = (messages.warnings or [str(error)])[0]
        raise HandoffError(f"The site can't be built: {reason}") from error
    finally:
        config.plugins.on_shutdown()
        logger.removeHandler(messages)
    return messages.links


class _Messages(logging.Handler):
    """The log messages of MkDocs that a user needs."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.warnings: list[str] = []
        self.links: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.warnings.append(message)
        elif "contains a link" in message:
            self.links.append(message)
