"""The stricter of its base and itself judges a change, and the report names what it loosens."""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.code_owners import write_owners
from baton_handoff.config.project import Project, find_project
from baton_handoff.config.settings import PolicyException, PromotionSettings, RegistrySettings
from baton_handoff.config.sides import SIDES
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.registry import SHIPPED, shipped
from baton_handoff.policy.status.base_policy import change_from, loosened, stricter
from baton_handoff.policy.status.base_practices import binding_registry
from baton_handoff.policy.status.status import assess
from baton_handoff.reporting.findings import Finding
from begun_project import FEATURES, TRIPLE, Edit, Lacks
from trip_project import SETTINGS, git


def test_a_change_that_lowers_the_level_does_not_pass_its_own_gate(
    edit: Edit, lacks: Lacks
) -> None:
    edit(".copier-answers.yml", "level: 0\n")
    edit(FEATURES, TRIPLE)
    first, told = lacks()
    assert first.blocks
    assert told.message.startswith("level: 2 → 0. The new value counts once it is merged; the old")


def test_a_change_cannot_assign_its_file_to_the_other_side(edit: Edit, lacks: Lacks) -> None:
    edit("handoff.toml", SETTINGS + f'[answerable]\n"{FEATURES}" = "ml-engineering"\n')
    edit(FEATURES, TRIPLE)
    assert [finding.side for finding in lacks()] == ["data-science"]


def accepted(gate: str, year: int) -> PolicyException:
    return PolicyException(gate=gate, reason="a reason", owner="an owner", expires=date(year, 1, 1))


def test_an_exception_counts_if_both_state_it_until_the_earlier_day(begun: Project) -> None:
    base = replace(begun, exceptions=(accepted("subgroups", 2027), accepted("rows", 2028)))
    head = replace(
        begun,
        exceptions=(accepted("subgroups", 2030), accepted("rows", 2027), accepted("latency", 2027)),
    )
    assert stricter(base, head).exceptions == (accepted("subgroups", 2027), accepted("rows", 2027))
    assert told(base, head) == [
        "exception for the gate subgroups: until 2027-01-01 → until 2030-01-01",
        "exception for the gate latency: none → until 2027-01-01",
    ]


def test_the_stricter_limit_counts(begun: Project) -> None:
    base = replace(begun, promotion=PromotionSettings(tolerance=0.1, floor=0.7, latency_ms=100))
    head = replace(begun, promotion=PromotionSettings(tolerance=0.2, floor=0.6, latency_ms=50))
    binding = stricter(base, head)
    assert binding.promotion == PromotionSettings(tolerance=0.1, floor=0.7, latency_ms=50)
    assert told(base, head) == [
        "`tolerance` in [promotion]: 0.1 → 0.2",
        "`floor` in [promotion]: 0.7 → 0.6",
    ]


def test_a_change_cannot_allow_models_that_its_base_forbids(begun: Project) -> None:
    allowed = RegistrySettings(format="skops", trusted_types=["a", "b"], signers=["ssh anna"])
    wanted = RegistrySettings(trusted_types=["b", "c"], signers=["ssh bob"])
    base, head = replace(begun, registry=allowed), replace(begun, registry=wanted)
    binding = RegistrySettings(format="skops", trusted_types=["b"], signers=["ssh anna"])
    assert stricter(base, head).registry == binding
    assert told(base, head) == [
        "`format` in [registry]: skops → pickle",
        "`trusted_types` in [registry]: b → b, c",
        "`signers` in [registry]: ssh anna → ssh bob",
    ]
    assert stricter(begun, base).registry == allowed


def test_a_change_that_tightens_binds_at_once(begun: Project) -> None:
    base = replace(begun, level=0, exceptions=(accepted("rows", 2028),))
    head = replace(begun, level=1, promotion=PromotionSettings(floor=0.9))
    binding = stricter(base, head)
    assert (binding.level, binding.promotion.floor, binding.exceptions) == (1, 0.9, ())
    assert told(base, head) == []


OWN = {
    "name": "acme/pairing",
    "title": "Pairing",
    "why": "Two see more.",
    "tiers": {"data-science": "must"},
    "check": "git --version",
    "fix": "call somebody",
}
STATED = {
    "practice": "proper-editor",
    "by": "ml-engineer",
    "says": "VS Code",
    "date": date(2026, 11, 1),
    "expires": date(2027, 11, 1),
}


def says(project: Project, *own: dict[str, Any], **tables: Any) -> Project:
    """The project with this about practices in its handoff.toml."""
    return replace(project, practices={"practices": list(own), **tables})


def asked(base: Project, head: Project, name: str) -> Practice:
    practices = binding_registry(stricter(base, head)).practices
    (found,) = (practice for practice in practices if practice.name == name)
    return found


def told(base: Project, head: Project) -> list[str]:
    return [finding.message.partition(". The new value")[0] for finding in findings(base, head)]


def findings(base: Project, head: Project) -> list[Finding]:
    return loosened(stricter(base, head), head)


