"""The policy that judges a promotion: the stricter of the checkout and the main branch's commit."""

from functools import reduce

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git
from baton_handoff.core.git_snapshots import GitSnapshots, snapshots_of
from baton_handoff.policy.decisions import PLACE as DECISIONS
from baton_handoff.policy.status.base_policy import change_from, loosened, stricter
from baton_handoff.registry.alias_moves import in_ci
from baton_handoff.registry.card_statements import STATEMENTS_FILE
from baton_handoff.reporting.findings import Finding

_OWNERS = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")

_STATED_IN = (STATEMENTS_FILE.as_posix(), DECISIONS.as_posix(), "data/sources", *_OWNERS)
"""The files and folders, beside the settings, in which people state what gates accept."""


def promotion_policy(project: Project, main: str | None) -> tuple[Project, list[Finding]]:
    """The project with the policy that judges a promotion, and what the checkout loosens of it.

    The newest commit of the main branch counts, not the one at which a branch left it: what is
    promoted goes into production today. An exception, a statement or a lower level counts only if
    it is committed there: without a remote, on the local main branch.

    Args:
        project: The project as it is checked out.
        main: A branch or commit whose policy counts, too; None for the main branch alone. In a
            pipeline it is the main branch, because the pipeline's own file names it.

    Raises:
        HandoffError: The project has no commit, this clone does not know `main`, or, in a pipeline,
            no main branch at all.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        bases = [
            change_from(project, snapshots, commit, scratch / commit).base
            for commit in _commits(snapshots, main)
        ]
        policy = stricter(reduce(stricter, bases), project)
        return policy, loosened(policy, project)


def uncommitted_statements(project: Project) -> list[Finding]:
    """The files with uncommitted changes in which people state what the gates accept.

    Settings in handoff.toml are compared with the main branch; of these files the promotion reads
    the checkout, so each of them must equal its last commit.
    """
    listed = ("ls-files", "--modified", "--deleted", "--others", "-z", "--", *_STATED_IN)
    staged = ("diff", "--cached", "--name-only", "--relative", "-z", "--", *_STATED_IN)
    paths = [path for one in (listed, staged) for path in git(project.root, *one).split("\0")]
    return [
        Finding(
            "uncommitted",
            f"{path} has changes that are not committed, and a promotion counts only what is"
            " committed",
            blocks=project.level > 0,
            side=project.side_of(path),
            file=path,
            fix="commit it",
        )
        for path in sorted({*filter(None, paths)})
    ]


def _commits(snapshots: GitSnapshots, main: str | None) -> list[str]:
    """The commits whose policies judge: a person can add one, and can't replace the main branch."""
    named = snapshots.commit(main) if main is not None else None
    if named and in_ci():
        return [named]
    known = snapshots.main_commit()
    if known is None and in_ci() and snapshots.has_remote:
        raise HandoffError(
            "This clone does not know the main branch, whose policy judges a promotion: fetch it,"
            " and give it as `--base`."
        )
    known = known or snapshots.local_main_commit()
    if known is None:
        raise HandoffError(
            "A promotion is judged by the policy of the last commit, and this repository has no"
            " commit yet: make the first commit."
        )
    return [*dict.fromkeys(filter(None, [known, named]))]
