"""`make serve`: the built book at an address of this machine."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "serve.py"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "index.html").write_text("<p>the book</p>", encoding="utf-8")
    (tmp_path / "a.wasm").write_bytes(b"\0asm")
    return tmp_path


def start(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, TOOL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def served(folder) -> Iterator[tuple[subprocess.Popen, str]]:
    """The running command, and the address that it printed."""
    process = start(folder)
    yield process, re.search(r"http://\S+/", process.stdout.readline())[0]
    process.kill()
    process.communicate()


def test_the_printed_address_shows_the_book(served):
    assert urllib.request.urlopen(f"{served[1]}index.html").read() == b"<p>the book</p>"


def test_only_this_machine_can_ask(served):
    assert served[1].startswith("http://127.0.0.1:")


def test_webassembly_has_its_type(served):
    assert urllib.request.urlopen(f"{served[1]}a.wasm").headers["Content-Type"] == "application/wasm"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(served, how):
    process, _ = served
    process.send_signal(how)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and errors == ""


def test_a_second_one_takes_another_port(served, folder):
    second = start(folder)
    try:
        assert re.search(r"http://\S+/", second.stdout.readline())[0] != served[1]
    finally:
        second.kill()
        second.communicate()


def test_a_named_port_that_is_taken_is_said_in_one_sentence(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(folder, "--port", taken.getsockname()[1])
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1 and errors.startswith("Port ") and errors.count("\n") == 1


def test_a_book_that_is_not_built_is_said_in_one_sentence(tmp_path):
    process = start(tmp_path)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1 and "make book" in errors and errors.count("\n") == 1
