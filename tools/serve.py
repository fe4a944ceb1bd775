"""Shows the built book on this machine alone: python tools/serve.py [FOLDER] [--port PORT]

Prints the address. Takes the port that is named, else 8000, else any that is free. Ctrl+C ends it.
"""

from __future__ import annotations

import argparse
import functools
import signal
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = "127.0.0.1"
USUAL_PORT = 8000
BUILT = Path(__file__).resolve().parents[1] / "_build" / "html"


class Handler(SimpleHTTPRequestHandler):
    """Keeps connections open, says nothing of what it sends, and lets browsers ask whether a file has changed."""

    protocol_version = "HTTP/1.1"
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm", ".mjs": "text/javascript", ".whl": "application/zip"}

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A reader who leaves in the middle of a file is no error."""

    allow_reuse_address = False  # else a port that another program serves could be taken

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def open_server(folder: Path, port: int | None) -> Server:
    """A server for a folder. Raises OSError when a named port is taken."""
    handler = functools.partial(Handler, directory=str(folder))
    if port is not None:
        return Server((HERE, port), handler)
    try:
        return Server((HERE, USUAL_PORT), handler)
    except OSError:
        return Server((HERE, 0), handler)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=BUILT)
    parser.add_argument("--port", type=int)
    wanted = parser.parse_args()
    if not (wanted.folder / "index.html").is_file():
        sys.exit(f"There is no built book in {wanted.folder}, which should hold index.html: build it first, with make book.")
    try:
        server = open_server(wanted.folder, wanted.port)
    except (OSError, OverflowError) as error:
        sys.exit(f"Port {wanted.port} can't be used ({error}): name another, or none.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        print(f"The book is at http://{HERE}:{server.server_port}/ on this machine alone. Ctrl+C ends it.", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print("Ended.")
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
