"""nbgrader's exchange for learners who may put anything into it: what `nbgrader_config.py` names for collect, release and list.

The exchange is a folder in which every user of a machine can write. Of what a learner put there nothing is believed but what the
kernel says: whose it is, what kind of file it is, and when it was last changed. nbgrader's own commands believe the names of the
folders, follow links as the instructor, and stop for the whole class at the first thing that they can't read.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import re
import shutil
import stat
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import default
from nbgrader.utils import notebook_hash
from traitlets import Bool

from . import rebuild
from .late_days import moment
from .names import shown

SECRET = "submission_secret.txt"  # nbgrader's: whoever knows it finds the feedback
TIME = "timestamp.txt"
SECRET_FORM = re.compile(r"[0-9a-f]{128}")
MAX_SMALL = 200              # bytes of a file that holds a time or a secret
MAX_FILES = 100              # files of one submission that are taken
MAX_ENTRIES = 1000           # files and folders of one submission that are looked at
MAX_TRIES = 100              # submissions of one learner that are looked at
MAX_SUBMISSION = 100 * 2**20  # bytes
APART = timedelta(minutes=5)  # by which two clocks may differ without a word
SAID = 3                     # problems of one person that are listed


class Refused(Exception):
    """A submission can't be taken; the message says why."""


def account(uid: int) -> str:
    """The name of an account, or its number where there is none."""
    import pwd  # which only Unix has; release and validation work elsewhere, too

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the account number {uid}"


def _why(error: Exception) -> str:
    """The reason of a Refused or an OSError, for a sentence."""
    if not isinstance(error, OSError):
        return str(error)
    return "it is a link" if error.errno == errno.ELOOP else (error.strerror or str(error)).lower()


def _read(name: str | Path, most: int, folder: int | None = None) -> tuple[bytes, os.stat_result]:
    """The content of a regular file of at most `most` bytes, and what the kernel said about it after it was read.

    A link is not followed, and nothing waits for a pipe. Raises OSError, and Refused with the reason.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("it is no regular file")
        data = file.read(most + 1) if found.st_size <= most else b""
        if found.st_size > most or len(data) > most:
            raise Refused(f"it has {max(found.st_size, len(data)) / 1e6:.0f} MB, and {most / 1e6:.0f} MB are allowed")
        return data, os.fstat(descriptor)


def secret_beside(folder: Path) -> str | None:
    """The secret of a submission, or None where there is none of the form that nbgrader gives it."""
    with contextlib.suppress(OSError, Refused, UnicodeDecodeError):
        text = _read(folder / SECRET, MAX_SMALL)[0].decode("ascii").strip()
        return text if SECRET_FORM.fullmatch(text) else None
    return None


def _time_beside(folder: Path) -> datetime | None:
    """The time of receipt, naive and in UTC, that was written beside a collected submission, or None."""
    with contextlib.suppress(Exception):  # whatever a parser of dates raises
        return moment(_read(folder / TIME, MAX_SMALL)[0].decode("utf-8").strip())
    return None


# --- Collecting --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A folder in the exchange that names itself a submission: by whom, and when. Neither is known to be true.

    changed: when the folder itself last was, in the kernel's nanoseconds.
    """

    name: str
    student: str
    claimed: datetime | None
    changed: int


@dataclass
class Submission:
    """What was read of an entry. received: naive, in UTC. remarks: what was left out, and what is strange."""

    received: datetime
    files: dict[str, bytes]
    remarks: list[str]


