"""Who else on this machine can read or replace what belongs to a class: what `unrolled doctor` says of a machine with several accounts."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHELLS_OF_NOBODY = ("nologin", "false", "sync", "true")
NAMED = 3  # homes that are named one by one


@dataclass(frozen=True)
class Open:
    """What others can do with a path, in words, and the command that ends it. Nothing of either: all is well."""

    what: str
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Account:
    """A person's account on this machine."""

    name: str
    uid: int
    home: Path


def accounts() -> list[Account]:
    """The accounts of people: numbers from 1000 up, with a shell."""
    with contextlib.suppress(ImportError):  # Windows has none
        import pwd

        return [
            Account(entry.pw_name, entry.pw_uid, Path(entry.pw_dir)) for entry in pwd.getpwall()
            if 1000 <= entry.pw_uid < 65534 and os.path.basename(entry.pw_shell or "sh") not in SHELLS_OF_NOBODY
        ]  # fmt: skip
    return []


def others(uid: int) -> list[Account]:
    """Accounts of people other than this one."""
    return [account for account in accounts() if account.uid != uid]


def _mode(path: Path) -> int:
    return path.stat().st_mode


def reachable(path: Path) -> bool:
    """Whether any account comes as far as this path: all folders above it may be entered."""
    return all(_mode(folder) & stat.S_IXOTH for folder in path.resolve().parents)


def open_to_all(path: Path) -> bool:
    """Whether any account can read a file, or list or enter a folder."""
    return bool(_mode(path) & (stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH)) and reachable(path)


def _octal(path: Path) -> str:
    return f"{stat.S_IMODE(_mode(path)):o}"


def _closed(what: str, path: Path, why: str) -> Iterator[Open]:
    """What is to be said of a folder or file that is nobody else's business."""
    if not path.exists():
        return
    if not open_to_all(path):
        yield Open(what, f"{path} can be read by its owner and their group only.")
        return
    mode = "700" if path.is_dir() else "600"
    yield Open(what, f"{path} (mode {_octal(path)}) can be read by every account of this machine, {why}.", f"`chmod {mode} {shlex.quote(str(path))}`")


def of_class(class_folder: Path, gradebook: Path | None) -> Iterator[Open]:
    """The folder of a class, and a gradebook that lies elsewhere or has a mode of its own."""
    if class_folder.exists() and open_to_all(class_folder):
        yield from _closed("class", class_folder, "with others' work and grades and the secret seeds in it")
        return
    yield from _closed("class", class_folder, "")
    if gradebook is not None and gradebook.exists() and open_to_all(gradebook):
        yield from _closed("gradebook", gradebook, "with everybody's grades and the model answers' texts in it")


def of_solutions(folder: Path) -> Iterator[Open]:
    """The model answers, where learners have accounts."""
    yield from _closed("solutions", folder, "so learners can hand in what it holds")


def of_homes(people: Iterable[Account]) -> Iterator[Open]:
    """The homes of all people: where one can be read, work is copied."""
    people = list(people)
    homes = [person.home for person in people if person.home.is_dir() and open_to_all(person.home)]
    if not homes:
        yield Open("homes", f"{len(people)} homes can be read by their owners and their groups only.")
        return
    named = ", ".join(map(str, homes[:NAMED])) + (f" and {len(homes) - NAMED} more" if len(homes) > NAMED else "")
    listed = " ".join(shlex.quote(str(home)) for home in homes)
    yield Open(
        "homes", f"{named} can be read by every account of this machine, with the work in {'it' if len(homes) == 1 else 'them'}.",
        f"`sudo chmod 700 {listed}`, and HOME_MODE 0700 in /etc/login.defs for accounts to come",
    )  # fmt: skip


def of_exchange(root: Path, course: str, owners: set[int]) -> Iterator[Open]:
    """nbgrader's exchange: everybody may write in it, and nobody may replace what belongs to others."""
    quoted = shlex.quote(str(root))
    mode = _mode(root)
    if not mode & stat.S_IWOTH:
        yield Open("exchange", f"{root} (mode {_octal(root)}) can't be written by learners, so nbgrader refuses to use it.", f"`sudo chmod 1777 {quoted}`")
    elif not mode & stat.S_ISVTX:
        yield Open("exchange", f"{root} (mode {_octal(root)}) lets every account rename and replace the course in it.", f"`sudo chmod 1777 {quoted}`")
    else:
        yield Open("exchange", f"{root} can be written by everybody, and each can remove only what is their own.")
    folder = root / course
    if not folder.exists():
        return
    if folder.stat().st_uid not in owners:
        yield Open(
            "exchange", f"{folder} belongs to another account than the course, which could collect in its name.",
            f"`sudo mv {shlex.quote(str(folder))} {shlex.quote(str(folder))}.strange`, then release the assignments again",
        )  # fmt: skip
    for path, allowed, why in (
        (folder, 0o755, "so everybody can replace what is in it"),
        (folder / "outbound", 0o755, "so everybody can change the assignments that learners fetch"),
        (folder / "inbound", 0o3733, "so everybody can list, or remove, what others handed in"),
        (folder / "feedback", 0o711, "so everybody can list the feedback of others"),
    ):
        if path.exists():
            other, most = _mode(path) & 0o007, allowed & 0o007
            loose = path.name == "inbound" and not _mode(path) & stat.S_ISVTX
            if other & ~most or loose:
                yield Open("exchange", f"{path} has the mode {_octal(path)}, {why}.", f"`chmod {allowed:o} {shlex.quote(str(path))}`")
