"""The gradebook on a PostgreSQL server that the test starts."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy

pytestmark = pytest.mark.slow

NAME = "02-rnn-forward"


@pytest.fixture(scope="module")
def postgres():
    """The address of an empty database. The server listens on a socket in a folder of its own only."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("needs PostgreSQL's server: sudo apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="unrolled-postgres-"))
    as_user = []
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next((name for name in ("postgres", "nobody") if _exists(name)), None)
        if user is None or not shutil.which("runuser"):
            pytest.skip("needs runuser and the user postgres, as root: sudo apt-get install util-linux postgresql")
        shutil.chown(folder, user)
        as_user = ["runuser", "-u", user, "--"]
    folder.chmod(0o755)
    bin_ = programs[-1].parent
    data = folder / "data"
    subprocess.run(
        [*as_user, bin_ / "initdb", "-D", data, "-A", "trust", "-U", "teacher", "-E", "UTF8", "--no-sync"], check=True,
        capture_output=True, cwd=folder,
    )  # fmt: skip
    server = subprocess.Popen(
        [*as_user, bin_ / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"postgresql://teacher@/postgres?host={folder}"
    try:
        _wait_for(url)
        yield url
    finally:
        subprocess.run([*as_user, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True, cwd=folder)
        server.wait(timeout=60)
        shutil.rmtree(folder)


def _exists(user: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(user))
    return False


def _wait_for(url: str, seconds: float = 60) -> None:
    engine = sqlalchemy.create_engine(url)
    deadline = time.monotonic() + seconds
    while True:
        try:
            engine.connect().close()
            engine.dispose()
            return
        except sqlalchemy.exc.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


LONG = "a-login-of-140-characters-" + "x" * 114


def test_class_that_moves_to_postgresql_holds_there_what_it_held_in_a_file(postgres, graded_class, same_class, monkeypatch):
    import sample_class

    assert same_class.command("grade", NAME, "--workers", "1").returncode == 0
    (same_class.folder / "class" / "gradebook.db").unlink()
    monkeypatch.setenv("UNROLLED_DB", postgres)
    sample_class.nbgrader(same_class.folder, "generate_assignment", NAME, "--force")
    done = same_class.command("grade", NAME, "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert same_class.book(postgres) == graded_class.book()
    monkeypatch.chdir(same_class.folder)
    assert same_class.grade("ada")["success"]
    assert same_class.api.generate_feedback(NAME, "ada")["success"]
    assert '"ada"' in same_class.plugin("table")
    assert same_class.book(postgres) == graded_class.book()
    assert not (same_class.folder / "class" / "gradebook.db").exists()

    same_class.hand_in(LONG)
    done = same_class.command("grade", NAME, "--workers", "1")
    assert done.returncode == 1 and "not graded: The login has 140 characters, and a gradebook on this server holds 128" in done.stdout
    said = same_class.grade(LONG)["log"]
    assert "The login has 140 characters" in said and "Traceback" not in said
    assert same_class.book(postgres) == graded_class.book()
