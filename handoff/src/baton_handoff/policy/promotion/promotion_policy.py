"""The policy that judges a promotion: the stricter of the checkout and the main branch."""

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import is_in_repository
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.status.base_policy import change_from, loosened
from baton_handoff.registry.alias_moves import in_ci
from baton_handoff.reporting.findings import Finding


def promotion_policy(project: Project, main: str | None) -> tuple[Project, list[Finding]]:
    """The project with the policy that judges a promotion, and what the checkout loosens of it.

    The newest commit of the main branch counts, not the one at which a branch left it: what is
    promoted goes into production today. Without a main branch the checkout alone counts.

    Args:
        project: The project as it is checked out.
        main: The main branch, or a commit; None for that of the remote, if this clone knows it.

    Raises:
        HandoffError: This clone does not know `main`, or, in a pipeline, no main branch at all.
    """
    if main is None and not is_in_repository(project.root):
        return project, []
    with snapshots_of(project.root) as (snapshots, scratch):
        commit = snapshots.main_commit(main)
        if commit is None:
            if in_ci() and snapshots.has_remote:
                raise HandoffError(
                    "This clone does not know the main branch, whose policy judges a promotion:"
                    " fetch it, and give it as `--base`."
                )
            return project, []
        policy = change_from(project, snapshots, commit, scratch / "main").policy
        return policy, loosened(policy, project)
