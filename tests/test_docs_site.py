"""`poe docs` builds a site that matches the code and loads nothing from other hosts."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.baton import FREE_TEXT, Workshop, commit, git, render
from tests.project import ENGINES, NO_CONTRACT, Project, send_request
from tests.slices import sampled
from tests.tables import flowers, write_csv

pytestmark = pytest.mark.slow

HANDBOOK = "standards/handbook/"

# A rule of each kind, in words.
RULES = {
    ("ScheduledFlight", "carrier"): "one of 16 values 9E, AA, AS, B6, DL, EV, F9, FL, HA, MQ, OO,"
    " UA, US, VX, WN, YV",
    ("ScheduledFlight", "origin"): "one of EWR, JFK, LGA",
    ("ScheduledFlight", "tail_number"): "text that matches ^[A-Z][A-Z0-9]{4,5}$",
    ("ScheduledFlight", "distance_mi"): "more than 0, at most 5000",
    ("ScheduledFlight", "humidity_pct"): "between 0 and 100",
    ("Features", "hour"): "at least 0, less than 24",
    ("Airports", "faa"): "text that matches ^[A-Z0-9]{3}$ unique",
    ("LabelledFlight", "late"): "",
}
SENTENCES = {
    "ScheduledFlight": {
        "each combination of carrier, flight_number, scheduled_departure may occur once",
        "the weather was observed within six hours of the departure",
        "the weather was published before the scheduled departure",
        "other columns are refused",
    },
    "Flights": {
        "each combination of carrier, flight, scheduled_departure may occur once",
        "a flight has an arrival delay exactly if it has a time in the air",
        "both times of the scheduled departure have the same minute",
        "other columns are refused",
    },
}


class Page(HTMLParser):
    """A parsed page of the site: its tables, lists, code blocks and links."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.items: set[str] = set()
        self.code: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self._since: dict[str, int] = {}
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.addresses += [
            str(attributes[name]) for name in ("href", "src", "action") if attributes.get(name)
        ]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("br", "summary"):
            self.text += " "
        self._since[tag] = len(self.text)

    def handle_endtag(self, tag: str) -> None:
        if tag == "summary":
            self.text += " "
        content = self.text[self._since.get(tag, 0) :].strip()
        if tag in ("td", "th"):
            self.tables[-1][-1].append(content)
        elif tag == "li":
            self.items.add(content)
        elif tag == "pre":
            self.code.append(content)

    def handle_data(self, data: str) -> None:
        self.text += data

    def rows(self, number: int) -> list[dict[str, str]]:
        """Return the rows of a table by the titles of its columns."""
        head, *rows = self.tables[number]
        return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(params=sampled("docs site", ENGINES, 1))
