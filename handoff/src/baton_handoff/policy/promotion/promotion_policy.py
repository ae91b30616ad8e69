"""By whose limits a promotion is judged: the stricter of those here and of the main branch."""

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import is_in_repository
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.status.base_policy import loosened, stated_before, stricter
from baton_handoff.registry.alias_moves import in_ci
from baton_handoff.reporting.findings import Finding


def binding(project: Project, main: str | None) -> tuple[Project, list[Finding]]:
    """The project as it judges a promotion, and what it states more loosely than the main branch.

    Level, limits, exceptions, baseline and what people state count as they stand at the main
    branch's newest commit, not where a branch left it: what is promoted goes into production today.
    Where nobody merges into a main branch, what stands here counts.

    Args:
        project: The project as it stands.
        main: The main branch, or a commit; None for the remote's, if this clone knows one.

    Raises:
        HandoffError: `main` is no commit that this clone knows, or a pipeline's clone knows none.
    """
    if main is None and not is_in_repository(project.root):
        return project, []
    with snapshots_of(project.root) as (snapshots, scratch):
        commit = snapshots.main_commit(main)
        if commit is None:
            if in_ci() and snapshots.has_remote:
                raise HandoffError(
                    "This clone does not know the main branch, whose limits bind a promotion: fetch"
                    " it, and name it as `--base`."
                )
            return project, []
        was = stated_before(project, snapshots, snapshots.of_commit(commit), scratch / "main")
        return stricter(was, project), loosened(was, project)
