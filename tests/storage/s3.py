"""An S3 over real HTTP for tests, and a proxy in front of it that fails as networks do."""

import http.client
import logging
import random
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "corpora"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def served() -> Iterator[str]:
    """The URL of an S3 with an empty bucket; the environment points to it meanwhile."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with environment(url):
            client(url).create_bucket(Bucket=BUCKET)
            yield url
    finally:
        server.stop()


@contextmanager
def environment(url: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}.items():
            patch.setenv(name, value)
        yield


def client(url: str) -> Any:
    """Amazon's own client, which sees the objects as others do."""
    keys = {name.lower(): value for name, value in ENVIRONMENT.items() if "REGION" not in name}
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)


@contextmanager
def failing(
    url: str, errors: float = 0.05, drops: float = 0.01, late_share: float = 0.5, seed: int = 7, without: str = ""
) -> Iterator[tuple[str, dict[str, int]]]:
    """A proxy that answers that share of calls with 500 or 503 and drops that share of connections.

    Some of them after the call was done, so that the answer is lost. The counts say what was done. ``without`` is a
    header of requests that is left out.
    """
    chance, counts, lock = random.Random(seed), {"calls": 0, "errors": 0, "drops": 0, "lost": 0}, threading.Lock()
    there = urlsplit(url)

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                number, late = chance.random(), chance.random() < late_share
                kind = "errors" if number < errors else "drops" if number < errors + drops else ""
                counts["calls"] += 1
                if kind:
                    counts[kind] += 1
                    counts["lost"] += late
            answer = self.forward(body) if late or not kind else None
            if kind == "drops":
                self.close_connection = True
                if answer and answer[0] == 200 and self.command == "GET" and answer[2]:
                    self.give(answer[0], answer[1], answer[2], len(answer[2]) // 2)
                return
            if kind == "errors":
                self.give(503 if late else 500, {}, b"")
            elif answer:
                self.give(*answer)

        def forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
            made = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
            try:
                headers = {k: v for k, v in self.headers.items() if k.lower() != without.lower()}
                made.request(self.command, self.path, body, headers)
                answer = made.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                made.close()

        def give(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None = None) -> None:
            self.send_response_only(status)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body[:cut])
            self.wfile.flush()

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with running(Proxy) as proxied:
        yield proxied, counts


class Server(ThreadingHTTPServer):
    """Says nothing of connections that clients close."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of a web server in a thread."""
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
