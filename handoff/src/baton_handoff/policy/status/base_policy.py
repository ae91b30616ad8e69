"""The base policy: the stricter of what a change and its base state judges the change.

So no change can loosen what judges it; what it loosens counts once it is merged.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE, follow_renames
from baton_handoff.config.project import Project, project_at
from baton_handoff.config.settings import PromotionSettings, RegistrySettings
from baton_handoff.config.sides import SIDES
from baton_handoff.config.standards import FOLDER, engine_text
from baton_handoff.core.git_snapshots import GitSnapshots, snapshots_of
from baton_handoff.core.toml_files import parse_toml, read_toml
from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.policy.practices.registry import Registry, registry_of
from baton_handoff.policy.status.base_practices import in_both, merged_registry
from baton_handoff.reporting.findings import Finding
from baton_handoff.updates.released import RELEASED, Released, parse_released, released

_CHECK = "stricter-of-both"

_TOOLS = ("ruff", "pytest")
_TOOL_SETTINGS = (
    *("ruff.toml", ".ruff.toml"),
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
)
"""Settings of tools beside pyproject.toml; mypy reads only those of the standards."""

_LISTED = 3


@dataclass(frozen=True)
class ProjectChange:
    """A change of a project, from a base to the working directory.

    Attributes:
        policy: The project with the policy that judges the change.
        base: The project as the base states it.
        head: The project as the working directory states it.
        folder: The folder with the files of the base.
        paths: The paths that changed, relative to the project.
        reference: The base as the user named it, None for the default.
        commit: The commit of the base.
    """

    policy: Project
    base: Project
    head: Project
    folder: Path
    paths: Sequence[str]
    reference: str | None
    commit: str


@contextmanager
def change_since(project: Project, reference: str | None) -> Iterator[ProjectChange | None]:
    """The change of the working directory; None in a repository without a commit.

    Args:
        project: The project.
        reference: The commit or branch to merge into; None for the commit that this branch started
            from (`GitSnapshots.base`).

    Raises:
        HandoffError: `reference` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        if reference is None and not snapshots.has_commits:
            yield None
        else:
            commit = snapshots.base(reference).commit
            yield change_from(project, snapshots, commit, scratch / "base", reference)


def change_from(
    project: Project,
    snapshots: GitSnapshots,
    commit: str,
    folder: Path,
    reference: str | None = None,
) -> ProjectChange:
    """The change of the working directory since a commit, which is checked out to a new folder."""
    base_tree, head_tree = snapshots.of_commit(commit), snapshots.working_directory()
    snapshots.check_out(base_tree, folder)
    try:
        standards = parse_toml(engine_text(folder, "practices.toml"))
    except (OSError, ValueError):
        standards = {}
    base = replace(project_at(folder, project), standards=standards)
    if base.baseline:
        renames = snapshots.renames(base_tree, head_tree)
        base = replace(base, baseline=follow_renames(base.baseline, renames))
    paths = [edit.path for edit in snapshots.edits(base_tree, head_tree)]
    return ProjectChange(stricter(base, project), base, project, folder, paths, reference, commit)


def stricter(base: Project, head: Project) -> Project:
    """The project with the stricter of two policies.

    The higher level counts, the stricter limit of a promotion, and the models that both allow. An
    exception counts only if both state it, until the earlier of both days, and each entry of the
    baseline with the smaller count. Responsibilities, people, teams and the cloud have no stricter
    value: those of the base count. The CI provider is that of the head, because its CI file comes
    with it. `merged_registry` compares practices and statements.
    """
    return replace(
        head,
        level=max(base.level, head.level),
        teams=base.teams,
        answerable=base.answerable,
        cloud=head.cloud if base.cloud == "none" else base.cloud,
        people=base.people,
        promotion=PromotionSettings(
            tolerance=min(base.promotion.tolerance, head.promotion.tolerance),
            floor=max(base.promotion.floor, head.promotion.floor),
            latency_ms=min(base.promotion.latency_ms, head.promotion.latency_ms),
        ),
        registry=_stricter_registry(base.registry, head.registry),
        exceptions=tuple(in_both(base.exceptions, head.exceptions)),
        baseline={
            entry: min(count, base.baseline[entry])
            for entry, count in head.baseline.items()
            if entry in base.baseline
        },
        base=base,
        head=head,
    )


def _stricter_registry(base: RegistrySettings, head: RegistrySettings) -> RegistrySettings:
    """The settings for models that may be loaded: a change may only forbid more."""
    trusted = head.trusted_types
    if base.format == "skops":
        trusted = [name for name in base.trusted_types if name in head.trusted_types]
    return RegistrySettings(
        format=base.format if base.format == "skops" else head.format,
        trusted_types=trusted,
        signers=base.signers or head.signers,
    )


def loosened(policy: Project, head: Project) -> list[Finding]:
    """What a change loosens: its own value does not judge it."""
    # Where the stricter value is not the one of the change, the change has the looser one.
    binding, own = merged_registry(policy), registry_of(policy)
    judging = _values(policy, binding, own)
    after = _values(head, own, binding)
    return [
        Finding(
            _CHECK,
            f"{_LABELS[kind].format(*names)}: {judging.get((kind, *names), 'none')} →"
            f" {after.get((kind, *names), 'none')}. The new value counts once it is merged; the old"
            " one judges this change",
            blocks=False,
            file=_FILES.get(kind, "handoff.toml"),
        )
        for kind, *names in {**judging, **after}
        if judging.get((kind, *names)) != after.get((kind, *names))
    ]


