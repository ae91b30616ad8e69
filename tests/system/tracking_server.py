"""A team's tracking server on this machine's loopback, with the files in standards/tracking-server.

Packages, settings and commands equal those of a project; only the addresses differ. It runs without
Docker: PostgreSQL is Debian's, S3 a simulator.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from filelock import FileLock

from tests.baton import ROOT, run
from tests.project import free_port, send_request

HOST = "127.0.0.1"
PASSWORD = "p@ss/word %1"  # noqa: S105  # special characters must work without quoting


class Database:
    """A PostgreSQL server of an ordinary user, in a separate folder."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.client = {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": user,
            "PGDATABASE": user,
            "PGPASSWORD": PASSWORD,
        }
        (folder / "password").write_text(PASSWORD)
        run(["chown", "--recursive", "postgres:postgres", folder], folder)
        login = (f"--username={user}", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256")
        self._as_postgres("initdb", "--no-sync", *login)
        self.start()
        run(["createdb", user], folder, env=self.client)

    def start(self) -> None:
        """Start the server; after a kill it recovers first."""
        options = f"-p {self.port} -c listen_addresses={HOST} -k {self.folder}"
        log = f"--log={self.folder / 'log'}"
        self._as_postgres("pg_ctl", "start", "--wait", log, f"--options={options}")

    def kill(self) -> None:
        """Kill the server immediately."""
        self._as_postgres("pg_ctl", "stop", "--mode=immediate")

    def query(self, sql: str) -> list[str]:
        """Run an SQL query; return its rows."""
        return run(["psql", "-XqAtc", sql], self.folder, env=self.client).stdout.splitlines()

    @contextmanager
    def holding(self, table: str) -> Iterator[None]:
        """Lock a table, so that writers wait."""
        with subprocess.Popen(
            ["psql", "-XqAt"],
            env=os.environ | self.client,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as psql:
            assert psql.stdin
            assert psql.stdout
            psql.stdin.write(f"begin; lock {table} in share mode; select 'held';\n")
            psql.stdin.flush()
            assert psql.stdout.readline() == "held\n"
            yield

    def wait_for_a_writer(self) -> None:
        """Wait until a writer waits for a locked table."""
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        for _ in range(600):
            if self.query(waiting) == ["1"]:
                return
            time.sleep(0.2)
        raise AssertionError("no client has written to the table")

    def _as_postgres(self, command: str, *options: str) -> None:
        *_, program = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{command}"))
        user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        # A pipe would stay open as long as the server runs.
        with (self.folder / "output").open("w") as output:
            subprocess.run(
                [*user, program, f"--pgdata={self.folder / 'data'}", *options],
                cwd=self.folder,
                check=True,
                stdout=output,
                stderr=output,
            )


class TrackingServer:
    """The server of compose.yaml, with the addresses of this machine."""

    def __init__(self, project: Path, database: Database, aws: Mapping[str, str]) -> None:
        self.folder = project / "standards/tracking-server"
        self.compose: dict[str, Any] = yaml.safe_load((self.folder / "compose.yaml").read_text())
        self.environment = _environment(self.folder / "requirements.txt")
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        secrets = dict.fromkeys(["POSTGRES_PASSWORD", "ADMIN_PASSWORD", "SECRET_KEY"], PASSWORD)
        self.dot_env = {**aws, **secrets, "BUCKET": "team"}
        self.elsewhere = {
            "PGHOST": HOST,
            "PGPORT": str(database.port),
            "MLFLOW_HOST": HOST,
            "MLFLOW_PORT": str(self.port),
            "AWS_ENDPOINT_URL": aws["AWS_ENDPOINT_URL"],
        }

    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        """Create the bucket and run the server in a context; the folder gets their files."""
        bucket = self.compose["services"]["bucket"]["command"]
        run(bucket, folder, env=self._settings("bucket"))
        run(bucket, folder, env=self._settings("bucket"))  # each later start does this, too
        login = folder / "login.ini"
        login.write_text(self.compose["configs"]["login"]["content"])
        settings = self._settings("server") | {"MLFLOW_AUTH_CONFIG_PATH": str(login)}
        dockerfile = self.compose["services"]["server"]["build"]["dockerfile_inline"]
        (command,) = re.findall(r"(?m)^CMD (.*)", dockerfile)
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(
                json.loads(command), cwd=folder, env=settings, stdout=log, stderr=log
            ) as process,
        ):
            try:
                self._wait(process, folder / "log")
                yield
            finally:
                process.terminate()

    def add_login(self, name: str) -> None:
        """Add a user's login, as the handbook describes."""
        user = json.dumps({"username": name, "password": PASSWORD})
        api = f"{self.address}/api/2.0/mlflow/users/create"
        run(
            [
                "curl",
                "--fail",
                "--noproxy",
                "*",
                "--user",
                f"admin:{PASSWORD}",
                "--json",
                user,
                api,
            ],
            self.folder,
        )

    def login(self, name: str) -> dict[str, str]:
        """Return the environment variables of a client."""
        return {
            "MLFLOW_TRACKING_URI": self.address,
            "MLFLOW_TRACKING_USERNAME": name,
            "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        }

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            with suppress(OSError):
                assert send_request(f"{self.address}/health") == (200, "OK")
                return
            time.sleep(0.2)
        raise AssertionError(log.read_text())

    def _settings(self, service: str) -> dict[str, str]:
        """Return the environment of a service, as Compose computes it from settings and `.env`."""
        written = self.compose["services"][service]["environment"]
        passed_on = {name: self.dot_env[name] for name in written if name in self.dot_env}
        filled_in = {
            name: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: self.dot_env[match[1]], str(value))
            for name, value in written.items()
            if value is not None
        }
        path = {"PATH": os.pathsep.join([str(self.environment / "bin"), os.defpath])}
        return path | passed_on | filled_in | self.elsewhere


def _environment(requirements: Path) -> Path:
    """Return a virtual environment with the packages of the server's image, cached in .cache/."""
    place = ROOT / ".cache" / "tracking-server"
    place.parent.mkdir(exist_ok=True)
    made, wanted = place / "made-for.txt", requirements.read_text()
    with FileLock(f"{place}.lock"):
        if not made.exists() or made.read_text() != wanted:
            run(["uv", "venv", "--quiet", "--clear", place], ROOT)
            install = ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", place)
            run([*install, "--requirement", requirements], ROOT)
            made.write_text(wanted)
    return place


@contextmanager
def running_database() -> Iterator[Database]:
    """Run the database in a context, with the user in compose.yaml."""
    with TemporaryDirectory(dir="/var/tmp", prefix="baton-database-") as folder:
        database = Database(Path(folder), "mlflow")
        try:
            yield database
        finally:
            database.kill()
