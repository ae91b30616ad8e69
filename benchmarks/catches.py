"""Contract changes that `handoff contract diff` and two other tools detect.

griffe reads the same code. datacontract-cli can't read pandera, so it gets the same contract as a
hand-written ODCS file, which is its best case.
"""

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.baton import git, run

GRIFFE = "griffe==2.4.1"
DATACONTRACT = "datacontract-cli==1.2.8"
PACKAGE = "flight_delays"
DATA, MODEL = "contracts/data.py", "contracts/model.py"
Contract = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of a contract, in the form that each tool needs.

    Attributes:
        summary: The change, in words.
        breaks: Whether the change breaks a user of the old contract.
        file: The changed file, relative to the package.
        before: The replaced text; the first occurrence counts.
        after: The new text.
        in_yaml: The same change of an ODCS file, None if ODCS can't express it.
    """

    summary: str
    breaks: bool
    file: str
    before: str
    after: str
    in_yaml: Callable[[Contract], object] | None


def compare(project: Path, folder: Path) -> str:
    """Return a Markdown table with the result of each tool.

    Args:
        project: A flights project that has been set up and committed.
        folder: The folder for the ODCS files.
    """
    results = {change.summary: _tools(change, project, folder) for change in CHANGES}
    right = [
        sum((bool(results[change.summary][tool]) == change.breaks) for change in CHANGES)
        for tool in range(3)
    ]
    lines = [
        f"| change | breaks | `handoff contract diff` | {GRIFFE} | {DATACONTRACT} |",
        "|---|---|---|---|---|",
        *(
            f"| {change.summary} | {'yes' if change.breaks else 'nobody'} | "
            + " | ".join(
                _cell(answer, right=bool(answer) == change.breaks)
                for answer in results[change.summary]
            )
            + " |"
            for change in CHANGES
        ),
        f"| right, of {len(CHANGES)} | | " + " | ".join(map(str, right)) + " |",
    ]
    return "\n".join([*lines, "", NOTE])


NOTE = f"""\
A cell says whom the tool calls broken; in bold where it is wrong. {GRIFFE} knows no sides.
{DATACONTRACT} can't read pandera: it compared the same contract written by hand as an ODCS file,
a second statement of it that somebody has to keep true, and asked from both perspectives. That a
table refuses columns it does not know, ODCS can't say: hence one side where there are two."""


def _cell(answer: list[str] | None, *, right: bool) -> str:
    text = "can't say" if answer is None else " and ".join(answer) or "nobody"
    return text if right else f"**{text}**"


def _tools(change: Change, project: Path, folder: Path) -> list[list[str] | None]:
    """Return the sides that each tool reports as broken; None if it can't read the change."""
    file = project / "src" / PACKAGE / change.file
    text = file.read_text(encoding="utf-8")
    assert change.before in text, f"{change.file} has no {change.before!r}"
    file.write_text(text.replace(change.before, change.after, 1), encoding="utf-8")
    try:
        return [_handoff(project), _griffe(project), _datacontract(change, folder)]
    finally:
        file.write_text(text, encoding="utf-8")


def _handoff(project: Path) -> list[str]:
    handoff = str(project / ".venv/bin/handoff")
    diff = [handoff, "diff", "--base", "HEAD", "--format", "json"]
    findings = json.loads(run(diff, project, check=False).stdout)
    evidence = [line for finding in findings for line in finding["evidence"]]
    return _roles(line.partition("breaking for ")[2] for line in evidence)


def _griffe(project: Path) -> list[str]:
    head = git(project, "rev-parse", "HEAD").strip()
    check = ["uvx", "--quiet", GRIFFE, "check", PACKAGE, "--search", "src", "--against", head]
    return ["somebody"] if _objects(check, project) else []


def _datacontract(change: Change, folder: Path) -> list[str] | None:
    if change.in_yaml is None:
        return None
    after = copy.deepcopy(ODCS)
    change.in_yaml(after)
    for name, contract in (("before.yaml", ODCS), ("after.yaml", after)):
        (folder / name).write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    command = ["uvx", "--quiet", "--from", DATACONTRACT, "datacontract", "breaking"]
    return [
        role
        for role in ("producer", "consumer")
        if _objects([*command, "--perspective", role, "before.yaml", "after.yaml"], folder)
    ]


