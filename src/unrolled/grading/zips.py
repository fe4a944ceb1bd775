"""`nbgrader zip_collect` for what Canvas and Moodle give to download: whose each file is, what is refused, and why.

The platform writes the name of each entry of its zip, and the learner a part of it. `PlatformExtractor` reads from that name whose
work it is, by the platform's own pattern; it takes notebooks and nothing else, unpacks no archive inside the archive, and writes
what it took to `extracted/STUDENT/NOTEBOOK.ipynb`, where `PlatformCollector` only has to look. What was left out is said by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from . import late_days, rebuild, referee, steps
from .names import listed, shown, unfit

MAX_ENTRIES = 100_000        # files in one archive
MAX_NOTEBOOKS = 20           # that one student may hand in for one assignment
MAX_RATIO = 200              # how many times its packed size a file, or all of an archive, may have
FREE = 2**20                 # bytes below which a file may be packed as well as it likes
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst")
LITTER = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db"}  # what systems and editors leave in folders


class Refused(ValueError):
    """A file is not collected; the message says why, as the end of a sentence."""


# --- Whose it is -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owner:
    """Whose a file is by its name: the platform's number of the student, the file's own name, the number of the upload (the larger
    the later; 0 where the platform gives none), and whether the platform marks it as late."""

    student: str
    file: str
    upload: int = 0
    late: bool = False


# A folder for each participant, with the learner's files and folders in it; older versions end it with a further "_". The last number
# that stands so is the platform's: what comes before it is a person's name.
MOODLE_FOLDER = re.compile(r".*_([0-9]+)_assignsubmission_[a-z]+_?", re.DOTALL)
# Without folders the learner's own file name follows. Moodle leaves no "_" in a person's name, so the first number is the platform's.
MOODLE_FILE = re.compile(r"[^_]*_([0-9]+)_assignsubmission_[a-z]+_(.+)", re.DOTALL)
MOODLE_PART = re.compile(r"_([0-9]+)_assignsubmission_[a-z]+_")
# Where Canvas grades without names: five letters and digits in the place of the name and the number.
CANVAS_ANONYMOUS = re.compile(r"(?:LATE_)?anon_([A-Za-z0-9]{5})_([0-9]+)_(.+)", re.DOTALL)
CANVAS_TEXT = re.compile(r".*_([A-Za-z0-9]+)_((?:text|link)\.html)", re.DOTALL)


def moodle(path: str) -> list[Owner]:
    """Whom Moodle's name of an entry may mean: one, none, or, when it can be read in several ways, each."""
    top, _, below = path.partition("/")
    if below:
        found = MOODLE_FOLDER.fullmatch(top)
        return [Owner(found[1], below.rsplit("/", 1)[-1])] if found else []
    if found := MOODLE_FILE.fullmatch(top):
        return [Owner(found[1], found[2])]
    return [Owner(found[1], top[found.end() :]) for found in MOODLE_PART.finditer(top) if found.end() < len(top)]


def canvas(path: str) -> list[Owner]:
    """Whom Canvas's name of an entry may mean: NAME_STUDENT_UPLOAD_FILE or NAME_LATE_STUDENT_UPLOAD_FILE, older ones with “-late”.

    Both the person's name and the file's may hold numbers with “_” around them: then there are several.
    """
    if "/" in path:
        return []
    if found := CANVAS_ANONYMOUS.fullmatch(path):
        return [Owner(found[1], found[3], int(found[2]), path.startswith("LATE_"))]
    parts = path.split("_")
    number = [bool(re.fullmatch("[0-9]{1,20}", part)) for part in parts]
    owners = [
        Owner(parts[i], "_".join(parts[i + 2 :]), int(parts[i + 1]), parts[i - 1].lower().split("-")[-1] == "late")
        for i in range(1, len(parts) - 2)
        if number[i] and number[i + 1]
    ]
    if not owners and (found := CANVAS_TEXT.fullmatch(path)):  # written on the platform, not uploaded
        return [Owner(found[1], found[2])]
    return owners