def flights(
    workshop: Workshop, environment: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Project:
    """Return a flights project at its first commit, with a name that needs HTML escaping."""
    answers = {"dataframe": request.param, "project_name": FREE_TEXT["project_name"][2]}
    names = {"project_slug": "flight-delays", "package_name": "flight_delays"}
    folder = render(workshop.template(), tmp_path / "project", answers | names)
    commit(folder, "first")
    return Project(folder, environment)


def contracts(project: Project, package: str) -> dict[str, dict[str, Any]]:
    """Return metadata and columns of each contract from a project's own code."""
    output = project.python(
        f"""
        import json
        from baton_handoff.contracts import canonical_form, contracts_of
        from {package} import contracts
        print(json.dumps({{
            name: {{**canonical_form(contract), "names": list(contract.to_schema().columns)}}
            for name, contract in contracts_of(contracts).items()
        }}))
        """
    )
    stated: dict[str, dict[str, Any]] = json.loads(output)
    return stated


def rejected_examples(project: Project, package: str, examples: dict[str, Any]) -> list[str]:
    """Return the examples that their contracts reject."""
    output = project.python(
        f"""
        import json
        from baton_handoff.contracts import contracts_of
        from baton_handoff.contracts.validation import accepts_rows
        from {package} import contracts
        known = contracts_of(contracts)
        examples = json.loads({json.dumps(examples)!r})
        print(json.dumps([n for n, row in examples.items() if not accepts_rows(known[n], [row])]))
        """
    )
    names: list[str] = json.loads(output)
    return names


def assert_matches_the_code(project: Project, package: str) -> None:
    """Assert that each contract has a page with metadata, columns and a valid example."""
    stated = contracts(project, package)
    site = project.folder / "site"
    listed = Page(site / "contracts" / "index.html").rows(0)
    assert {row["Contract"] for row in listed} == set(stated)
    examples = {}
    for name, form in stated.items():
        page = Page(site / "contracts" / f"{name}.html")
        (facts,) = page.rows(0)
        for fact in ("producer", "consumer", "version"):
            assert facts[fact.capitalize()] == form["metadata"][fact]
        columns = page.rows(1)
        assert [column["Name"] for column in columns] == form["names"]
        for column in columns:
            own = form["columns"][column["Name"]]
            assert column["Type"] == own["type"]
            assert column["Empty"] == ("allowed" if own["nullable"] else "no")
            assert column["Example"] != ""
        examples[name] = json.loads(page.code[0])
        assert list(examples[name]) == form["names"]
    assert rejected_examples(project, package, examples) == []


def assert_is_complete(site: Path) -> None:
    """Assert that no link leaves the site and that each inner link has a target."""
    pages = sorted(site.rglob("*.html"))
    assert pages
    for file in pages:
        for address in Page(file).addresses:
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) == ("", ""), f"{file}: {address}"
            # The 404 page is served at any path, so its links begin at the root.
            root = site if parts.path.startswith("/") else file.parent
            target = root / unquote(parts.path).lstrip("/") if parts.path else file
            assert target.exists(), f"{file}: {address}"
    for style in site.rglob("*.css"):
        fetched = re.findall(r"@import\s*(\S+)|url\(\s*['\"]?([^)'\"]+)", style.read_text("utf-8"))
        outside = [a or b for a, b in fetched if not (a or b).startswith("data:")]
        assert outside == []


