"""The running service, compared with MLflow's server of the same model and a bare estimator."""

import http.client
import json
import math
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.measure import POE, Result, in_turns, ratio
from tests.baton import ROOT, run
from tests.project import free_port

INSIDE = Path(__file__).parent / "inside"
COLLECTOR = ROOT / "tests" / "system" / "inside" / "collector.py"
ROWS, WARM = 1000, 100
"""The number of real rows, and of warm-up requests."""

LONG_TURNS, LONG_ALONE = 10, 3
"""The same for requests with many rows."""

TURNS, ALONE = 40, 10
"""The number of turns of each server with one client, and of requests per turn: short turns share
the quiet and busy moments of the machine equally."""

ROUNDS, CLIENTS, EACH = 5, 8, 20
"""The number of rounds with parallel clients, of clients, and of requests of each client."""

LATENCY, LONG_LATENCY, THROUGHPUT, MEMORY, AIM, SEEN = 0.08, 0.5, 15.0, 0.5, 5.0, 1.1
CLIFF = 1.1
"""How much longer 101 rows may take than 100."""


@dataclass(frozen=True)
class Question:
    """One request: its body, and the probability of a correct response to its first row."""

    body: bytes
    chance: float


@dataclass(frozen=True)
class Server:
    """A server under measurement.

    Attributes:
        port: Its port on this machine.
        path: The path of the requests.
        questions: The requests.
        chance: Extracts the probability from a response.
        pid: The id of its first process.
        milliseconds: The response times with one client so far.
    """

    port: int
    path: str
    questions: Sequence[Question]
    chance: Callable[[Any], float]
    pid: int
    milliseconds: list[float] = field(default_factory=list)

    def warm_up(self) -> None:
        """Send warm-up requests, which are not measured."""
        self._send(WARM, first=0)

    def with_rows(self, questions: Sequence[Question]) -> "Server":
        """Return the same server, asked other questions."""
        return replace(self, questions=questions, milliseconds=[])

    def p50(self) -> float:
        """Return the median response time with one client, in milliseconds."""
        times = LONG_ALONE if len(self.questions) == 1 else ALONE
        took = self._send(times, first=len(self.milliseconds))
        self.milliseconds.extend(took)
        return statistics.median(took)

    def throughput(self) -> float:
        """Measure correct responses per second with parallel clients."""
        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda client: self._send(EACH, first=client * EACH), range(CLIENTS)))
        return CLIENTS * EACH / (time.perf_counter() - began)

    def megabytes(self) -> float:
        """Return the memory of its processes; shared memory counts proportionally."""
        return sum(map(_proportional, _tree(self.pid))) / 1024

    def _send(self, times: int, first: int) -> list[float]:
        """Send requests and check the responses; return each response time in milliseconds."""
        took = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for question in islice(cycle(self.questions), first % ROWS, first % ROWS + times):
            began = time.perf_counter()
            status, reply = answer(connection, self.path, question.body)
            took.append(1000 * (time.perf_counter() - began))
            assert status == 200, reply
            assert math.isclose(self.chance(json.loads(reply)), question.chance, abs_tol=1e-9)
        connection.close()
        return took


