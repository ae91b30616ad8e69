"""The proxy of the handbook lets only clients with a certificate ask the service (nginx)."""

import json
import os
import re
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baton import ROOT, Workshop, run
from tests.project import free_port, own_copy, service, wait_for

(RECIPE,) = re.findall(
    r"```nginx\n(.+?)```",
    (ROOT / "template/standards/handbook/run-the-service.md").read_text("utf-8"),
    re.DOTALL,
)
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  {temporary}
  {recipe}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Proxy:
    """The proxy's address, the folder of all certificates, and a request that the model answers."""

    address: str
    certificates: Path
    row: object

    def status(self, path: str, client: str | None) -> int:
        """Return the status of a request with the certificate of a client, or without one."""
        context = ssl.create_default_context(cafile=self.certificates / "service.pem")
        if client:
            of_client = self.certificates / client
            context.load_cert_chain(f"{of_client}.pem", f"{of_client}.key")
        request = urllib.request.Request(  # noqa: S310
            self.address + path, json.dumps(self.row).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def certify(folder: Path) -> None:
    """Make the service's certificate, and of two authorities one client each."""
    key = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    itself = ["-x509", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    run([*key, *itself, "-keyout", "service.key", "-out", "service.pem"], folder)
    for authority, client in (("clients-ca", "client"), ("strangers-ca", "stranger")):
        named = ["-x509", "-subj", f"/CN={authority}"]
        run([*key, *named, "-keyout", f"{authority}.key", "-out", f"{authority}.pem"], folder)
        signed = ["-x509", "-subj", f"/CN={client}", "-CA", f"{authority}.pem"]
        signed += ["-CAkey", f"{authority}.key"]
        run([*key, *signed, "-keyout", f"{client}.key", "-out", f"{client}.pem"], folder)


@pytest.fixture(scope="module")
def proxy(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Yield the handbook's proxy before a running service."""
    folder = tmp_path_factory.mktemp("proxy")
    certify(folder)
    project = own_copy(workshop, environment, folder / "project")
    golden = json.loads((project.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    port = free_port()
    with service(project) as (address, _):
        recipe = RECIPE.replace("listen 443 ", f"listen 127.0.0.1:{port} ")
        recipe = recipe.replace("http://service:8000", address)
        temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
        settings = folder / "nginx.conf"
        settings.write_text(
            NGINX.format(folder=folder, temporary=temporary, recipe=recipe), encoding="utf-8"
        )
        environ = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(settings)], env=environ) as it:
            try:
                wait_for(lambda: it.poll() is not None or (folder / "nginx.pid").exists())
                assert it.poll() is None, (folder / "error.log").read_text()
                yield Proxy(f"https://localhost:{port}", folder, golden)
            finally:
                it.send_signal(signal.SIGTERM)


def test_a_client_with_a_certificate_gets_a_prediction(proxy: Proxy) -> None:
    assert proxy.status("/predict", "client") == 200


@pytest.mark.parametrize("client", [None, "stranger"])
def test_every_other_client_is_refused(proxy: Proxy, client: str | None) -> None:
    assert proxy.status("/predict", client) == 400


@pytest.mark.parametrize("path", ["/docs", "/metrics", "/version", "/predict/x"])
def test_the_proxy_passes_on_nothing_but_predictions(proxy: Proxy, path: str) -> None:
    assert proxy.status(path, "client") == 404