class Collect(default.ExchangeCollect):
    """`nbgrader collect` that takes a submission only from the one whose name it bears, and only regular files.

    The time of receipt is when the folder or a file in it was last changed, by the kernel's clock: a learner can make that later, and
    not earlier. One submission that can't be taken costs nobody else's, nor an earlier one of the same learner.
    """

    believe_times = Bool(
        help="Take the time of receipt from the name of the folder, which its owner wrote: for an exchange that was restored or moved."
    ).tag(config=True)

    def init_src(self) -> None:
        if self.coursedir.course_id == "":
            self.fail("No course id specified. Re-run with --course flag.")
        self.inbound_path = os.path.join(self.root, self.coursedir.course_id, "inbound")
        try:
            self._inbound = os.open(self.inbound_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            self.fail(
                f"{self.inbound_path} can't be read ({error.strerror}): `nbgrader release_assignment` by the same account makes it."
            )
        require_own(self, self.inbound_path)
        warn_of_open_root(self)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            try:
                self.duedate = book.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                self.duedate = None

    def copy_files(self) -> None:
        """Collect what is to be collected, student by student."""
        self._problems: dict[str, list[str]] = defaultdict(list)  # by whose fault it is
        try:
            found = self._entries()
            if not found:
                self.log.warning(
                    "No submissions of '%s' for course '%s' to collect", self.coursedir.assignment_id, self.coursedir.course_id
                )
            for student, entries in sorted(found.items()):
                self._collect(student, entries)
        finally:
            os.close(self._inbound)
        for student, problems in sorted(self._problems.items()):
            for problem in problems[:SAID]:
                self.log.error("Not collected: %s.", problem)
            if len(problems) > SAID:
                self.log.error("Not collected: %d more by %s.", len(problems) - SAID, shown(student))

    def _entries(self) -> dict[str, list[Entry]]:
        """The submissions of this assignment by the student who put them there, whatever their names say."""
        form = re.compile(rf"(?P<student>.+)\+{re.escape(self.coursedir.assignment_id)}\+(?P<claimed>[^+]*)(\+[^+]*)?", re.DOTALL)
        wanted = self.coursedir.student_id or "*"
        found, owners = defaultdict(list), set()
        for name in sorted(os.listdir(self._inbound)):
            match = form.fullmatch(name)
            if not match or not fnmatch.fnmatchcase(match["student"], wanted) and match["student"] != wanted:
                continue
            try:
                found_there = os.stat(name, dir_fd=self._inbound, follow_symlinks=False)
            except OSError as error:  # gone since it was listed, or a file system of its own that nobody else may see
                self._problems[match["student"]].append(f"“{shown(name)}”: {_why(error)}")
                continue
            owner = found_there.st_uid
            entry = Entry(name, match["student"], _time_of(match["claimed"]), found_there.st_ctime_ns)
            if problem := self._wrong_name(entry, owner):
                self._problems[account(owner)].append(problem)
            else:
                owners.add(owner)
                found[entry.student].append(entry)
        if self.check_owner and len(found) > 1 and len(owners) == 1:
            self.log.warning(
                "All submissions belong to one account, %s: on this machine nobody can tell who handed in what.", account(owners.pop())
            )
        return found

    def _wrong_name(self, entry: Entry, owner: int) -> str:
        """Why an entry is not from whom it says, or nothing."""
        if not entry.name.isprintable() or "/" in entry.student or entry.student.startswith("."):
            return f"{account(owner)} put “{shown(entry.name)}” into the exchange, which can't be the name of a submission"
        if self.check_owner and owner not in owners_of(self) and account(owner) != entry.student:
            return (
                f"“{shown(entry.name)}” says that it is from {shown(entry.student)}, and it belongs to {account(owner)}; "
                "ask that person about it"
            )
        return ""

    def _collect(self, student: str, entries: list[Entry]) -> None:
        """Take the newest submission of a student that can be taken; with `before_duedate` the newest that came in time."""
        entries = sorted(entries, key=lambda entry: entry.changed, reverse=True)
        if len(entries) > MAX_TRIES:
            self._problems[student].append(f"of {len(entries)} submissions of {shown(student)}, all but the last {MAX_TRIES}")
        dated = []
        for entry in entries[:MAX_TRIES]:
            with self._told(student, entry):
                dated.append((self._when(entry), entry))
        dated.sort(key=lambda pair: pair[0], reverse=True)
        if self.before_duedate and self.duedate is not None:
            dated.sort(key=lambda pair: pair[0] > self.duedate)  # which keeps the order of each part
        for _, entry in dated:
            with self._told(student, entry):
                self._take(student, self._submission(entry))
                return

    @contextlib.contextmanager
    def _told(self, student: str, entry: Entry) -> Iterator[None]:
        """Keep what is wrong with an entry, for the end, and go on."""
        try:
            yield
        except (Refused, OSError) as error:
            self._problems[student].append(f"“{shown(entry.name)}” of {shown(student)}: {_why(error)}")

    @contextlib.contextmanager
    def _opened(self, entry: Entry) -> Iterator[int]:
        """The folder of an entry. Raises Refused or OSError when it is none that can be read."""
        try:
            folder = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._inbound)
        except NotADirectoryError:
            raise Refused("it is no folder") from None
        try:
            if os.fstat(folder).st_dev != os.fstat(self._inbound).st_dev:
                raise Refused("it is a file system of its own")  # which may say of owners and times what it likes
            yield folder
        finally:
            os.close(folder)

    def _when(self, entry: Entry) -> datetime:
        """When an entry came in."""
        if self.believe_times and entry.claimed is not None:
            return entry.claimed
        with self._opened(entry) as folder:
            times = [os.fstat(folder).st_ctime_ns]
            with self._translated(folder) as translated:
                for inner in (folder, *translated.values()):
                    for name in self._names(inner):
                        with contextlib.suppress(FileNotFoundError):
                            times.append(os.stat(name, dir_fd=inner, follow_symlinks=False).st_ctime_ns)
        return _naive(max(times))

    def _submission(self, entry: Entry) -> Submission:
        """Read an entry. Raises Refused or OSError when it can't be taken."""
        with self._opened(entry) as folder:
            owner = os.fstat(folder).st_uid
            if self.check_owner and owner not in owners_of(self) and account(owner) != entry.student:
                raise Refused(f"it belongs to {account(owner)}")  # exchanged for another since it was listed
            with self._translated(folder) as translated:
                files, left_out = self._files(folder, owner, translated)
                said = [*self._take_translated(translated, owner, files)]
        received = self._when(entry)  # after all was read: what was changed meanwhile makes it later
        remarks = [f"left out: {shown(name)} ({why})" for name, why in left_out[:SAID]]
        if len(left_out) > SAID:
            remarks.append(f"left out: {len(left_out) - SAID} more")
        remarks += said
        if entry.claimed is None:
            remarks.append("its name holds no time; when it was last changed counts")
        elif abs(received - entry.claimed) > APART:
            remarks.append(
                f"its name says {entry.claimed:%Y-%m-%d %H:%M} UTC, it was last changed {received:%Y-%m-%d %H:%M} UTC, and that counts. "
                "If the exchange was restored or moved, or its modes were changed since, --Collect.believe_times=True takes the former"
            )
        return Submission(received, files, remarks)

    def _names(self, folder: int) -> list[str]:
        """The names of the files that count, notebooks first. Raises Refused when there are too many."""
        names = []
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MAX_ENTRIES:
                    raise Refused(f"it holds more than {MAX_ENTRIES} files")
                if entry.name != TIME and not any(fnmatch.fnmatchcase(entry.name, glob) for glob in self.coursedir.ignore):
                    names.append(entry.name)
        return sorted(names, key=lambda name: (not name.endswith(".ipynb"), name != SECRET, name))

    @property
    def _release(self) -> Path:
        return Path(self.coursedir.format_path(self.coursedir.release_directory, ".", self.coursedir.assignment_id))

    @contextlib.contextmanager
    def _translated(self, folder: int) -> Iterator[dict[str, int]]:
        """The folders in a submission in which the release has its notebooks in other languages, by their names, open."""
        with contextlib.ExitStack() as stack:
            found = {}
            for language in sorted({path.parent.name for path in self._release.glob("*/*.ipynb")}):
                with contextlib.suppress(OSError):
                    opened = os.open(language, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                    stack.callback(os.close, opened)
                    if os.fstat(opened).st_dev == os.fstat(folder).st_dev:
                        found[language] = opened
            yield found

    def _take_translated(self, translated: dict[str, int], owner: int, files: dict[str, bytes]) -> Iterator[str]:
        """Put the notebook that was written in another language into the place of the one of its name, if nothing was written in that.
        Remarks on what was taken and what was not."""
        for language, folder in translated.items():
            for path in sorted((self._release / language).glob("*.ipynb")):
                here = f"{language}/{path.name}"
                try:
                    data = self._file(path.name, rebuild.MAX_FILE, folder, owner)
                except FileNotFoundError:
                    continue
                except (Refused, OSError) as error:
                    yield f"left out: {here} ({_why(error)})"
                    continue
                if rebuild.nothing_written(nbformat.read(path, as_version=4), data):
                    continue
                if path.name not in files or rebuild.nothing_written(nbformat.read(self._release / path.name, as_version=4), files[path.name]):
                    files[path.name] = data
                    yield f"{here} is taken: nothing was written in {path.name}"
                else:
                    yield f"left out: {here} (something was written in {path.name}, too, and that is taken)"

    def _file(self, name: str, most: int, folder: int, owner: int) -> bytes:
        """A regular file of the learner's own. Raises Refused or OSError."""
        data, found = _read(name, most, folder)
        if found.st_dev != os.fstat(folder).st_dev:
            raise Refused("it lies on another file system")
        if self.check_owner and found.st_uid != owner:
            raise Refused(f"it belongs to {account(found.st_uid)}")
        return data

    def _files(self, folder: int, owner: int, translated: Collection[str]) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
        """The regular files of a submission, and what was left out and why; what is translated comes later. Raises Refused when that is a
        notebook."""
        files: dict[str, bytes] = {}
        left_out, size = [], 0
        for name in self._names(folder):
            if name in translated:
                continue
            try:
                if not name.isprintable():
                    raise Refused("its name can't be shown")
                if len(files) >= MAX_FILES:
                    raise Refused(f"more than {MAX_FILES} files")
                data = self._file(name, min(rebuild.MAX_FILE, MAX_SUBMISSION - size), folder, owner)
            except (Refused, OSError) as error:
                if name.endswith(".ipynb"):
                    raise Refused(f"{shown(name)} can't be taken: {_why(error)}") from None
                left_out.append((name, _why(error)))
            else:
                files[name] = data
                size += len(data)
        return files, left_out

    def _take(self, student: str, submission: Submission) -> None:
        """Put a submission in its place, unless what lies there is to stay."""
        assignment = self.coursedir.assignment_id
        place = Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment))
        if os.path.lexists(place):
            before = _time_beside(place)
            newer = self.update and (before is None or submission.received > before)
            if not newer and not (self.before_duedate and before != submission.received):
                hint = "No newer submission to collect" if self.update else "Submission already exists, use --update to update"
                self.log.info("%s: %s %s", hint, student, assignment)
                return
            if _same(place, submission.files):
                self.log.info("No newer submission to collect: %s %s", student, assignment)
                return
        self.log.info("%s submission: %s %s", "Updating" if os.path.lexists(place) else "Collecting", student, assignment)
        for remark in submission.remarks:
            self.log.warning("%s: %s.", student, remark)
        content = {**submission.files, TIME: f"{submission.received:%Y-%m-%d %H:%M:%S.%f} UTC\n".encode()}
        _put(place, content, self.coursedir.groupshared)


