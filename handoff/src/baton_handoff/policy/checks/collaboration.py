"""Collaboration from early on, read from the history of a project.

The contract precedes the training code, and both sides work on contracts and features. A commit is
the work of its author and of everybody it names as `Co-authored-by` or `Reviewed-by`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, covers
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, is_shallow, require_repository
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check
from baton_handoff.policy.practices.assessment import State
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import parse_valid
from baton_handoff.source_code.static_contracts import declared_contracts

SHARED = ("contracts", "features")
"""The folders in which both sides work."""

_TRAINING = ("training", "model")
_TRAILERS = "%(trailers:key=Co-authored-by,key=Reviewed-by,valueonly,separator=%x1f)"
_ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class AuthoredCommit:
    """One commit of the history.

    Attributes:
        name: Its hash.
        people: The e-mail addresses of its author, co-authors and reviewers, in lower case.
        paths: The files that it changed, relative to the project.
        has_contract: Whether a contract of the model's input or output has columns by then.
    """

    name: str
    people: frozenset[str]
    paths: tuple[str, ...]
    has_contract: bool = False


@check
def early_work_together(context: CheckContext) -> CheckResult:
    """Both sides have worked together from early on."""
    return assess_collaboration(context.project, *history_of(context.project))


def assess_collaboration(
    project: Project, history: Sequence[AuthoredCommit], shallow: bool = False
) -> CheckResult:
    """Judge the collaboration of both sides by the history.

    The first commit does not count: it is the template's, or it brings code of unknown age.

    Args:
        project: The project; its people are those that both the base and the change list.
        history: Its commits, the oldest first, without merges.
        shallow: Whether the clone lacks the first commits.
    """
    if shallow:
        return CheckResult.not_shown(
            "This shallow clone lacks the first commits.", command="git fetch --unshallow"
        )
    order = _contract_first(project, history)
    if order.state == State.NOT_APPLICABLE:
        return order
    results = (order, _both_sides(project, history))
    if failed := [result for result in results if result.state == State.NOT_MET]:
        findings = [finding for result in failed for finding in result.findings]
        message = " ".join(result.message for result in failed)
        return CheckResult.not_met(message, *findings, fix=findings[0].fix)
    hidden = [result for result in results if result.state == State.NOT_SHOWN]
    return hidden[0] if hidden else CheckResult.met(" ".join(one.message for one in results))


def _contract_first(project: Project, history: Sequence[AuthoredCommit]) -> CheckResult:
    """Whether the contract precedes the training code that the team has written."""
    first, later = history[:1], history[1:]
    trained = next((n for n, c in enumerate(later) if _touches(project, c, _TRAINING)), None)
    agreed = next((n for n, c in enumerate(history) if c.has_contract), None)
    imported = bool(first) and _ANSWERS not in first[0].paths
    imported = imported and _touches(project, first[0], _TRAINING)
    if imported and (first[0].has_contract or trained is None):
        return CheckResult.not_shown(
            "The first commit already contains the training code.",
            "import the earlier history, or state it in handoff.toml",
        )
    if trained is None:
        return CheckResult.not_applicable(
            "Training and model have not changed since the first commit."
        )
    if agreed is None:
        return CheckResult.not_shown(
            "No contract of the model's input or output has columns.",
            "define input and output in contracts/:"
            " `uv run handoff contract new FILE --target COLUMN`",
        )
    if agreed <= trained + 1:
        return CheckResult.met("The model's contract precedes its training code.")
    message = (
        f"Commit {later[trained].name[:12]} has training code before the model's contract has"
        " columns."
    )
    fix = "agree on input and output in contracts/ before you train the next model"
    return CheckResult.not_met(message, _finding(project, message, "contracts", fix))


def _both_sides(project: Project, history: Sequence[AuthoredCommit]) -> CheckResult:
    """Whether both sides have changed or reviewed contracts and features."""
    if project.cross_functional:
        return CheckResult.met("One team is both sides.")
    people = {address.lower(): side for side in SIDES for address in project.people.get(side, ())}
    if set(people.values()) != set(SIDES):
        return CheckResult.not_shown(
            "The side of the authors is unknown.",
            "list the e-mail addresses of each side in [people] of handoff.toml",
        )
    written = history[1:] if history and _ANSWERS in history[0].paths else history
    absent = []
    for folder in SHARED:
        commits = [commit for commit in written if _touches(project, commit, (folder,))]
        if not commits:
            return CheckResult.not_shown(f"{folder}/ has not changed since the project began.")
        taking_part = {people.get(address) for commit in commits for address in commit.people}
        absent += [
            _finding(
                project,
                f"{side} has neither changed nor reviewed {folder}/",
                folder,
                "work on the next change together, and name both at the end of the commit message:"
                " `Co-authored-by: Name <address>` or `Reviewed-by: Name <address>`",
                side,
            )
            for side in SIDES
            if side not in taking_part
        ]
    if absent:
        return CheckResult.not_met(" ".join(f"{one.message}." for one in absent), *absent)
    return CheckResult.met("Both sides have worked on contracts and features.")


def history_of(project: Project) -> tuple[list[AuthoredCommit], bool]:
    """Read the commits of the shared and the training folders.

    Returns:
        The commits, the oldest first, and whether the clone lacks the first ones.

    Raises:
        HandoffError: The project is in no git repository.
    """
    require_repository(project.root)
    shallow = is_shallow(project.root)
    folders = [f"src/{project.package}/{folder}" for folder in (*SHARED, *_TRAINING)]
    try:
        log = git(
            project.root,
            *("log", "--no-merges", "--topo-order", "--reverse"),
            *("--relative", "--name-only", f"--format=%x1e%H%x1d%ae%x1d{_TRAILERS}%x1d", "--"),
            *(*folders, _ANSWERS),
            errors="replace",
        )
    except HandoffError:  # there is no commit yet
        return [], shallow
    return list(_commits(project, log)), shallow


def _commits(project: Project, log: str) -> Iterator[AuthoredCommit]:
    has_contract = False
    for entry in log.split("\x1e")[1:]:
        name, author, trailers, changed = entry.split("\x1d")
        named = [one.rpartition("<")[2].rstrip("> ") for one in trailers.split("\x1f")]
        people = frozenset(address.strip().lower() for address in (author, *named)) - {""}
        commit = AuthoredCommit(name, people, tuple(changed.strip().splitlines()))
        # Once the contract has columns, later commits need not be read.
        if not has_contract and _touches(project, commit, ("contracts",)):
            has_contract = _defines_interface(project, name)
        yield AuthoredCommit(commit.name, people, commit.paths, has_contract)


def _defines_interface(project: Project, commit: str) -> bool:
    """Whether a contract of the model's input or output has columns in a commit."""
    folder = f"src/{project.package}/contracts/"
    listed = git(project.root, "ls-tree", "-r", "--name-only", "-z", commit, "--", folder)
    texts = {
        path: git(project.root, "show", f"{commit}:./{path}", errors="replace")
        for path in listed.split("\0")
        if path.endswith(".py")
    }
    positions = {one.metadata.get("position") for one in declared_contracts(parse_valid(texts))}
    return not positions.isdisjoint({"input", "output"})


def _finding(
    project: Project, message: str, folder: str, fix: str, side: str | None = None
) -> Finding:
    file = f"src/{project.package}/{folder}/"
    return Finding("early-work", message, blocks=False, side=side, file=file, fix=fix)


def _touches(project: Project, commit: AuthoredCommit, folders: Sequence[str]) -> bool:
    return any(
        path.endswith(".py") and covers(f"src/{project.package}/{folder}/", path)
        for path in commit.paths
        for folder in folders
    )
