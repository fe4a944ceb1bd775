"""A machine of its own for a hub: system accounts, homes and settings that the rest of this machine does not see, and that end with it.

Namespaces hold a copy of /etc, empty /home, /srv and /opt, and processes. Accounts are made in it by the system's own commands and
the kernel enforces who may read what; but /etc/passwd outside is never touched, and all processes and mounts end with the test,
however it ends. Needs root, and the right to mount, as bubblewrap does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

OWN = ("etc", "home", "srv", "opt")  # folders of / that the machine has for itself


class Unavailable(Exception):
    """There can be no such machine here; the message says why and what to do."""


class Machine:
    """Commands run in it by `run(account, command)`, each in a login shell of that account."""

    def __init__(self, folder: Path, readable: list[Path]) -> None:
        """folder: where its own folders lie, for root alone. readable: what every account must be able to read, wherever it lies."""
        if os.geteuid() != 0:
            raise Unavailable("needs root, to make accounts: sudo make test")
        if missing := [name for name in ("setpriv", "unshare", "nsenter", "runuser", "useradd") if not shutil.which(name)]:
            raise Unavailable(f"needs {missing[0]}: sudo apt-get install util-linux passwd login")
        self.folder = folder
        for name in OWN:
            (folder / name).mkdir(mode=0o755)
        subprocess.run(["cp", "-a", "/etc/.", folder / "etc"], check=True)
        script = "\n".join(["set -e", *self._mounts(readable), "echo ready", "exec sleep infinity"])
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--mount-proc", "--fork",
             "--kill-child", "bash", "-c", script],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        if self.process.stdout.readline() != "ready\n":
            raise Unavailable(f"needs the right to mount: {self.process.stderr.read().strip()}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.first = children.read_text().split()[0]  # the machine's process 1, by its number outside

    def _mounts(self, readable: list[Path]) -> list[str]:
        """The commands that make the machine. A folder that only its owner may enter, such as /root, is one with nothing in it but the
        way to what must be readable."""
        lines = [f"mount --bind {shlex.quote(str(self.folder / name))} /{name}" for name in OWN]
        hidden: dict[Path, list[Path]] = {}
        for path in readable:
            for ancestor in [*reversed(path.parents), path]:
                if not ancestor.stat().st_mode & 0o001:
                    if ancestor == path:
                        raise Unavailable(f"needs {path} to be readable by every account: chmod -R a+rX {shlex.quote(str(path))}")
                    hidden.setdefault(ancestor, []).append(path)
                    break
        for number, (folder, paths) in enumerate(sorted(hidden.items())):
            kept = []
            for path in paths:
                keep = self.folder / f"keep-{number}-{len(kept)}"
                keep.mkdir()
                lines.append(f"mount --bind {shlex.quote(str(path))} {shlex.quote(str(keep))}")
                kept.append((shlex.quote(str(keep)), shlex.quote(str(path))))
            lines.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(folder))}")
            lines += [f"mkdir -p {path} && mount --bind {keep} {path}" for keep, path in kept]
        return lines

    def inside(self, *command: str) -> list[str]:
        """A command as root in the machine, for subprocess."""
        return ["nsenter", "--target", self.first, "--mount", "--pid", "--", *command]

    def run(self, account: str, command: str, folder: str = "~", check: bool = True, timeout: float = 300) -> str:
        """Type a command in a login shell of an account. Returns what it printed; raises AssertionError when it fails."""
        typed = f"set -euo pipefail; cd {folder}; {command}"
        done = subprocess.run(
            self.inside("env", "-i", "LANG=C.UTF-8", "TERM=dumb", "OMP_NUM_THREADS=1", "UNROLLED_PROGRESS=off",
                        shutil.which("runuser"), "--login", "--whitelist-environment=LANG,OMP_NUM_THREADS,UNROLLED_PROGRESS", account, "-s", "/bin/bash",
                        "-c", typed),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{account}: {command}\n{done.stdout}"
        return done.stdout

    def fails(self, account: str, command: str, folder: str = "~") -> str:
        """Type a command that must not work, and return what it printed."""
        said = self.run(account, f"if ( {command} ); then echo IT-WORKED; fi", folder)
        assert "IT-WORKED" not in said, f"{account} could {command}\n{said}"
        return said

    def start(self, log: Path, *command: str, **environment: str) -> subprocess.Popen:
        """Start a program as root that runs until the machine is closed."""
        with log.open("wb") as file:
            return subprocess.Popen(
                self.inside("env", "-i", *(f"{name}={value}" for name, value in environment.items()), *command), stdout=file,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def path(self, path: str) -> Path:
        """Where a file of the machine lies, seen from outside."""
        first, *rest = Path(path).parts[1:]
        return self.folder.joinpath(first, *rest)

    def close(self) -> None:
        """End every process of the machine, and with them its mounts."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def of_this_python() -> list[Path]:
    """The folders that this Python runs from."""
    import unrolled

    found = {Path(sys.prefix), Path(sys.base_prefix).resolve(), Path(unrolled.__file__).resolve().parents[1]}
    found |= {Path(entry).resolve() for entry in sys.path if entry and os.path.isdir(entry) and "site-packages" in entry}
    return sorted(path for path in found if not any(path != other and path.is_relative_to(other) for other in found))
