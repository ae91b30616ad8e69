"""Checks of the tools: chosen on purpose, and looked at again."""

from baton_handoff.decisions import begun, decisions, dependencies, not_chosen, overdue
from baton_handoff.practices.checks.look import Look, Seen, met, not_applicable, not_met


def tools_chosen(look: Look) -> Seen:
    """Everything that the code needs at run time has a decision with alternatives and a reason."""
    needed = dependencies(look.project)
    if not needed:
        return not_applicable("The code needs no package at run time.")
    if found := not_chosen(decisions(look.project), needed):
        return not_met("Not every tool was chosen on purpose.", *found)
    return met(f"{len(needed)} packages were chosen on purpose.")


def tools_reviewed(look: Look) -> Seen:
    """No decision is overdue for a second look."""
    made = decisions(look.project)
    if not made:
        return not_met("No decision about a tool is written down.")
    if found := overdue(made, begun(look.project), look.today):
        return not_met("Somebody has to look again at what was decided.", *found)
    return met("No decision is overdue for a second look.")