def test_a_practice_is_enforced_if_either_enforces_it(begun: Project) -> None:
    base = says(begun, enforce={"practices": ["typed"]})
    head = says(begun, enforce={"practices": ["linted"]})
    assert asked(base, head, "typed").enforced
    assert asked(base, head, "linted").enforced
    assert told(base, head) == ["practice typed in [enforce]: yes → no"]


def test_the_stricter_tier_counts(begun: Project) -> None:
    more = {"name": "linted", "tiers": {"data-science": "must"}}
    for base, head in ((says(begun, more), begun), (begun, says(begun, more))):
        assert asked(base, head, "linted").tier("data-science", 1) == "must"
    assert told(says(begun, more), begun) == [
        "tier of the practice linted for data-science: must → should"
    ]
    assert told(begun, says(begun, more)) == []


def test_an_own_practice_that_a_change_removes_or_redefines_still_counts(begun: Project) -> None:
    base = says(begun, OWN, enforce={"practices": ["acme/pairing"]})
    gone = asked(base, begun, "acme/pairing")
    assert (gone.check, gone.enforced) == ("git --version", True)
    assert told(base, begun) == ["practice acme/pairing: required → none"]
    less = says(begun, {**OWN, "check": "true", "stage": "promotion", "baseline": True})
    assert asked(base, less, "acme/pairing").stage == "handoff"
    assert asked(base, less, "acme/pairing").check == "git --version"
    assert told(base, less) == [
        "check of the practice acme/pairing: `git --version` → `true`",
        "first stage of the practice acme/pairing: handoff → promotion",
        "practice acme/pairing in [enforce]: yes → no",
        "practice acme/pairing in a baseline: never → allowed",
    ]


def test_a_practice_whose_check_a_change_removes_is_not_met(begun: Project) -> None:
    base = says(begun, {**OWN, "check": "acme_standards:gone"})
    results = assess(stricter(base, begun)).results
    (found,) = (o for o in results if o.practice.name == "acme/pairing")
    assert found.state == State.NOT_MET
    assert found.message.startswith("The change removes the check of this practice. The check of")


def test_a_statement_counts_if_both_have_it_until_the_earlier_day(begun: Project) -> None:
    other = {**STATED, "practice": "tools-introduced"}
    base = says(begun, statements=[{**STATED, "expires": date(2027, 1, 1)}])
    head = says(begun, statements=[STATED, other])
    (counts,) = binding_registry(stricter(base, head)).statements
    assert (counts.practice, counts.expires) == ("proper-editor", date(2027, 1, 1))
    assert binding_registry(stricter(base, begun)).statements == ()
    assert told(base, head) == [
        "statement of the ml-engineer on proper-editor: until 2027-01-01 → until 2027-11-01",
        "statement of the ml-engineer on tools-introduced: none → until 2027-11-01",
    ]


def test_the_smaller_number_of_each_baseline_entry_counts(begun: Project) -> None:
    side = "ml-engineering"
    base = replace(begun, baseline={("linted", side, "a.py"): 3, ("linted", side, "b.py"): 3})
    head = replace(
        begun,
        baseline={
            ("linted", side, "a.py"): 2,
            ("linted", side, "b.py"): 5,
            ("linted", side, "c.py"): 1,
            ("typed", side, "c.py"): 1,
        },
    )
    assert stricter(base, head).baseline == {
        ("linted", side, "a.py"): 2,
        ("linted", side, "b.py"): 3,
    }
    assert [(finding.file, finding.blocks) for finding in findings(base, head)] == [
        ("handoff-baseline.json", False)
    ] * 2
    assert told(base, head) == [
        "findings of linted for ml-engineering in the baseline: 5 → 8",
        "findings of typed for ml-engineering in the baseline: none → 1",
    ]


def test_a_change_can_correct_a_base_that_cannot_be_read(begun: Project) -> None:
    base = says(begun, {"name": "linted", "tiers": {"data-science": "always"}})
    assert asked(base, begun, "linted").tier("data-science", 1) == "should"
    assert told(base, begun) == []


def standards(root: Path, base: str) -> Project:
    """The project, held against a base whose engine has this practices.toml."""
    engine = root / "standards/baton_handoff-0.9.0-py3-none-any.whl"
    engine.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(engine, "w") as archive:
        archive.writestr("baton_handoff/policy/practices.toml", base)
    git(root, "add", "--all")
    with snapshots_of(root) as (snapshots, scratch):
        head = snapshots.working_directory()
        return change_from(find_project(root), snapshots, head, scratch / "base").policy


def test_a_change_that_edits_the_practices_of_the_standards_is_judged_by_those_of_its_base(
    root: Path,
) -> None:
    ours = SHIPPED.read_text(encoding="utf-8")
    first, name, rest = ours.partition('name = "linted"')
    tighter = re.sub(r"tiers = .*", 'tiers = { data-science = "must" }', rest, count=1)
    judging = standards(root, first + name + tighter)
    assert judging.base is not None
    (linted,) = (p for p in binding_registry(judging).practices if p.name == "linted")
    assert linted.tier("data-science", 1) == "must"
    assert "tier of the practice linted for data-science: must → should" in told(
        judging.base, find_project(root)
    )