def likely(owners: list[Owner], uploads: list[int]) -> list[Owner]:
    """Of several readings those whose upload has a number like the others' (`uploads`, which can be read in one way only)."""
    if len(owners) < 2 or not uploads:
        return owners
    return [owner for owner in owners if min(uploads) / 10 <= owner.upload <= max(uploads) * 10] or owners


PLATFORMS: dict[str, Callable[[str], list[Owner]]] = {"canvas": canvas, "moodle": moodle}


def fits(platform: str, path: str) -> bool:
    """Whether a platform may have given this name."""
    return bool(PLATFORMS[platform](path))


def platform_of(paths: Iterable[str]) -> str | None:
    """The platform by whose pattern the entries of an archive are named; None when it can't be told.

    A learner's file name may look like the other platform's, but never hides its own: what fits one only decides.
    """
    only = {platform: 0 for platform in PLATFORMS}
    for path in paths:
        fitting = [platform for platform in PLATFORMS if fits(platform, path)]
        if len(fitting) == 1:
            only[fitting[0]] += 1
    found = [platform for platform, many in only.items() if many]
    return found[0] if len(found) == 1 else None


# --- What was downloaded -----------------------------------------------------------------------


@dataclass
class Entry:
    """A file of a download. problem: why it can't be taken, whatever it is. read(limit): at most that many bytes of it."""

    path: str
    read: Callable[[int], bytes]
    size: int = 0
    packed: int = 0
    problem: str = ""


@dataclass
class Download:
    """What came from the platform in one piece: a zip, or what a browser unpacked from one. when: the later, the newer."""

    name: str
    entries: list[Entry]
    when: float
    left: int  # bytes that may still be unpacked


def entry_name(info: zipfile.ZipInfo) -> str:
    """The name of an entry in whatever encoding it is: in UTF-8, whether it says so or not, or in that of old systems."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    with contextlib.suppress(ValueError):
        return _unicode_path(info.extra, raw) or raw.decode("utf-8")
    return info.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in the field that Info-ZIP adds for it, or nothing."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field_, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == 0x7075 and len(field_) > 5 and struct.unpack("<BL", field_[:5]) == (1, zlib.crc32(raw)):
            return field_[5:].decode("utf-8")
    return ""


def _path_problem(path: str) -> str:
    parts = re.split(r"[/\\]", path)
    if path.startswith(("/", "\\")) or ".." in parts or "\0" in path or re.match(r"[A-Za-z]:[/\\]", path):
        return "its path leads out of the archive"
    return ""


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        if info.is_dir():
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        path = entry_name(info)
        problem = _path_problem(path)
        if kind and kind != stat.S_IFREG:
            problem = "it is a link or another thing that is no file"
        elif info.flag_bits & 0x1:
            problem = "it is locked by a password"

        def read(limit: int, info: zipfile.ZipInfo = info) -> bytes:
            with archive.open(info) as file:
                return file.read(limit)

        yield Entry(path, read, info.file_size, info.compress_size, problem)


def _of_folder(folder: Path, names: Iterable[str] | None = None) -> Iterator[Entry]:
    """The files of a folder, or of these entries of it, by their paths below it. Links are not followed."""
    for name in sorted(os.listdir(folder) if names is None else names):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            for entry in _of_folder(path):
                yield Entry(f"{name}/{entry.path}", entry.read, entry.size, entry.packed, entry.problem)
            continue
        found = path.lstat()

        def read(limit: int, path: Path = path) -> bytes:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                return file.read(limit)

        problem = "" if stat.S_ISREG(found.st_mode) else "it is a link or another thing that is no file"
        yield Entry(name, read, found.st_size, found.st_size, problem)


def _without_shared_root(entries: list[Entry]) -> list[Entry]:
    """Entries that all lie in one folder which is no participant's (somebody packed the download anew) by their paths below it."""
    entries = [entry for entry in entries if not LITTER & set(entry.path.split("/"))]
    roots = {entry.path.partition("/")[0] for entry in entries}
    if len(roots) != 1 or not all("/" in entry.path for entry in entries) or MOODLE_FOLDER.fullmatch(next(iter(roots))):
        return entries
    for entry in entries:
        entry.path = entry.path.partition("/")[2]
    return _without_shared_root(entries)