def measure(project: Path) -> list[Result]:
    """Send requests to all servers in turns, in a project whose pipeline has run."""
    run([*POE, "register"], project)
    python = project / ".venv" / "bin" / "python"
    parsed = json.loads(run([python, INSIDE / "questions.py", str(ROWS)], project).stdout)
    rows, features, chances = parsed["rows"], parsed["features"], parsed["predictions"]
    registry = {"MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}"}
    version = "models:/flight-delays@candidate"
    with ExitStack() as stack:

        def start(
            command: Callable[[str], list[str | Path]],
            path: str,
            bodies: Sequence[object],
            chance: Callable[[Any], float],
            **env: str,
        ) -> Server:
            port = free_port()
            running = _running(command(str(port)), port, project, registry | env)
            pid = stack.enter_context(running)
            questions = [
                Question(json.dumps(body).encode(), probability)
                for body, probability in zip(bodies, chances, strict=True)
            ]
            return Server(port, path, questions, chance, pid)

        def handoff(command: Callable[[str], list[str | Path]], **env: str) -> Server:
            bodies = [{"rows": [row]} for row in rows]
            return start(command, "/predict", bodies, _probability, **env)

        def serve(port: str, *options: str) -> list[str | Path]:
            return [python.with_name("handoff"), "serve", "--port", port, *options]

        ours = handoff(serve)
        two = handoff(lambda port: serve(port, "--workers", "2"))
        mlflow = start(
            lambda port: [
                *(python.with_name("mlflow"), "models", "serve", "--model-uri", version),
                *("--env-manager", "local", "--port", port),
            ],
            "/invocations",
            [{"inputs": [row]} for row in rows],
            _probability,
        )
        bare = start(
            lambda port: [python, INSIDE / "bare.py", port],
            "/predict",
            [[row] for row in features],
            lambda reply: reply[0],
        )
        for server in (ours, two, mlflow, bare):
            server.warm_up()
        quick = in_turns(ours.p50, mlflow.p50, bare.p50, times=TURNS)
        many = in_turns(ours.throughput, mlflow.throughput, two.throughput, times=ROUNDS)
        long = _long_requests(ours, mlflow, rows, chances[0])
        memory = ours.megabytes(), mlflow.megabytes(), two.megabytes()
        unexpected = _count_unexpected_responses(ours, rows[0])

        listening = free_port()
        collector: list[str | Path] = [python, COLLECTOR, str(listening)]
        stack.enter_context(_running(collector, listening, project, {}))
        seen = handoff(serve, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{listening}")
        unseen = handoff(lambda port: [python, INSIDE / "unseen.py", port])
        for server in (seen, unseen):
            server.warm_up()
        watched = in_turns(seen.p50, unseen.p50, times=3 * TURNS)
        return [
            *_results(
                quick,
                [statistics.quantiles(s.milliseconds, n=100)[98] for s in (ours, mlflow)],
                many,
                memory,
                unexpected,
            ),
            *long,
            _observability_cost(*watched),
        ]


def _probability(answer: Any) -> float:
    chance: float = answer["predictions"][0]["late_probability"]
    return chance


def _observability_cost(seen: Sequence[float], unseen: Sequence[float]) -> Result:
    times = ratio(seen, unseen)
    return Result(
        "one row, p50, ms, with log, figures and traces",
        statistics.median(seen),
        "the same service without all three",
        *(statistics.median(unseen), times),
        *(f"≤ {SEEN:g} x", times <= SEEN),
    )


def _results(
    quick: Sequence[Sequence[float]],
    p99: Sequence[float],
    many: Sequence[Sequence[float]],
    memory: tuple[float, float, float],
    unexpected: int,
) -> list[Result]:
    theirs = "`mlflow models serve` of the same version"
    bare = "the estimator alone, on ready features, nothing checked or logged"
    p50 = [statistics.median(took) for took in quick]
    latency, throughput = ratio(quick[0], quick[1]), ratio(many[2], many[1])
    return [
        Result(
            "one row, p50, ms",
            *(p50[0], theirs, p50[1], latency),
            *(f"≤ {LATENCY:g} x", latency <= LATENCY),
        ),
        Result("one row, p99, ms", p99[0], theirs, p99[1], p99[0] / p99[1], "none: stated", True),
        Result(
            "one row, p50, ms",
            *(p50[0], bare, p50[2], ratio(quick[0], quick[2])),
            *(f"aim: < {AIM:g} ms", p50[0] < AIM),
        ),
        Result(
            f"right answers a second to {CLIENTS} clients, one worker",
            *(statistics.median(many[0]), theirs, statistics.median(many[1])),
            *(ratio(many[0], many[1]), "none: stated", True),
        ),
        Result(
            "the same, two workers",
            *(statistics.median(many[2]), theirs, statistics.median(many[1]), throughput),
            *(f"≥ {THROUGHPUT:g} x", throughput >= THROUGHPUT),
        ),
        Result(
            "memory of the whole process tree, proportional, one worker, MB",
            *(memory[0], theirs, memory[1], memory[0] / memory[1]),
            *(f"≤ {MEMORY:g} x", memory[0] / memory[1] <= MEMORY),
        ),
        Result(
            "the same, two workers",
            *(memory[2], theirs, memory[1], memory[2] / memory[1], "none: stated", True),
        ),
        Result(
            "answers to garbage among real rows that are not 4xx",
            *(unexpected, "", None, None, "0", unexpected == 0),
        ),
    ]


def _long_requests(
    ours: Server, mlflow: Server, rows: Sequence[dict[str, Any]], chance: float
) -> list[Result]:
    """Compare requests with a thousand rows, and those with 100 and 101."""

    def asked(server: Server, name: str, count: int) -> Server:
        body = json.dumps({name: rows[:count]}).encode()
        return server.with_rows([Question(body, chance)])

    servers = [asked(ours, "rows", 1000), asked(mlflow, "inputs", 1000)]
    servers += [asked(ours, "rows", count) for count in (101, 100)]
    took = in_turns(*(server.p50 for server in servers), times=LONG_TURNS)
    p50 = [statistics.median(times) for times in took]
    latency, cliff = ratio(took[0], took[1]), ratio(took[2], took[3])
    return [
        Result(
            "1,000 rows, p50, ms",
            *(p50[0], "`mlflow models serve` of the same version", p50[1], latency),
            *(f"≤ {LONG_LATENCY:g} x", latency <= LONG_LATENCY),
        ),
        Result(
            "101 rows, p50, ms",
            *(p50[2], "100 rows", p50[3], cliff, f"≤ {CLIFF:g} x", cliff <= CLIFF),
        ),
    ]


def _count_unexpected_responses(server: Server, row: dict[str, Any]) -> int:
    """Send invalid and valid requests in parallel; return the number of unexpected responses."""
    bodies = [
        *(b"\xff\xfe", b"[", b"{}", b'{"rows": 7}'),
        *(
            json.dumps({"rows": [row | wrong]}).encode()
            for wrong in ({"humidity_pct": 140.0}, {"carrier": "??"}, {"origin": None})
        ),
    ]
    other: list[int] = []
    done = threading.Event()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for body in cycle(bodies):
            status, _ = answer(connection, server.path, body)
            if not 400 <= status < 500:
                other.append(status)
            if done.is_set():
                break

    thread = threading.Thread(target=send)
    thread.start()
    try:
        server.throughput()
    finally:
        done.set()
        thread.join()
    return len(other)


def answer(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    """Send one request; return status and body of the response."""
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answered = connection.getresponse()
    return answered.status, answered.read()


@contextmanager
def _running(
    command: Sequence[str | Path], port: int, project: Path, other: dict[str, str]
) -> Iterator[int]:
    """Run a server in a project; yield its process id as soon as it listens."""
    path = os.pathsep.join([str(project / ".venv" / "bin"), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"} | other  # as in the tasks
    # The output goes to a file, which costs about the same as in production.
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, cwd=project, env=env, stdout=subprocess.DEVNULL, stderr=log
        ) as process,
    ):
        try:
            _listens(process, port)
            yield process.pid
        finally:
            if process.poll() is None:
                for pid in reversed(_tree(process.pid)):
                    os.kill(pid, signal.SIGTERM)


def _listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(600):
        assert process.poll() is None, f"{process.args!r} has ended"
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"{process.args!r} does not listen")


def _tree(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants, the first process first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _proportional(pid: int) -> int:
    """Return a process's proportional set size, in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