def _naive(nanoseconds: int) -> datetime:
    """A time of the kernel's, naive and in UTC, as nbgrader keeps times."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, timezone.utc).replace(tzinfo=None)


def _time_of(text: str) -> datetime | None:
    """A time as the name of a folder says it, naive and in UTC, or None."""
    with contextlib.suppress(Exception):  # whatever a parser of dates raises
        return moment(text)
    return None


def _same(place: Path, files: dict[str, bytes]) -> bool:
    """Whether a collected submission holds just these files: then it is the same, whatever happened to the exchange since."""
    try:
        there = {path.name: path.read_bytes() for path in place.iterdir() if path.name != TIME}
    except OSError:
        return False
    return there == files


def _put(place: Path, files: dict[str, bytes], shared: bool) -> None:
    """Write a folder beside its place, for its owner alone or with `shared` for the group, and move it there."""
    place.parent.mkdir(mode=0o770 if shared else 0o700, parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".collect-", dir=place.parent))
    try:
        new, old = beside / "new", beside / "old"
        new.mkdir()
        for name, data in files.items():
            with open(os.open(new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), 0o660 if shared else 0o600)
        new.chmod(0o2770 if shared else 0o700)
        if os.path.lexists(place):
            place.rename(old)
        try:
            new.rename(place)
        except OSError:
            if os.path.lexists(old):
                old.rename(place)
            raise
    finally:
        shutil.rmtree(beside)


# --- The exchange itself -----------------------------------------------------------------------


def owners_of(exchange: default.Exchange) -> set[int]:
    """To whom folders of the exchange may belong that we trust: root, whose course this is, and who runs the command."""
    return {0, os.geteuid(), os.stat(exchange.coursedir.root).st_uid}


def require_own(exchange: default.Exchange, path: str) -> None:
    """Fail when a folder of the exchange, or that of the course above it, belongs to somebody else: they could have made it."""
    for folder in (os.path.dirname(path), path):
        owner = os.stat(folder).st_uid
        if not exchange.coursedir.groupshared and owner not in owners_of(exchange):
            exchange.fail(
                f"{folder} belongs to {account(owner)}, and not to you: what lies there is not believed. "
                "Have the machine's administrator remove it, and release the assignment again."
            )


def open_to_renaming(root: str) -> bool:
    """Whether everybody may rename and remove what others put into a folder."""
    mode = os.stat(root).st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def warn_of_open_root(exchange: default.Exchange) -> None:
    """Say when a course in this exchange can be replaced by anybody."""
    if open_to_renaming(exchange.root):
        exchange.log.warning(
            "Everybody can rename and replace the courses in %s: `sudo chmod 1777 %s` mends it.", exchange.root, exchange.root
        )


class ReleaseAssignment(default.ExchangeReleaseAssignment):
    """`nbgrader release_assignment` into folders from which nobody but their owner can remove anything (the sticky bit)."""

    def ensure_root(self) -> None:
        if not os.path.exists(self.root):
            with contextlib.suppress(OSError):  # which nbgrader says
                os.makedirs(self.root)
                os.chmod(self.root, 0o1777)
        super().ensure_root()
        if open_to_renaming(self.root):
            with contextlib.suppress(PermissionError):
                os.chmod(self.root, os.stat(self.root).st_mode | stat.S_ISVTX)
        warn_of_open_root(self)

    def init_dest(self) -> None:
        super().init_dest()
        with contextlib.suppress(PermissionError):
            os.chmod(self.inbound_path, os.stat(self.inbound_path).st_mode | stat.S_ISVTX)


class List(default.ExchangeList):
    """`nbgrader list` that leaves out what can't be a submission, where nbgrader would stop."""

    def init_dest(self) -> None:
        super().init_dest()
        if self.inbound:
            found = self.assignments
            self.assignments = [path for path in found if self._sound(Path(path))]
            if strange := len(found) - len(self.assignments):
                self.log.warning("Left out, as they can't be submissions: %d entries of the exchange.", strange)

    def _sound(self, path: Path) -> bool:
        form = path.name.isprintable() and re.fullmatch(r"[^+]*(\+[^+]+)*\+[^+]+\+[^+]+", path.name)
        return bool(form) and path.is_dir() and not path.is_symlink() and (
            not os.path.lexists(path / SECRET) or secret_beside(path) is not None
        )