@contextlib.contextmanager
def downloads(folder: Path, refuse: Callable[[str, str], None]) -> Iterator[list[Download]]:
    """What lies in nbgrader's `archive` folder, the newest last: each zip and each unpacked folder, and the loose files together."""
    found, loose = [], []
    with contextlib.ExitStack() as opened:
        for path in sorted(folder.iterdir()):
            named_by_platform = any(fits(platform, path.name) for platform in PLATFORMS) or MOODLE_FOLDER.fullmatch(path.name)
            if path.name.startswith("."):
                continue
            if path.is_symlink() or named_by_platform or not (path.is_dir() or path.name.lower().endswith(ARCHIVES)):
                loose.append(path.name)
            elif path.is_dir():
                entries = _without_shared_root(list(_of_folder(path)))
                found.append(Download(path.name, entries, path.stat().st_mtime, sum(entry.size for entry in entries)))
            else:
                try:
                    archive = opened.enter_context(zipfile.ZipFile(path))
                    many = len(archive.infolist())
                    if many > MAX_ENTRIES:
                        raise Refused(f"it has {many:,} entries, and {MAX_ENTRIES:,} are allowed")
                    entries = _without_shared_root(list(_of_zip(archive)))
                except Exception as error:  # whatever zipfile raises for a file that is damaged on purpose or by chance
                    refuse(path.name, f"{error}" if isinstance(error, Refused) else f"it can't be opened as a zip ({shown(error)})")
                else:
                    size = path.stat().st_size
                    found.append(Download(path.name, entries, path.stat().st_mtime, max(256 * FREE, MAX_RATIO // 2 * size)))
        if loose:
            entries = list(_of_folder(folder, loose))
            found.append(Download("archive", entries, folder.stat().st_mtime, sum(entry.size for entry in entries)))
        yield sorted(found, key=lambda download: (download.when, download.name))


def content_of(entry: Entry, download: Download) -> bytes:
    """What is in a file. Raises Refused for one that is too large, packed too well, or damaged."""
    if entry.problem:
        raise Refused(entry.problem)
    most = min(rebuild.MAX_FILE, download.left)
    if entry.size > rebuild.MAX_FILE:
        raise Refused(f"it has {entry.size / 1e6:.0f} MB, and {rebuild.MAX_FILE / 1e6:.0f} MB are allowed")
    if entry.size > max(FREE, MAX_RATIO * entry.packed):
        raise Refused(f"it is {entry.size / max(1, entry.packed):.0f} times as large as it is packed, as no notebook is")
    try:
        data = entry.read(most + 1)
    except Exception as error:  # a wrong checksum, a stream that breaks off, an unknown way of packing
        raise Refused(f"it is damaged ({shown(error)})") from None
    if len(data) > most:
        raise Refused("it is larger than it says, or its archive holds far more than its size allows")
    download.left -= len(data)
    return data


# --- What is taken -----------------------------------------------------------------------------


@dataclass
class Found:
    """A notebook that somebody handed in."""

    owner: Owner
    name: str
    entry: Entry
    download: Download


@dataclass
class Collection:
    """What is taken of the downloads of an assignment, by student, and what there is to say.

    released: the files that the assignment has. logins: what to call students, by the platform's numbers, where that is known.
    """

    released: list[str]
    logins: dict[str, str] = field(default_factory=dict)
    notebooks: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    late: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # remarks of those whom they concern
    other: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))    # on files that were not to be collected

    def refuse(self, what: str, why: str, student: str = "", other: bool = False) -> None:
        self.remarks.append(f"Not collected: “{shown(what)}”: {why}.")
        if student:
            (self.other if other else self.refused)[student].append(self.remarks[-1])

    def add(self, download: Download, platform: str) -> None:
        """Take the notebooks of a download and say what of it is left."""
        readings = [(entry, PLATFORMS[platform](entry.path)) for entry in download.entries]
        uploads = [owners[0].upload for _, owners in readings if len(owners) == 1 and owners[0].upload]
        for entry, owners in readings:
            owners = likely(owners, uploads)
            if LITTER & set(entry.path.split("/")) or entry.path.rsplit("/", 1)[-1].startswith("._"):
                continue
            if not owners:
                self.refuse(entry.path, entry.problem or f"its name does not say, as {platform.capitalize()}'s do, whose it is")
            elif len({owner.student for owner in owners}) > 1:
                who = " or ".join(owner.student for owner in owners[:4])
                self.refuse(entry.path, f"its name can be read as that of {who}; look whose it is and put it into their folder by hand")
            else:
                self._take(entry, owners[0], download)

    def _take(self, entry: Entry, owner: Owner, download: Download) -> None:
        name, student = owner.file.lower(), self.logins.get(owner.student, owner.student)
        if owner.late:
            self.late.add(student)
        if entry.problem:
            self.refuse(entry.path, entry.problem, student)
        elif name.endswith(ARCHIVES):
            self.refuse(entry.path, "it is an archive, and only notebooks are taken; hand in the notebook itself", student)
        elif not name.endswith(".ipynb"):
            self.refuse(entry.path, "it is no notebook", student, other=True)
        else:
            self.notebooks[student].append(Found(owner, file_name(owner.file), entry, download))

    def told(self, written: Container[str]) -> dict[str, list[str]]:
        """What each student is to read of what was left out: of other files only who handed in nothing else."""
        everybody = {*self.notebooks, *self.refused, *self.other}
        return {student: self.refused[student] + (self.other[student] if student not in written else []) for student in everybody}

    def write(self, folder: Path) -> dict[str, list[str]]:
        """Write what is taken below `folder` and return the names of each student's notebooks, that to grade first."""
        written = {}
        for student, found in sorted(self.notebooks.items()):
            if problem := unfit(student):
                self.refuse(found[0].entry.path, f"the student's name {problem}")
            elif names := self._write_student(folder / student, student, found):
                written[student] = names
        return written

    def _write_student(self, folder: Path, student: str, found: list[Found]) -> list[str]:
        written: dict[str, str] = {}  # the names of the files by their digests
        for each in self._named(found):
            if len(written) == MAX_NOTEBOOKS:
                self.refuse(each.entry.path, f"{student} handed in more than {MAX_NOTEBOOKS} notebooks", student)
                continue
            try:
                data = content_of(each.entry, each.download)
            except Refused as error:
                self.refuse(each.entry.path, str(error), student)
                continue
            digest = hashlib.sha256(data).hexdigest()
            if digest in written:
                continue  # the same once more
            name = free_name(each.name, set(written.values()))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            written[digest] = name
            if name != each.name:
                self.remarks.append(f"{shown(student)} handed in “{shown(each.name)}” twice; the other one is kept as “{shown(name)}”.")
        names = list(written.values())
        if len(names) > 1:
            self.remarks.append(f"{shown(student)} handed in {len(names)} notebooks: {listed(names)}.")
        return names

    def _named(self, found: list[Found]) -> list[Found]:
        """A student's notebooks, the latest upload first, and of these those that lie in the fewest folders. Canvas calls a later
        upload NAME-1.ipynb: the latest of these gets its name back, unless a file of that name is there, too."""
        found = sorted(found, key=lambda each: (each.download.when, each.owner.upload, -each.entry.path.count("/")), reverse=True)
        for released in self.released:
            stem = re.escape(released.removesuffix(".ipynb"))
            if not any(each.name == released for each in found):
                again = next((each for each in found if re.fullmatch(rf"{stem}-[0-9]+\.ipynb", each.name)), None)
                if again and again.name not in self.released:
                    again.name = released
        return found


def file_name(name: str) -> str:
    """A name that a learner gave a notebook as that of a file: printable, visible, in no other folder, and not too long."""
    name = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name).strip().lstrip(".")
    stem = name[: -len(".ipynb")].strip() or "notebook"
    return stem.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") + ".ipynb"


