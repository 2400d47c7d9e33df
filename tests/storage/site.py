"""A folder on a web server that gives ranges."""

import re
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.storage.s3 import running

SPAN = re.compile(r"bytes=(\d+)-(\d+)")


def folder_served(folder: Path) -> AbstractContextManager[str]:
    """Its URL."""

    class Files(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / unquote(self.path.partition("?")[0]).lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            span = SPAN.match(self.headers.get("Range", ""))
            start, end = (int(span[1]), min(int(span[2]) + 1, len(data))) if span else (0, len(data))
            inside = start < len(data)
            part = f"{start}-{end - 1}" if inside else "*"
            self.send_response((206 if inside else 416) if span else 200)
            self.send_header("Content-Range", f"bytes {part}/{len(data)}")
            self.send_header("Last-Modified", self.date_time_string(int(path.stat().st_mtime)))
            self.send_header("Content-Length", str(max(0, end - start)))
            self.end_headers()
            self.wfile.write(data[start:end])

        def log_message(self, *_: Any) -> None:
            pass

    return running(Files)
