"""Three git providers on this machine, as far as a pull request's comments go.

They answer as the providers' documentation says: what they list, a page at a time, who may write,
and what they refuse.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "let-me-in"
READER = "let-me-look"
"""What a pull request from a fork is given: it may read."""

PR = 7
PLACES = {
    "github": rf"/repos/acme/flights/issues/(?:{PR}/comments|comments/(\d+))",
    "gitlab": rf"/projects/12/merge_requests/{PR}/notes(?:/(\d+))?",
    "azure": rf"/p/_apis/git/repositories/r/pullRequests/{PR}/threads(?:/(\d+)/comments/1)?",
}
CHANGING = {"github": "PATCH", "gitlab": "PUT", "azure": "PATCH"}


class Provider:
    """One of them, with one pull request.

    Attributes:
        name: Which one.
        address: Where its API is.
        texts: The comments under the pull request, by their number, the oldest first.
        closed: The numbers of those that hold up no change.
        asked: What it was asked for, by the methods.
    """

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        self.texts: dict[int, str] = {}
        self.closed: set[int] = set()
        self.asked: list[str] = []

    def env(self, token: str = TOKEN) -> dict[str, str]:
        """The environment variables of a job for its pull request."""
        match self.name:
            case "github":
                return {
                    "GITHUB_API_URL": self.address,
                    "GITHUB_REPOSITORY": "acme/flights",
                    "GITHUB_REF": f"refs/pull/{PR}/merge",
                    "GITHUB_TOKEN": token,
                }
            case "gitlab":
                return {
                    "CI_API_V4_URL": self.address,
                    "CI_MERGE_REQUEST_PROJECT_ID": "12",
                    "CI_MERGE_REQUEST_IID": str(PR),
                    "HANDOFF_TOKEN": token,
                }
            case _:
                return {
                    "SYSTEM_COLLECTIONURI": f"{self.address}/",
                    "SYSTEM_TEAMPROJECTID": "p",
                    "BUILD_REPOSITORY_ID": "r",
                    "BUILD_REPOSITORY_PROVIDER": "TfsGit",
                    "SYSTEM_PULLREQUEST_PULLREQUESTID": str(PR),
                    "SYSTEM_ACCESSTOKEN": token,
                }

    def answer(self, method: str, path: str, token: str, said: Any) -> tuple[int, Any]:
        """The status and the body of an answer."""
        place = re.fullmatch(PLACES[self.name], urlsplit(path).path)
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if token not in (TOKEN, READER):
            return 401, {"message": "Unauthorized"}
        if not place or (self.name == "azure" and query.get("api-version") != "7.1"):
            return 404, {"message": "Not Found"}
        if token == READER and method != "GET":
            return 403, {"message": "Resource not accessible"}
        self.asked.append(method)
        return self._done(method, int(place[1] or 0), query, said)

    def _done(self, method: str, number: int, query: dict[str, str], said: Any) -> tuple[int, Any]:
        if method == "GET" and not number:
            return 200, self._listed(query)
        if method == "POST" and not number:
            return 201, self._added(said)
        if method == CHANGING[self.name] and number in self.texts:
            self.texts[number] = said["content" if self.name == "azure" else "body"]
            return 200, {"id": number}
        return 405, {"message": "Method Not Allowed"}

    def _listed(self, query: dict[str, str]) -> Any:
        if self.name == "azure":
            return {"value": [self._thread(number) for number in self.texts]}
        # GitHub lists the oldest first, whatever is asked; GitLab the newest, if nothing is.
        numbers = sorted(self.texts)
        if self.name == "gitlab" and query.get("sort", "desc") == "desc":
            numbers.reverse()
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        shown = numbers[size * (page - 1) : size * page]
        return [{"id": number, "body": self.texts[number]} for number in shown]

    def _thread(self, number: int) -> dict[str, Any]:
        return {"id": number, "comments": [{"id": 1, "content": self.texts[number]}]}

    def _added(self, said: Any) -> Any:
        number = len(self.texts) + 1
        if self.name != "azure":
            self.texts[number] = said["body"]
            return {"id": number}
        (first,) = said["comments"]
        assert first["commentType"] == "text"
        self.texts[number] = first["content"]
        if said["status"] == "closed":
            self.closed.add(number)
        return self._thread(number)


@contextmanager
def hosted(name: str, made: Callable[[str, str], Provider] = Provider) -> Iterator[Provider]:
    """A provider that answers, on this machine alone."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            said = json.loads(self.rfile.read(length)) if length else None
            login = self.headers.get("Authorization", self.headers.get("PRIVATE-TOKEN", ""))
            status, body = provider.answer(
                self.command, self.path, login.removeprefix("Bearer "), said
            )
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = made(name, f"http://127.0.0.1:{server.server_port}")
    running = Thread(target=server.serve_forever, args=(0.05,))
    running.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        running.join()
