"""Early work together, from a project's history: the contract first, both sides at the border.

Whose work a commit is, its author says, and whoever it names as `Co-authored-by` or `Reviewed-by`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, covers
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, is_shallow, require_repository
from baton_handoff.policy.practices.assessment import State
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import parse_valid
from baton_handoff.source_code.static_contracts import declared_contracts

SHARED = ("contracts", "features")
"""The rooms in which both sides work."""

_BORDER = ("input", "output")
_LATER = ("training", "model")
_NOT_BEGUN = "Training and model have not changed since the first commit."
_TRAILERS = "%(trailers:key=Co-authored-by,key=Reviewed-by,valueonly,separator=%x1f)"
_ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class Commit:
    """One commit of a project's history.

    Attributes:
        name: Its identifier.
        people: The addresses of those whose work it is.
        paths: What it changed, relative to the project.
        agreed: Whether a contract of the model's border has columns in it.
    """

    name: str
    people: frozenset[str]
    paths: tuple[str, ...]
    agreed: bool = False


@dataclass(frozen=True)
class Early:
    """What a history shows of early work together.

    Attributes:
        state: What came of it.
        message: What was seen, a sentence.
        findings: What speaks against it, one by one.
        fix: What makes it visible, where it is not shown.
    """

    state: State
    message: str
    findings: tuple[Finding, ...] = ()
    fix: str = ""


def assess_collaboration(
    project: Project, history: Sequence[Commit], shallow: bool = False
) -> Early:
    """Whether both sides have worked together from early on, as far as a history shows it.

    What the project began with is nobody's work where the template wrote it, and says nothing of
    what came first where somebody brought it along.

    Args:
        project: The project; its people are those that both the base and the change state.
        history: Its commits, the oldest first, merges left out.
        shallow: Whether the clone lacks the beginning.
    """
    if shallow:
        return _hidden("This clone lacks the beginning of the history.", "`git fetch --unshallow`")
    order = contract_first(project, history)
    if order.state == State.NOT_APPLICABLE:
        return order
    shared = both_sides(project, history)
    seen = (order, shared)
    against = tuple(finding for one in seen for finding in one.findings)
    if against:
        message = " ".join(one.message for one in seen if one.findings)
        return Early(State.NOT_MET, message, against, against[0].fix)
    for one in seen:
        if one.state == State.NOT_SHOWN:
            return one
    return Early(State.MET, f"{order.message} {shared.message}")


def contract_first(project: Project, history: Sequence[Commit]) -> Early:
    """Whether the contract stood before the training code that the team has written."""
    begun, later = history[:1], history[1:]
    trained = next((n for n, c in enumerate(later) if _touches(project, c, _LATER)), None)
    agreed = next((n for n, c in enumerate(history) if c.agreed), None)
    brought = bool(begun) and _touches(project, begun[0], _LATER)
    brought = brought and _ANSWERS not in begun[0].paths
    if brought and (begun[0].agreed or trained is None):
        return _hidden(
            "The training code came with the first commit.",
            "bring the earlier history along, or state it in handoff.toml",
        )
    if trained is None:
        return Early(State.NOT_APPLICABLE, _NOT_BEGUN)
    if agreed is None:
        return _hidden(
            "No contract of the model's border is seen to have columns.",
            "state input and output in contracts/:"
            " `uv run handoff contract new FILE --target COLUMN`",
        )
    if agreed <= trained + 1:
        return Early(State.MET, "The contract stood before the training code.")
    name = later[trained].name[:12]
    message = f"Training code was written (in {name}) before the model's contract had columns."
    return Early(
        State.NOT_MET,
        message,
        (
            Finding(
                "early-work",
                message,
                blocks=False,
                file=f"src/{project.package}/contracts/",
                fix="agree on input and output in contracts/ before the next model is trained",
            ),
        ),
    )


def both_sides(project: Project, history: Sequence[Commit]) -> Early:
    """Whether both sides have a part in what has been changed of contracts and of features."""
    if project.cross_functional:
        return Early(State.MET, "One team is both sides.")
    people = {address.lower(): side for side in SIDES for address in project.people.get(side, ())}
    if set(people.values()) != set(SIDES):
        return _hidden(
            "Nobody knows which side an author is on.",
            "write the addresses that each side commits with into [people] of handoff.toml",
        )
    written = history[1:] if history and _ANSWERS in history[0].paths else history
    absent = []
    for room in SHARED:
        commits = [commit for commit in written if _touches(project, commit, (room,))]
        if not commits:
            return _hidden(f"Nothing in {room} has changed since the project began.", "")
        seen = {people.get(address) for commit in commits for address in commit.people}
        absent += [_absent(project, room, side) for side in SIDES if side not in seen]
    if absent:
        return Early(State.NOT_MET, " ".join(f"{one.message}." for one in absent), tuple(absent))
    return Early(State.MET, "Both sides have worked on contracts and features.")


def history_of(project: Project) -> tuple[list[Commit], bool]:
    """The commits that matter here, the oldest first, and whether the clone lacks the beginning.

    Raises:
        HandoffError: The project is in no git repository.
    """
    require_repository(project.root)
    shallow = is_shallow(project.root)
    rooms = [f"src/{project.package}/{room}" for room in (*SHARED, *_LATER)]
    form = f"--format=%x1e%H%x1d%ae%x1d{_TRAILERS}%x1d"
    try:
        said = git(
            project.root,
            *("-c", "core.quotePath=false", "log", "--no-merges", "--topo-order", "--reverse"),
            *("--relative", "--name-only", form, "--", *rooms, _ANSWERS),
            errors="replace",
        )
    except HandoffError:
        return [], shallow
    commits = [_read(entry) for entry in said.split("\x1e")[1:]]
    return list(_with_agreement(project, commits)), shallow


def _read(entry: str) -> Commit:
    name, author, trailers, paths = entry.split("\x1d")
    named = [one.rpartition("<")[2].rstrip("> ") for one in trailers.split("\x1f") if one.strip()]
    people = frozenset(address.strip().lower() for address in (author, *named))
    return Commit(name, people, tuple(paths.strip().splitlines()))


def _with_agreement(project: Project, commits: Sequence[Commit]) -> Iterator[Commit]:
    """The commits, each with whether the border has columns by then; once it has, nobody asks."""
    agreed = False
    for commit in commits:
        changes = any(_in(project, path, ("contracts",)) for path in commit.paths)
        agreed = agreed or (changes and _states_border(project, commit))
        yield Commit(commit.name, commit.people, commit.paths, agreed)


def _states_border(project: Project, commit: Commit) -> bool:
    room = f"src/{project.package}/contracts/"
    listed = git(project.root, "ls-tree", "-r", "--name-only", "-z", commit.name, "--", room)
    paths = [path for path in listed.split("\0") if path.endswith(".py")]
    texts = {
        path: git(project.root, "show", f"{commit.name}:./{path}", errors="replace")
        for path in paths
    }
    return any(
        one.metadata.get("position") in _BORDER for one in declared_contracts(parse_valid(texts))
    )


def _hidden(message: str, fix: str) -> Early:
    return Early(State.NOT_SHOWN, message, fix=fix)


def _absent(project: Project, room: str, side: str) -> Finding:
    return Finding(
        "early-work",
        f"{side} has no part in what was changed in {room}",
        blocks=False,
        side=side,
        file=f"src/{project.package}/{room}/",
        fix="work on the next change together, and name both at the end of its commit's message:"
        " `Co-authored-by: Name <address>` or `Reviewed-by: Name <address>`",
    )


def _touches(project: Project, commit: Commit, rooms: Sequence[str]) -> bool:
    return any(_in(project, path, rooms) for path in commit.paths)


def _in(project: Project, path: str, rooms: Sequence[str]) -> bool:
    if not path.endswith(".py"):
        return False
    return any(covers(f"src/{project.package}/{room}/", path) for room in rooms)