# --- Giving back -------------------------------------------------------------------------------


class ReleaseFeedback(default.ExchangeReleaseFeedback):
    """`nbgrader release_feedback` in which a submission that has no secret, or a bad one, costs nobody else's feedback."""

    def copy_files(self) -> None:
        released, without = 0, []
        for student, folder in self._folders():
            secret = secret_beside(folder)
            if secret is None:
                without.append(student)
                continue
            for page in sorted(folder.glob("*.html")):
                target = Path(self.dest_path) / f"{notebook_hash(secret=secret, notebook_id=page.stem)}.html"
                try:
                    _publish(page.read_bytes(), target)
                except OSError as error:
                    self.log.error("The feedback of %s was not released: %s", student, error)
                else:
                    released += 1
                    self.log.info("Released the feedback of %s on %s/%s", student, self.coursedir.assignment_id, page.stem)
        for student in without:
            self.log.warning(
                "The feedback of %s was not released: beside it lies no %s, as the exchange writes it. Was the work handed in by other "
                "means? Then send the page. Was it graded before it was collected here? Then grade it again with --force.",
                student, SECRET,
            )  # fmt: skip
        if not released:
            self.log.error("No feedback on %s was released: `nbgrader generate_feedback` makes it.", self.coursedir.assignment_id)

    def _folders(self) -> Iterator[tuple[str, Path]]:
        """The students of whom there is feedback, and where it lies."""
        assignment, wanted = self.coursedir.assignment_id, self.coursedir.student_id or "*"
        excluded = set(filter(None, self.coursedir.student_id_exclude.split(",")))
        root = Path(self.coursedir.format_path(self.coursedir.feedback_directory, "*", assignment)).parents[1]
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            student = folder.name
            if student in excluded or not (student == wanted or fnmatch.fnmatchcase(student, wanted)):
                continue
            if (folder / assignment).is_dir():
                yield student, folder / assignment


def _publish(data: bytes, target: Path) -> None:
    """Write a file that every user can read and nobody can guess the name of; beside, and moved into place."""
    descriptor, beside = tempfile.mkstemp(prefix=".", dir=target.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(descriptor, 0o644)
    os.replace(beside, target)