@pytest.mark.parametrize(
    "text",
    ["x = [", "practices = 7\nsections = []\n", "[[practices]]\nname = 7\n", ""],
)
def test_base_practices_of_another_form_are_ignored(root: Path, text: str) -> None:
    def asks(practices: Iterable[Practice]) -> list[object]:
        return [(p.name, [p.tier(s, at) for s in SIDES for at in (0, 1, 2)]) for p in practices]

    assert asks(binding_registry(standards(root, text)).practices) == asks(shipped())


def test_a_check_that_only_the_base_knows_is_ignored(root: Path) -> None:
    ours = SHIPPED.read_text(encoding="utf-8")
    text = ours.replace('check = "linted"', 'check = "style_kept"')
    gone = text.replace('name = "typed"', 'name = "types-of-old"')
    gone = gone.replace('check = "typed"', 'check = "types_of_old"')
    assert gone.count("style_kept") == gone.count("types_of_old") == 1
    found = {p.name: p.check for p in binding_registry(standards(root, gone)).practices}
    assert found == {practice.name: practice.check for practice in shipped()}


def test_the_report_names_a_manual_edit_of_the_standards(
    root: Path, edit: Edit, lacks: Lacks
) -> None:
    edit(".copier-answers.yml", "_commit: v1\nlevel: 2\n")
    edit("standards/ruff.toml", "line-length = 100\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "standards")
    try:
        assert lacks() == []
        for name in ("a", "b", "c", "d"):
            edit(f"standards/{name}", "")
        (told,) = lacks()
        assert (told.check, told.blocks, told.file) == ("stricter-of-both", False, "standards/a")
        assert told.message.startswith(
            "standards/ was edited by hand (standards/a, standards/b, standards/c and 1 more). The"
            " edits judge this change already"
        )
        # An update: what the template has released is known.
        edit(".copier-answers.yml", "_commit: v2\nlevel: 2\n")
        assert lacks() == []
        edit("standards/ruff.toml", "line-length = 200\n")
        (told,) = lacks()
        assert told.message.startswith("standards/ was edited by hand (standards/ruff.toml). The")
    finally:
        git(root, "reset", "--quiet", "--hard", "HEAD~")


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("pyproject.toml", '[tool.ruff.lint]\nignore = ["ALL"]\n', "[tool.ruff] in pyproject.toml"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "[tool.pytest] in pyproject.toml"),
        ("ruff.toml", 'lint.ignore = ["ALL"]\n', "ruff.toml"),
        ("src/.ruff.toml", 'lint.ignore = ["ALL"]\n', "src/.ruff.toml"),
        ("pytest.ini", "[pytest]\n", "pytest.ini"),
    ],
)
def test_the_report_names_changed_settings_of_tools(
    edit: Edit, lacks: Lacks, path: str, text: str, said: str
) -> None:
    edit(path, text)
    (told,) = lacks()
    assert (told.file, told.blocks) == (path, False)
    assert told.message == (
        f"{said} changes. The new settings judge this change already: review them"
    )


def test_the_report_does_not_name_other_settings(edit: Edit, lacks: Lacks) -> None:
    edit("pyproject.toml", '[project]\nname = "trips"\n[tool.uv]\n')
    assert lacks() == []


def test_the_cloud_of_the_base_and_the_ci_of_the_change_count(begun: Project) -> None:
    base, head = (
        replace(begun, cloud=cloud, ci=ci) for cloud, ci in (("aws", "github"), ("none", "gitlab"))
    )
    binding = stricter(base, head)
    assert (binding.cloud, binding.ci) == ("aws", "gitlab")
    assert told(base, head) == ["`cloud`: aws → none"]
    assert stricter(replace(base, cloud="none"), replace(head, cloud="gcp")).cloud == "gcp"


@pytest.mark.parametrize(
    "said",
    ["", '[answerable]\n"src/trips/serving/" = "data-science"\n'],
    ids=["a team's name", "who answers"],
)
def test_a_change_of_responsibilities_passes_with_its_own_codeowners(
    root: Path, edit: Edit, said: str
) -> None:
    teams = 'level: {}\ndata_science_team: "@{}"\nml_engineering_team: "@ml"\n'
    edit(".copier-answers.yml", teams.format(2, "ds"))
    base = find_project(root)
    edit(".copier-answers.yml", teams.format(2, "ds" if said else "new"))
    edit("handoff.toml", SETTINGS + said)
    head = find_project(root)
    judging = stricter(base, head)

    def states() -> set[State]:
        results = assess(judging).results
        return {o.state for o in results if o.practice.name == "contracts-owned"}

    write_owners(base)
    assert states() == {State.NOT_MET}
    write_owners(head)
    assert states() == {State.MET}
    # The higher level says how many are asked, whatever the change says.
    write_owners(replace(head, level=1))
    assert states() == {State.NOT_MET}