def _objects(command: list[str], folder: Path) -> bool:
    """Return whether a tool reports a breaking change; a usage error raises."""
    done = run(command, folder, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode == 1


def _roles(texts: Iterable[str]) -> list[str]:
    text = " ".join(texts)
    return [role for role in ("producer", "consumer") if role in text]


ODCS: Contract = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "scheduled-flight",
    "name": "ScheduledFlight",
    "version": "1.0.0",
    "status": "active",
    "schema": [
        {
            "name": "ScheduledFlight",
            "logicalType": "object",
            "properties": [
                {
                    "name": "origin",
                    "logicalType": "string",
                    "required": True,
                    "description": "the FAA code of the airport it leaves",
                    "quality": [
                        {
                            "type": "library",
                            "metric": "invalidValues",
                            "arguments": {"validValues": ["EWR", "JFK", "LGA"]},
                            "mustBe": 0,
                        }
                    ],
                },
                {
                    "name": "flight_number",
                    "logicalType": "integer",
                    "required": True,
                    "logicalTypeOptions": {"minimum": 1, "maximum": 9999},
                },
                {
                    "name": "distance_mi",
                    "logicalType": "number",
                    "required": True,
                    "logicalTypeOptions": {"exclusiveMinimum": 0, "maximum": 5000},
                },
                {"name": "visibility_mi", "logicalType": "number", "required": False},
            ],
            "quality": [
                {
                    "type": "sql",
                    "query": "SELECT COUNT(*) FROM flights WHERE published > scheduled_departure",
                    "mustBe": 0,
                }
            ],
        }
    ],
}
"""The part of `ScheduledFlight` that the changes touch, in the Open Data Contract Standard."""


def _properties(contract: Contract) -> list[Any]:
    properties: list[Any] = contract["schema"][0]["properties"]
    return properties


def _property(contract: Contract, name: str) -> Any:
    return next(each for each in _properties(contract) if each["name"] == name)


def _values(contract: Contract) -> list[str]:
    values: list[str] = _property(contract, "origin")["quality"][0]["arguments"]["validValues"]
    return values


def _maximum(value: int) -> Callable[[Contract], object]:
    def change(contract: Contract) -> None:
        _property(contract, "flight_number")["logicalTypeOptions"]["maximum"] = value

    return change


CARRIER = '    carrier: str = Field(isin=CARRIERS, description="the airline\'s IATA code")\n'
NUMBER = "    flight_number: int = Field(ge=1, le=9999)\n"
CHANGES = [
    Change(
        "a column removed",
        True,
        DATA,
        "    visibility_mi: float = Field(nullable=True, ge=0, le=10)\n",
        "",
        lambda contract: _properties(contract).pop(),
    ),
    Change(
        "a required column added",
        True,
        DATA,
        CARRIER,
        f"    mood: str\n{CARRIER}",
        lambda contract: _properties(contract).append(
            {"name": "mood", "logicalType": "string", "required": True}
        ),
    ),
    Change("a range tightened", True, DATA, "le=9999", "le=999", _maximum(999)),
    Change("a range widened", True, DATA, "le=9999", "le=99999", _maximum(99999)),
    Change(
        "another type",
        True,
        DATA,
        "flight_number: int",
        "flight_number: float",
        lambda contract: _property(contract, "flight_number").update(logicalType="number"),
    ),
    Change(
        "a category added",
        True,
        DATA,
        "origin: str = Field(isin=ORIGINS",
        'origin: str = Field(isin=[*ORIGINS, "SWF"]',
        lambda contract: _values(contract).append("SWF"),
    ),
    Change(
        "a category removed",
        True,
        DATA,
        "origin: str = Field(isin=ORIGINS",
        "origin: str = Field(isin=ORIGINS[:2]",
        lambda contract: _values(contract).pop(),
    ),
    Change(
        "nulls allowed",
        True,
        DATA,
        "distance_mi: float = Field(gt=0",
        "distance_mi: float = Field(nullable=True, gt=0",
        lambda contract: _property(contract, "distance_mi").update(required=False),
    ),
    Change(
        "a rule of its own changed",
        True,
        DATA,
        '(published <= nw.col("scheduled_departure"))',
        '(published < nw.col("scheduled_departure"))',
        lambda contract: contract["schema"][0]["quality"][0].update(
            query="SELECT COUNT(*) FROM flights WHERE published >= scheduled_departure"
        ),
    ),
    Change(
        "only a description",
        False,
        DATA,
        "the FAA code of the airport it leaves",
        "where it leaves, by its FAA code",
        lambda contract: _property(contract, "origin").update(description="where it leaves"),
    ),
    Change(
        "only the order of columns",
        False,
        DATA,
        CARRIER + NUMBER,
        NUMBER + CARRIER,
        lambda contract: _properties(contract).reverse(),
    ),
    Change(
        "the model asks for an argument more",
        True,
        MODEL,
        "flights: DataFrame[ScheduledFlight], /",
        "flights: DataFrame[ScheduledFlight], late_after: int, /",
        None,
    ),
]
