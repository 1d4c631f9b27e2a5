"""Requests and answers of the fake Hub, and connections that break off."""

import json
import re
import socket
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit


class Request(NamedTuple):
    """A request: method, decoded path, query, headers as they came, and body."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """RETURNS (str): Method and path."""
        return f"{self.method} {self.path}"

    @property
    def parts(self) -> list[str]:
        """RETURNS (list[str]): The parts of the path; a revision with slashes is one of them."""
        return [unquote(part) for part in self.headers["raw path"].strip("/").split("/")]

    @property
    def token(self) -> str | None:
        """RETURNS (str | None): The bearer token."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None

    def holds_token(self, tokens: Iterable[str]) -> bool:
        """RETURNS (bool): Whether a token came along anywhere."""
        everything = f"{self.query} {self.headers} {self.body!r}"
        return "authorization" in self.headers or any(token in everything for token in tokens)

    def json(self) -> Any:
        """RETURNS (Any): The body."""
        return json.loads(self.body)


class Answer(NamedTuple):
    """An answer: status, body and headers."""

    status: int
    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, value: Any) -> "Answer":
        """Make an answer of JSON."""
        return cls(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


class Refused(Exception):
    """An answer that is not the one hoped for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Refused:
    """Make an error as the Hub words it.

    status (int): Of HTTP.
    code (str): The Hub's own.
    message (str): What for.
    headers (dict[str, str] | None): More headers.
    RETURNS (Refused): To be raised.
    """
    about = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {}), **(headers or {})}
    return Refused(Answer(status, json.dumps({"error": message}).encode(), about))


class Handler(BaseHTTPRequestHandler):
    """One connection; what to answer is up to the server."""

    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        """Answer one request, or cut the connection in the middle."""
        split = urlsplit(self.path)
        path = unquote(split.path)
        cut = self.server.is_cut(f"{self.command} {path}")  # type: ignore
        length = int(self.headers.get("Content-Length") or 0)
        body = self.read_body(length // 2 if cut else length)
        headers = {key.lower(): value for key, value in self.headers.items()} | {"raw path": split.path}
        request = Request(self.command, path, dict(parse_qsl(split.query, keep_blank_values=True)), headers, body)
        if cut and length:
            return self.hang_up()
        try:
            answer = self.server.respond(request)  # type: ignore
        except Refused as error:
            answer = error.answer
        self.send(answer, cut=cut)

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def read_body(self, length: int) -> bytes:
        """Read a body of known length, or one in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(length)
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def send(self, answer: Answer, *, cut: bool) -> None:
        """Send an answer, or the first half of it (nothing more to those who ask for the rest)."""
        status, body, headers = answer
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start and status == 200:
            first = int(start[1])
            headers = {**headers, "Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
            status, body = 206, body[first:]
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if not cut else b"" if start else body[: len(body) // 2])
        if cut:
            self.hang_up()

    def hang_up(self) -> None:
        """Break the connection off."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