def free_name(name: str, taken: set[str]) -> str:
    """The name, or with a number after it when it is taken."""
    stem, many = name.removesuffix(".ipynb"), 2
    while name in taken:
        name, many = f"{stem} ({many}).ipynb", many + 1
    return name


# --- The two plugins ---------------------------------------------------------------------------


class PlatformExtractor(ExtractorPlugin):
    """nbgrader's plugin that unpacks what was downloaded. Ours writes what is to be collected, and nothing else."""

    platform = Unicode("auto", help="Whose downloads these are: canvas, moodle, or auto, which tells it by their names").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        if self.platform not in ("auto", *PLATFORMS):
            self.parent.fail(f"PlatformExtractor.platform is “{shown(self.platform)}”, and must be auto, {' or '.join(PLATFORMS)}.")
        app, class_folder = self.parent, referee.ClassFolder(Path(steps.judge_settings(self).class_folder))
        folder = Path(app.coursedir.format_path(app.coursedir.release_directory, ".", app.coursedir.assignment_id))
        collection = Collection([path.name for path in folder.glob("*.ipynb")], class_folder.roster())
        with downloads(Path(archive_path), collection.refuse) as found:
            if not found and not collection.remarks:
                app.fail(f"There is no download in {archive_path}: put the platform's zip there.")
            for download in found:
                platform = self.platform if self.platform != "auto" else platform_of(entry.path for entry in download.entries)
                if platform:
                    collection.add(download, platform)
                elif download.entries:
                    collection.refuse(
                        download.name, "its names don't tell whether it comes from Canvas or from Moodle; if it does, say so by "
                        "--PlatformExtractor.platform=canvas or --PlatformExtractor.platform=moodle",
                    )  # fmt: skip
            self._require_room(collection.notebooks)
            written = collection.write(Path(extracted_path))
        told = collection.told(written)
        kept = {student: remarks for student, remarks in class_folder.collected(app.coursedir.assignment_id).items() if student not in told}
        class_folder.keep_collected(app.coursedir.assignment_id, {**kept, **{student: remarks for student, remarks in told.items() if remarks}})
        for student in sorted(set(told) - set(written)):
            if not unfit(student):  # grading explains to them why nothing could be used
                self._submitted(student).mkdir(parents=True, exist_ok=True)
        self._tell(collection, written, Path(archive_path).parent / "left-out.txt")

    def _require_room(self, students: Iterable[str]) -> None:
        """Stop before anything is collected when somebody's work would be in the way: nbgrader would stop in the middle."""
        if self.force:
            return
        there = [student for student in sorted(students) if not unfit(student) and any_in(self._submitted(student))]
        if there:
            self.parent.fail(
                f"Nothing was collected: {listed(there)} handed in this assignment already. With --force what was collected now replaces it."
            )

    def _submitted(self, student: str) -> Path:
        coursedir = self.parent.coursedir
        return Path(coursedir.format_path(coursedir.submitted_directory, student, coursedir.assignment_id))

    def _tell(self, collection: Collection, written: dict[str, list[str]], file: Path) -> None:
        if collection.late:
            collection.remarks.append(
                f"Canvas marks as late: {listed(sorted(collection.late), 1000)}. No zip says when: write their time of receipt into "
                "timestamp.txt beside the notebook before you grade."
            )
        for remark in collection.remarks:
            self.log.warning("%s", remark)
        file.unlink(missing_ok=True)
        if collection.remarks:
            file.write_text("".join(f"{remark}\n" for remark in collection.remarks), encoding="utf-8")
            self.log.warning("What is said above stands in %s, too", file)
        self.log.info("Notebooks of %d students are taken", len(written))


def any_in(folder: Path) -> bool:
    """Whether anything lies in a folder."""
    return folder.is_dir() and any(folder.iterdir())


class PlatformCollector(FileNameCollectorPlugin):
    """nbgrader's plugin that says whose a file is: the extractor has put it into the student's folder."""

    def collect(self, submitted_file: str) -> dict | None:
        path = Path(submitted_file)
        found = {"student_id": path.parent.name, "file_id": path.name}
        if received := self._received(path):
            found["timestamp"] = received
        return found

    def _received(self, path: Path) -> str:
        """The time of receipt that lies beside the very same notebook already: collecting it anew does not make it later."""
        coursedir = self.parent.coursedir
        before = Path(coursedir.format_path(coursedir.submitted_directory, path.parent.name, coursedir.assignment_id))
        try:
            if rebuild.read_file(before / path.name) != path.read_bytes():
                return ""
            return late_days.moment(rebuild.read_file(before / "timestamp.txt").decode("utf-8")).isoformat(" ")
        except Exception:  # there is none, or it is no time: grading says so
            return ""