def test_the_site_matches_the_code(flights: Project) -> None:
    result = flights("handoff", "docs")
    assert (result.stdout, result.stderr) == (
        "site/index.html   9 contracts, 3 pages of docs/\n",
        "",
    )
    site = flights.folder / "site"
    assert_matches_the_code(flights, "flight_delays")
    assert_is_complete(site)
    pages = {file.stem: Page(file) for file in (site / "contracts").glob("*.html")}
    for (contract, name), rule in RULES.items():
        (column,) = [row for row in pages[contract].rows(1) if row["Name"] == name]
        assert column["Rules"] == rule
    for contract, sentences in SENTENCES.items():
        assert sentences <= pages[contract].items
    listed = Page(site / "features.html")
    assert "features.html" in Page(site / "index.html").addresses
    features = {row["Feature"]: row for row in listed.rows(1)}
    assert [*features] == [row["Name"] for row in pages["Features"].rows(1)]
    for row in pages["Features"].rows(1):
        assert row["Meaning"] == features[row["Name"]]["Meaning"] != ""
    assert features["hour"]["Comes from"] == "Flights: scheduled_departure"
    assert features["aircraft_seats"]["Comes from"] == "Planes: seats, tailnum Flights: tailnum"
    assert features["hour"]["Type and range"] == "number at least 0, less than 24"
    assert features["hour"]["Answers"] == "data-science"
    (member,) = Page(site / "model.html").rows(0)
    assert (member["Takes"], member["Returns"]) == (
        "DataFrame[ScheduledFlight]",
        "DataFrame[DelayPrediction]",
    )
    answering = {row["Answers"]: row for row in Page(site / "who-answers.html").rows(0)}
    assert answering["ml-engineering"]["Team"] == "@ml-engineering"
    assert "src/flight_delays/serving/" in answering["ml-engineering"]["Paths"]
    radar = {row["Tool"]: row for row in Page(site / "radar.html").rows(0)}
    assert radar["dvc"]["Ring"] == "adopt"
    assert "git-lfs" in radar["dvc"]["Also considered"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", radar["dvc"]["Next review"])
    # The link of each alert.
    alerts = (flights.folder / "standards/observability/alerts.yml").read_text(encoding="utf-8")
    links = re.findall(r"\$externalLabels\.docs \}\}/(\S+)#([\w-]+)", alerts)
    assert links
    assert [
        f"{page}#{heading}"
        for page, heading in links
        if f'id="{heading}"' not in (site / page).read_text(encoding="utf-8")
    ] == []
    # The handbook's menu has the order of the work, not of the alphabet.
    addresses = [a for a in Page(site / "index.html").addresses if a.startswith(HANDBOOK)]
    assert [*dict.fromkeys(addresses)][2:5] == [
        f"{HANDBOOK}{name}.html" for name in ("explore", "state-a-contract", "change-a-feature")
    ]
    # Git ignores all of it, and none of it has an owner.
    assert git(flights.folder, "status", "--porcelain") == ""


def test_the_service_accepts_the_example_request(flights: Project) -> None:
    flights("handoff", "docs")
    page = Page(flights.folder / "site" / "api.html")
    endpoints = {row["Endpoint"]: row for row in page.rows(0)}
    assert endpoints["POST /predict"]["Request"] == "PredictionRequest"
    assert "422 Refusal" in endpoints["POST /predict"]["Responses"]
    fields = {row["Name"] for number in range(1, len(page.tables)) for row in page.rows(number)}
    assert {"rows", "carrier", "predictions", "late_probability", "version", "rule"} <= fields
    request, answer = page.code
    flights.python(
        f"""
        from flight_delays.contracts.api import PredictionRequest, PredictionResponse
        PredictionRequest.model_validate_json({request!r})
        PredictionResponse.model_validate_json({answer!r})
        """
    )


def test_a_changed_contract_changes_its_page(flights: Project) -> None:
    contract = flights.folder / "src/flight_delays/contracts/data.py"
    text = contract.read_text(encoding="utf-8")
    page = flights.folder / "site" / "contracts" / "ScheduledFlight.html"

    def rule() -> str:
        (column,) = [row for row in Page(page).rows(1) if row["Name"] == "humidity_pct"]
        return column["Rules"]

    flights("handoff", "docs")
    assert rule() == "between 0 and 100"
    contract.write_text(text.replace("ge=0, le=100)", "ge=0, le=99)", 1), encoding="utf-8")
    flights("handoff", "docs")
    assert rule() == "between 0 and 99"

    # Unreadable code gives one error message, and the site stays unchanged.
    contract.write_text(text.replace("ge=0, le=100)", "ge=0, le=many)", 1), encoding="utf-8")
    broken = flights("handoff", "docs", check=False)
    assert (broken.returncode, broken.stdout) == (2, "")
    assert re.fullmatch(
        r"flight_delays\.contracts can't be read: src/flight_delays/contracts/data\.py:\d+:"
        r" NameError: .*\n",
        broken.stderr,
    )
    assert rule() == "between 0 and 99"


def test_the_live_site_follows_a_change(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = Project(render(workshop.template(), tmp_path / "project", {}), environment)
    contract = project.folder / "src/flight_delays/contracts/data.py"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = f"http://127.0.0.1:{port}/contracts/ScheduledFlight.html"

    def wait_for_text(words: str, process: "subprocess.Popen[bytes]") -> bool:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if words in send_request(page)[1]:
                    return True
            assert process.poll() is None
            time.sleep(0.2)
        return False

    # A process that a shell starts in the background ignores Ctrl+C, as do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = ["handoff", "docs", "--serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=project.folder, env=os.environ | project.env) as process:
        try:
            assert wait_for_text("between 0 and 360", process)
            text = contract.read_text(encoding="utf-8")
            contract.write_text(text.replace("le=360", "le=359"), encoding="utf-8")
            assert wait_for_text("between 0 and 359", process)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("engine", sampled("docs site", ENGINES, 1))
def test_a_blank_project_has_a_site_before_and_after_its_first_contract(
    workshop: Workshop, environment: Path, tmp_path: Path, engine: str
) -> None:
    answers = {"starter": "blank", "dataframe": engine, "package_name": "mine"}
    folder = render(workshop.template(), tmp_path / "project", answers)
    commit(folder, "first")
    project = Project(folder, environment)
    assert (
        project("handoff", "docs").stdout
        == f"{NO_CONTRACT}site/index.html   5 contracts, 3 pages of docs/\n"
    )
    assert "There is no contract yet" in Page(folder / "site/contracts/index.html").text
    assert "It has no columns yet." in Page(folder / "site/contracts/ModelInput.html").text
    assert "It has no features yet." in Page(folder / "site/features.html").text
    assert_is_complete(folder / "site")

    table = write_csv(tmp_path / "flowers.csv", flowers())
    project("handoff", "contract", "new", str(table), "--target", "class")
    assert project("handoff", "docs").stdout == "site/index.html   5 contracts, 3 pages of docs/\n"
    assert_matches_the_code(project, "mine")
    features = {row["Feature"]: row for row in Page(folder / "site/features.html").rows(1)}
    assert features["petal_length_cm"]["Comes from"] == "Source: petal_length_cm"
    assert features["season"]["Meaning"] == "no description"
    assert_is_complete(folder / "site")


@pytest.fixture
def own(workshop: Workshop, environment: Path, tmp_path: Path) -> Project:
    """Return a project with its own Markdown pages and settings."""
    folder = render(workshop.template(), tmp_path / "project", {})
    (folder / "docs/decisions").mkdir(exist_ok=True)
    for name, text in {
        "docs/guide.md": "# Guide\n\n[First](decisions/first.md), [home](../README.md),"
        " [input](../contracts/ScheduledFlight.md), [code](../src/x.py)\n",
        "docs/decisions/first.md": "# First\n\nWe wrote it down.\n",
        "mkdocs.yml": "site_name: Ours\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Project(folder, environment)


def test_a_teams_own_pages_and_settings_are_added_to_the_site(own: Project) -> None:
    output = own("handoff", "docs").stdout.splitlines()
    # A link into the code is reported and does not prevent the build.
    assert "'docs/guide.md' contains a link '../src/x.py'" in output[0]
    assert output[1:] == ["site/index.html   9 contracts, 5 pages of docs/"]
    site = own.folder / "site"
    assert "We wrote it down." in Page(site / "docs/decisions/first.html").text
    home = (site / "index.html").read_text(encoding="utf-8")
    assert "<title>Ours</title>" in home
    # Settings that the project does not set keep their defaults.
    assert 'href="dictionary.css"' in home
    # The first line that settings needed before the engine contained the other settings.
    settings = own.folder / "mkdocs.yml"
    settings.write_text("INHERIT: standards/docs/mkdocs.yml\nsite_name: Theirs\n", "utf-8")
    own("handoff", "docs")
    assert "<title>Theirs</title>" in (site / "index.html").read_text(encoding="utf-8")
    addresses = Page(site / "docs/guide.html").addresses
    for target in ("decisions/first.html", "../index.html", "../contracts/ScheduledFlight.html"):
        assert target in addresses
        assert (site / "docs" / target).exists()


@pytest.mark.parametrize(
    ("settings", "content"),
    [
        ("INHERIT: nowhere.yml\n", "mkdocs.yml can't be used: Inherited config file"),
        ("nav: 3\n", "mkdocs.yml can't be used: nav:"),
        ("- nav\n", "mkdocs.yml can't be used: it holds no settings."),
        ("nav: [lost.md]\n", "The site can't be built: A reference to 'lost.md'"),
    ],
)
def test_invalid_settings_give_one_error_message(own: Project, settings: str, content: str) -> None:
    (own.folder / "mkdocs.yml").write_text(settings, encoding="utf-8")
    done = own("handoff", "docs", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert content in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (own.folder / "site").exists()


def test_a_folder_without_a_generated_site_is_kept(own: Project) -> None:
    theirs = own.folder / "site" / "plan.txt"
    theirs.parent.mkdir()
    theirs.write_text("bricks", encoding="utf-8")
    done = own("handoff", "docs", check=False)
    assert done.returncode == 2
    assert "was not made by `uv run poe docs`" in done.stderr
    assert theirs.read_text(encoding="utf-8") == "bricks"