_LABELS = {
    "level": "level",
    "cloud": "`cloud`",
    "limit": "`{}` in [promotion]",
    "registry": "`{}` in [registry]",
    "exception": "exception for the {} {}",
    "statement": "statement of the {} on {}",
    "practice": "practice {}",
    "check": "check of the practice {}",
    "stage": "first stage of the practice {}",
    "enforced": "practice {} in [enforce]",
    "baseline": "practice {} in a baseline",
    "tier": "tier of the practice {} for {}",
    "findings": "findings of {} for {} in the baseline",
}
"""The kinds of values that judge a change, with the words for each."""

_FILES = {
    **dict.fromkeys(("level", "cloud"), ".copier-answers.yml"),
    "findings": BASELINE_FILE,
}
"""The file of a kind, if it is not handoff.toml."""


def _values(project: Project, registry: Registry, other: Registry) -> dict[tuple[str, ...], str]:
    """Every value of a policy that can be stricter or looser, by its kind and what it is about.

    Of a practice that the other registry lacks, only that there is one.
    """
    values: dict[tuple[str, ...], str] = {
        ("level",): str(project.level),
        ("cloud",): project.cloud,
    }
    for limit, value in project.promotion:
        values["limit", limit] = f"{value:g}"
    for setting, stated in project.registry:
        listed = stated if isinstance(stated, str) else ", ".join(stated)
        values["registry", setting] = listed or "none"
    for exception in sorted(project.exceptions, key=lambda one: one.expires):
        kind, name = (
            ("practice", exception.practice) if exception.practice else ("gate", exception.gate)
        )
        values["exception", kind, name] = f"until {exception.expires}"
    for statement in sorted(registry.statements, key=lambda one: one.expires):
        values["statement", statement.by, statement.practice] = f"until {statement.expires}"
    in_other = {practice.name for practice in other.practices}
    for practice in registry.practices:
        if practice.name not in in_other:
            values["practice", practice.name] = "required"
            continue
        values["check", practice.name] = f"`{practice.check}`"
        values["stage", practice.name] = practice.stage
        values["enforced", practice.name] = "yes" if practice.enforced else "no"
        values["baseline", practice.name] = "allowed" if practice.baseline else "never"
        for side in SIDES:
            tiers = dict.fromkeys(practice.tier(side, level) for level in (0, 1, 2))
            values["tier", practice.name, side] = ", ".join(tiers)
    for name, side in dict.fromkeys((name, side) for name, side, _ in project.baseline):
        counts = [n for (*entry, _), n in project.baseline.items() if entry == [name, side]]
        values["findings", name, side] = str(sum(counts))
    return values


def uncompared(change: ProjectChange) -> Iterator[Finding]:
    """What a change edits of the tools and standards that judge it, and no comparison covers."""
    for path in change.paths:
        for setting in _tool_settings(change, path):
            yield Finding(
                _CHECK,
                f"{setting} changes. The new settings judge this change already: review them",
                blocks=False,
                file=path,
            )
    standards = [path for path in change.paths if path.startswith(FOLDER)]
    version = _template_version(change.folder)
    if version != _template_version(change.head.root):
        # An update. What it brings is known; what people had edited before stays theirs.
        known = _released_in(change.folder).edited_in(change.folder, change.base.package)
        edited = released().edited_in(change.head.root, change.head.package) - known
        standards = [path for path in standards if path in edited]
    if standards and version:
        more = f" and {len(standards) - _LISTED} more" if len(standards) > _LISTED else ""
        yield Finding(
            _CHECK,
            f"{FOLDER} was edited by hand ({', '.join(standards[:_LISTED])}{more}). The edits"
            " judge this change already, and the next update overwrites them",
            blocks=False,
            file=standards[0],
            fix="revert the edits, and change the standards in the template",
        )


def _released_in(folder: Path) -> Released:
    """What the template of the engine in a tree has released; nothing of older engines."""
    try:
        return parse_released(engine_text(folder, RELEASED))
    except (OSError, ValueError):
        return parse_released("")


def _tool_settings(change: ProjectChange, path: str) -> Iterator[str]:
    """The team's own settings of tools that a change of a path edits."""
    name = PurePosixPath(path).name
    if path.startswith(FOLDER):
        return
    if name in _TOOL_SETTINGS:
        yield path
    elif name == "pyproject.toml":
        before, after = (_tool_tables(root / path) for root in (change.folder, change.head.root))
        yield from (
            f"[tool.{tool}] in {path}" for tool in _TOOLS if before.get(tool) != after.get(tool)
        )


def _tool_tables(file: Path) -> dict[str, Any]:
    """The table [tool] of a pyproject.toml; empty if there is none."""
    try:
        tables = read_toml(file).get("tool", {})
    except (OSError, ValueError):
        return {}
    return tables if isinstance(tables, dict) else {}


def _template_version(folder: Path) -> object:
    """The version of the template that a tree was made with; None if it does not state one."""
    try:
        answers = read_yaml(folder / ".copier-answers.yml")
    except (OSError, ValueError):
        return None
    return answers.get("_commit") if isinstance(answers, dict) else None
