"""Collecting the downloads of Canvas and Moodle: whose each file is, what is refused, and that the rest is collected all the same."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from conftest import copy_of
from hypothesis import given
from hypothesis import strategies as st

from unrolled.grading import referee, zips

NAME = "02-rnn-forward"
FILE = f"{NAME}.ipynb"


def _owner(platform: str, path: str) -> tuple[str, str]:
    (found,) = zips.PLATFORMS[platform](path)
    return found.student, found.file


# --- Whose it is -------------------------------------------------------------------------------


@pytest.mark.parametrize("path, student, file", [
    (f"lovelaceada_4021_88012_{FILE}", "4021", FILE),
    (f"lovelaceada_LATE_4021_88012_{FILE}", "4021", FILE),
    (f"lovelace--ada-late_4021_88012_{FILE}", "4021", FILE),     # older: small letters and dashes
    (f"李雷_4022_88013_{FILE}", "4022", FILE),
    (f"_4023_88014_{FILE}", "4023", FILE),                       # a name of signs only
    (f"ada2__4024_88015_{FILE}", "4024", FILE),                  # a person called "Ada 2_"
    ("lovelaceada_4021_88012_my_rnn.ipynb", "4021", "my_rnn.ipynb"),
    (f"anon_a1B2c_88012_{FILE}", "a1B2c", FILE),                 # graded without names
    (f"LATE_anon_a1B2c_88012_{FILE}", "a1B2c", FILE),
])  # fmt: skip
def test_name_in_a_download_of_canvas_says_whose_it_is(path, student, file):
    assert _owner("canvas", path) == (student, file)


@pytest.mark.parametrize("path, student, file", [
    (f"Ada Lovelace_657713_assignsubmission_file/{FILE}", "657713", FILE),
    (f"Ada Lovelace_657713_assignsubmission_file_/{FILE}", "657713", FILE),                        # older
    (f"Ada Lovelace_657713_assignsubmission_file_{FILE}", "657713", FILE),                         # without folders
    (f"Group A-Ada Lovelace_657713_assignsubmission_file/work/{FILE}", "657713", FILE),
    (f"Participant_657713_assignsubmission_file/{FILE}", "657713", FILE),                          # graded without names
    (f"李雷_657714_assignsubmission_file/{FILE}", "657714", FILE),
    (f"Ada 2__657715_assignsubmission_file/{FILE}", "657715", FILE),
    (f"Ada 2__657715_assignsubmission_file_{FILE}", "657715", FILE),
    (f"Ada_1_assignsubmission_file_2_assignsubmission_file/{FILE}", "2", FILE),
])  # fmt: skip
def test_name_in_a_download_of_moodle_says_whose_it_is(path, student, file):
    assert _owner("moodle", path) == (student, file)


LEARNER = st.text(st.characters(blacklist_characters="/", blacklist_categories=("Cs",)), min_size=1, max_size=30)


@given(name=LEARNER.map(lambda text: text.replace("_", " ")), file=LEARNER)
def test_no_name_of_a_file_makes_it_another_participant_s_work(name, file):
    for path in (f"{name}_657713_assignsubmission_file/{file}", f"{name}_657713_assignsubmission_file_/x/{file}",
                 f"{name}_657713_assignsubmission_file_{file}"):  # fmt: skip
        assert {owner.student for owner in zips.moodle(path)} == {"657713"}


@pytest.mark.parametrize("forged", ["x_657730_assignsubmission_file_03-bptt.ipynb", "a_4100_1_03-bptt.ipynb", "4100_88101_03-bptt.ipynb"])
def test_file_named_as_another_student_s_stays_its_author_s_or_is_refused(forged):
    collection = zips.Collection([FILE])
    names = [f"evil_4099_88100_{forged}", f"victim_4100_88101_{FILE}"]
    collection.add(zips.Download("d", [zips.Entry(name, lambda _: b"") for name in names], 0, 1), "canvas")
    assert [found.entry.path for found in collection.notebooks["4100"]] == [names[1]]
    assert set(collection.notebooks) == {"4099", "4100"} or f"“{names[0]}”" in collection.remarks[0]
    assert {owner.student for owner in zips.moodle(f"Evil_657799_assignsubmission_file_{forged}")} == {"657799"}


def test_person_whose_name_ends_in_a_number_is_told_from_it_by_the_numbers_of_the_uploads():
    collection = zips.Collection([FILE])
    names = [f"ada_2_4021_88012_{FILE}", f"blaise_4022_88013_{FILE}", f"carl_4023_88014_2026_11_28_{FILE}"]
    collection.add(zips.Download("d", [zips.Entry(name, lambda _: b"") for name in names], 0, 1), "canvas")
    assert set(collection.notebooks) == {"4021", "4022", "4023"} and not collection.remarks


def test_text_written_on_the_platform_is_its_author_s_and_a_file_named_like_one_is_not_another_s():
    assert _owner("canvas", "ada_LATE_4021_text.html") == ("4021", "text.html")
    assert _owner("canvas", "evil_4099_88100_z_4100_text.html") == ("4099", "z_4100_text.html")


@pytest.mark.parametrize("paths, platform", [
    ([f"ada_4021_88012_{FILE}", "b_4022_text.html"], "canvas"),
    ([f"Ada_657713_assignsubmission_file/{FILE}", "Ben_2_assignsubmission_onlinetext/onlinetext.html"], "moodle"),
    ([f"evil_4099_88100_x_657730_assignsubmission_file_{FILE}", f"ada_4021_88012_{FILE}"], "canvas"),
    ([f"Evil_657799_assignsubmission_file_a_4100_1_{FILE}", f"Ada_657713_assignsubmission_file_{FILE}"], "moodle"),
    ([f"evil_4099_88100_x_657730_assignsubmission_file_{FILE}"], None),
    (["ada/02-rnn-forward.ipynb"], None),
])  # fmt: skip
def test_platform_is_told_by_the_names_that_fit_one_only(paths, platform):
    assert zips.platform_of(paths) == platform


# --- What is in a zip --------------------------------------------------------------------------


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def _inner(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _collected(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """The notebooks that are taken of what lies in `folder`/archive, by student, and the remarks."""
    collection = zips.Collection([FILE])
    with zips.downloads(folder / "archive", collection.refuse) as found:
        for download in found:
            collection.add(download, zips.platform_of(entry.path for entry in download.entries))
        return collection.write(folder / "extracted"), collection.remarks


def _raw_name(path: Path, name: bytes, extra: bytes = b"") -> Path:
    """A zip whose one entry has a name in these bytes, without the sign for UTF-8."""
    placeholder = "x" * len(name)
    info = zipfile.ZipInfo(placeholder)
    info.extra = extra
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"{}")
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), name))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "shift-jis", "cp437"])
def test_name_in_any_encoding_is_collected_under_its_number(tmp_path, encoding):
    person = {"cp437": "Müller"}.get(encoding, "李")
    _raw_name(tmp_path / "archive" / "d.zip", f"{person}_657713_assignsubmission_file/{FILE}".encode(encoding))
    assert _collected(tmp_path) == ({"657713": [FILE]}, [])


def test_name_in_the_field_for_unicode_names_counts(tmp_path):
    raw = b"?_657713_assignsubmission_file_?.ipynb"
    name = "李_657713_assignsubmission_file_作业.ipynb".encode()
    extra = struct.pack("<HHBL", 0x7075, len(name) + 5, 1, zlib.crc32(raw)) + name
    _raw_name(tmp_path / "archive" / "d.zip", raw, extra)
    assert _collected(tmp_path) == ({"657713": ["作业.ipynb"]}, [])


def _remark(tmp_path: Path, entries: dict, student: str = "4021") -> str:
    """What is said of hostile entries beside an honest one, which is collected."""
    if entries:
        _zip(tmp_path / "archive" / "d.zip", {f"ada_{student}_88012_{FILE}": b"{}", **entries})
    written, remarks = _collected(tmp_path)
    assert written[student] == [FILE]
    (remark,) = remarks
    return remark


def test_archive_in_the_archive_is_refused_by_name_and_not_unpacked(tmp_path):
    inner = _inner({f"Other_657731_assignsubmission_file/{FILE}": b"{}", f"a_4021_1_{FILE}": b"forged"})
    remark = _remark(tmp_path, {"evil_4099_88100_work.zip": inner})
    assert "evil_4099_88100_work.zip" in remark and "it is an archive, and only notebooks are taken" in remark
    assert (tmp_path / "extracted" / "4021" / FILE).read_bytes() == b"{}"


@pytest.mark.parametrize("path", ["../../evil_4099_88100_x.ipynb", "/etc/evil_4099_88100_x.ipynb", "evil_4099_88100_x/../../y.ipynb",
                                  "evil_4099_88100_..\\..\\x.ipynb", "C:\\evil_4099_88100_x.ipynb"])  # fmt: skip
def test_path_that_leads_out_of_the_archive_is_refused(tmp_path, path):
    assert "leads out of the archive" in _remark(tmp_path, {path: b"{}"})
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [FILE, "d.zip"]


def test_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo(f"evil_4099_88100_{FILE}")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert "it is a link" in _remark(tmp_path, {link: b"/etc/passwd"})


def test_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    asked, opened = [], zipfile.ZipFile.open

    def counted(self, info, mode="r", **options):
        if mode == "r":
            asked.append(info.filename)
        return opened(self, info, mode, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", counted)
    assert "times as large as it is packed" in _remark(tmp_path, {f"evil_4099_88100_{FILE}": b" " * 20_000_000})
    assert asked == [f"ada_4021_88012_{FILE}"]


def test_bomb_that_lies_about_its_size_is_refused(tmp_path):
    path = _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88012_{FILE}": b"{}", f"evil_4099_88100_{FILE}": b" " * 20_000_000})
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", 20_000_000), struct.pack("<L", 1000)))
    assert "damaged" in _remark(tmp_path, {})


def test_file_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zips.rebuild, "MAX_FILE", 1000)
    assert "MB are allowed" in _remark(tmp_path, {f"evil_4099_88100_{FILE}": bytes(range(256)) * 8})


def test_damaged_file_is_refused_by_name(tmp_path):
    path = _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88012_{FILE}": b"{}", f"evil_4099_88100_{FILE}": b"Q" * 50})
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(f"evil_4099_88100_{FILE}").header_offset + 30 + len(f"evil_4099_88100_{FILE}")
    data = bytearray(path.read_bytes())
    data[start : start + 3] = b"\xff\xff\xff"
    path.write_bytes(data)
    assert "evil_4099_88100" in (said := _remark(tmp_path, {})) and "damaged" in said


def test_more_notebooks_than_anybody_needs_are_refused(tmp_path):
    many = {f"evil_4099_{88100 + i}_n{i}.ipynb": str(i).encode() for i in range(zips.MAX_NOTEBOOKS + 1)}
    _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88012_{FILE}": b"{}", **many})
    written, remarks = _collected(tmp_path)
    assert written["4021"] == [FILE] and len(written["4099"]) == zips.MAX_NOTEBOOKS
    assert any("more than 20 notebooks" in remark for remark in remarks)


def test_download_that_is_no_zip_is_said_and_the_others_are_collected(tmp_path):
    _zip(tmp_path / "archive" / "good.zip", {f"ada_4021_88012_{FILE}": b"{}"})
    (tmp_path / "archive" / "bad.zip").write_bytes(b"no zip")
    assert "“bad.zip”: it can't be opened as a zip" in _remark(tmp_path, {})


def test_unpacked_download_is_collected_and_a_learner_s_zip_in_it_is_not_taken_for_the_platform_s(tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / f"ada_4021_88012_{FILE}").write_bytes(b"{}")
    (archive / "evil_4099_88100_work.zip").write_bytes(_inner({f"a_4021_1_{FILE}": b"forged"}))
    (archive / f"evil_4099_88101_{FILE}").symlink_to("/etc/passwd")
    written, remarks = _collected(tmp_path)
    assert written == {"4021": [FILE]} and len(remarks) == 2
    assert (tmp_path / "extracted" / "4021" / FILE).read_bytes() == b"{}"


def test_download_that_was_packed_anew_in_a_folder_is_collected(tmp_path):
    entries = {f"all of them/Ada_657713_assignsubmission_file/{FILE}": b"{}", "__MACOSX/all of them/._x": b""}
    _zip(tmp_path / "archive" / "again.zip", entries)
    assert _collected(tmp_path) == ({"657713": [FILE]}, [])


# --- More than one of a student ----------------------------------------------------------------


def test_name_that_canvas_gave_a_later_upload_is_given_back(tmp_path):
    _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88012_{NAME}-1.ipynb": b"{}"})
    assert _collected(tmp_path) == ({"4021": [FILE]}, [])


def test_two_notebooks_of_a_student_are_both_kept_and_said(tmp_path):
    _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88012_{FILE}": b"1", f"ada_4021_88013_{NAME}-1.ipynb": b"2"})
    written, (remark,) = _collected(tmp_path)
    assert set(written["4021"]) == {FILE, f"{NAME}-1.ipynb"} and "4021 handed in 2 notebooks" in remark


def test_of_two_files_of_one_name_the_later_keeps_it_and_the_other_is_kept_beside_it(tmp_path):
    _zip(tmp_path / "archive" / "d.zip", {f"ada_4021_88013_{FILE}": b"later", f"ada_4021_88012_{FILE}": b"earlier"})
    written, remarks = _collected(tmp_path)
    assert written["4021"] == [FILE, f"{NAME} (2).ipynb"] and "twice" in remarks[0]
    assert (tmp_path / "extracted" / "4021" / FILE).read_bytes() == b"later"


def test_name_of_a_file_reaches_no_terminal_and_no_other_folder(tmp_path):
    _zip(tmp_path / "archive" / "d.zip", {"Ada_657713_assignsubmission_file/\x1b[2J\n.ipynb": b"{}", "Ada_657713_assignsubmission_file/\x1b.pdf": b""})
    written, remarks = _collected(tmp_path)
    assert written == {"657713": ["_[2J_.ipynb"]} and all(remark.isprintable() for remark in remarks)


# --- The command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collecting(released_course, tmp_path_factory):
    """A course, and a function that collects these entries by the real command and returns its log."""
    import sample_class

    made = copy_of(released_course, tmp_path_factory.mktemp("collect") / "course")

    def collect(entries: dict[str, bytes], *options: str) -> str:
        _zip(made.folder / "class" / "downloaded" / NAME / "archive" / "submissions.zip", entries)
        return sample_class.nbgrader(made.folder, "zip_collect", NAME, *options)

    before = Path.cwd()
    os.chdir(made.folder)
    yield made, collect
    os.chdir(before)


@pytest.mark.slow
def test_class_is_collected_by_the_real_command_graded_anew_and_called_by_its_logins(collecting):
    import sample_class

    course, collect = collecting
    submitted = course.folder / "class" / "submitted"
    entries = {f"lovelaceada_4021_88012_{FILE}": b"1", f"李雷_LATE_4022_88013_{FILE}": b"2", "evil_4099_88100_work.zip": b"no zip",
               f"evil_4099_88101_a_4021_1_{FILE}": b"forged"}  # fmt: skip
    log = collect(entries)
    assert "evil_4099_88100_work.zip" in log and "marks as late: “4022”" in log and "Traceback" not in log
    assert (submitted / "4021" / NAME / FILE).read_bytes() == b"1" and (submitted / "4022" / NAME / FILE).read_bytes() == b"2"
    assert "evil_4099_88100_work.zip" in (course.folder / "class" / "downloaded" / NAME / "left-out.txt").read_text()

    (course.folder / "roster.csv").write_text("Student,ID,SIS Login ID\n,4021,ada\n,4022,lilei\n,4099,evil\n")
    assert "3 submissions of 3 students were renamed" in course.command("roster", "roster.csv").stdout
    for student in ("ada", "lilei"):
        (submitted / student / NAME / "timestamp.txt").write_text("2030-01-02 12:00:00 UTC\n")
    with pytest.raises(sample_class.CommandFailed, match="--force"):
        collect(entries)
    collect({**entries, f"李雷_4022_88213_{NAME}-1.ipynb": b"3"}, "--force")
    assert sorted(folder.name for folder in submitted.iterdir()) == ["ada", "evil", "lilei"]
    assert (submitted / "lilei" / NAME / FILE).read_bytes() in (b"2", b"3")
    assert (submitted / "ada" / NAME / "timestamp.txt").read_text().startswith("2030-01-02 12:00:00")


@pytest.mark.slow
def test_who_handed_in_an_archive_alone_is_graded_with_the_reason_under_number_and_login(bwrap, collecting):
    course, collect = collecting
    collect({f"zoe_4200_88200_{FILE}": b"{}", "sam_4201_88201_work.zip": b"no zip", "tom_4202_88202_work.pdf": b"", f"tom_4202_88203_{FILE}": b"{}",
             "uma_4203_88204_work.pdf": b""}, "--force")  # fmt: skip
    (course.folder / "roster.csv").write_text("ID,SIS Login ID\n4201,sam\n")
    assert course.command("roster", "roster.csv").returncode == 0
    for student in ("sam", "4203", "4202"):
        assert course.grade(student)["success"]
    told = {student: referee.remarks_of(referee.ClassFolder(course.folder / "class").record(student, NAME)) for student in ("sam", "4203", "4202")}
    assert told["sam"][1] == "Not collected: “sam_4201_88201_work.zip”: it is an archive, and only notebooks are taken; hand in the notebook itself."
    assert told["4203"][1] == "Not collected: “uma_4203_88204_work.pdf”: it is no notebook." and "pdf" not in "".join(told["4202"])


@pytest.mark.slow
def test_nothing_is_collected_where_a_student_s_work_would_be_in_the_way(released_course, tmp_path):
    import sample_class

    course = copy_of(released_course, tmp_path / "course")
    before = course.hand_in("4022") / FILE
    text = before.read_bytes()
    _zip(course.folder / "class" / "downloaded" / NAME / "archive" / "d.zip", {f"Ada_{n}_assignsubmission_file/{FILE}": b"1" for n in (4021, 4022)})
    with pytest.raises(sample_class.CommandFailed, match="Nothing was collected: “4022” handed in this assignment already"):
        sample_class.nbgrader(course.folder, "zip_collect", NAME)
    assert before.read_bytes() == text and not (course.folder / "class" / "submitted" / "4021").exists()
    assert referee.ClassFolder(course.folder / "class").roster() == {}
