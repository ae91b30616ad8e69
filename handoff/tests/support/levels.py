"""The practices by name, and a project at another level."""

from baton_handoff.config.code_owners import write_owners
from baton_handoff.config.project import Project, find_project
from baton_handoff.policy.practices.registry import shipped

PRACTICES = {practice.name: practice for practice in shipped()}


def choose(project: Project, level: int) -> Project:
    """The same with this level among its answers, and what follows from it written again."""
    answers = project.root / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("level: 1", f"level: {level}"))
    write_owners(find_project(project.root))
    return find_project(project.root)
