"""The portfolio that a learner makes, and the record that an instructor signs and anybody verifies."""

from __future__ import annotations

import datetime
import html.parser
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from unrolled import answers
from unrolled.yours import portfolio, signing

NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)


def png() -> bytes:
    """A picture of one pixel."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.fixture
def work(tmp_path) -> Path:
    """A learner's folder with a package of one function, and one milestone."""
    folder = tmp_path / "work"
    (folder / "mine").mkdir(parents=True)
    (folder / "milestones").mkdir()
    task = {"assignment": "02-rnn-forward", "module": "a02_rnn_forward", "points": 4.0, "max_points": 4.0, "judge": "a judge", "since": "2026-03-04"}
    (folder / "mine" / "record.json").write_text(json.dumps({"version": 1, "course": "0.1.0", "packed": "2026-04-05T10:00:00+00:00", "tasks": {"rnn_step": task}}))
    run = {"date": "2026-04-06", "course": "0.1.0", "own": ["minimal_scan"], "missing": [], "said": ["Equal & fast <1 s."], "differs": "", "alt": 'Two "lines".', "picture": "feng2024.png", "cut": ""}
    (folder / "milestones" / "record.json").write_text(json.dumps({"feng2024": run}))
    (folder / "milestones" / "feng2024.png").write_bytes(png())
    return folder


def page_of(work, course, log=(), name="Ada") -> str:
    return portfolio.portfolio(work, course, log, name)


class _Tags(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_it_shows_functions_with_dates_version_and_a_link_to_the_code(work, course):
    page = page_of(work, course)
    assert '<a href="mine/a02_rnn_forward.py"><code>rnn_step</code></a>' in page
    assert "2026-03-04" in page and "with version 0.1.0" in page


def test_it_shows_quizzes_by_chapter(work, course):
    from unrolled import quizzes

    quiz = quizzes.find("rnn", course / "book" / "quizzes")
    log = [answers.answer_event(quiz.after[0].id, ["a"], True, [], NOW), answers.answer_event(quiz.after[1].id, ["a"], False, [], NOW)]
    assert f"<td>2 of {len(quiz.before + quiz.after)}</td><td>1</td><td>1</td><td>2026-05-01</td>" in page_of(work, course, log)


def test_it_is_one_file_that_asks_for_nothing_else(work, course):
    tags = _Tags(page_of(work, course)).found
    sources = [attrs[name] for tag, attrs in tags for name in ("src",) if name in attrs]
    assert len(sources) == 1 and sources[0].startswith("data:image/png;base64,")
    assert not [tag for tag, _ in tags if tag in ("script", "link", "iframe")]


def test_every_picture_has_its_words_and_every_table_its_heads(work, course):
    tags = _Tags(page_of(work, course)).found
    assert [attrs["alt"] for tag, attrs in tags if tag == "img"] == ['Two "lines".']
    assert all(attrs.get("scope") for tag, attrs in tags if tag == "th")


def test_it_says_that_it_is_self_attested(work, course):
    assert "self-attested" in page_of(work, course)


def test_what_a_learner_typed_is_shown_and_not_obeyed(work, course):
    page = page_of(work, course, name="<script>alert(1)</script>")
    assert "<script>" not in page and "&lt;script&gt;" in page and "Equal &amp; fast &lt;1 s." in page


def test_records_that_can_not_be_understood_are_left_aside(work, course):
    (work / "milestones" / "record.json").write_text('{"feng2024": 3')
    (work / "milestones" / "feng2024.png").unlink()
    assert "Milestones" not in page_of(work, course)


def test_a_picture_that_is_gone_is_said(work, course):
    (work / "milestones" / "feng2024.png").unlink()
    assert "no longer there" in page_of(work, course)


def test_with_nothing_to_show_one_sentence_says_what_to_do(tmp_path, course):
    with pytest.raises(portfolio.PortfolioError, match="unrolled package"):
        page_of(tmp_path / "work", course)


def test_a_write_that_is_interrupted_leaves_the_old_page(tmp_path, monkeypatch):
    file = tmp_path / "page.html"
    file.write_text("old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portfolio.write(file, "new")
    assert file.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["page.html"]


# --- Signing -----------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path):
    """The private key of a course, and the file of the public one."""
    key, new = signing.private_key(tmp_path / "class")
    assert new
    return key, tmp_path / "class" / signing.PUBLIC


def signed_page(keys, tmp_path, own: str = "", text=lambda page: page) -> Path:
    """A signed record, changed afterwards by `text`."""
    grades = [portfolio.Graded("02-rnn-forward", 18.5, 20.0, "2026-03-01", True)]
    page = portfolio.attested("ada", grades, "unrolled", own, signing.head(keys[0].public_key()))
    file = tmp_path / "ada.html"
    file.write_bytes(text(signing.signed(page, keys[0])).encode("utf-8"))
    return file


def verdict(file, key) -> signing.Verdict:
    return signing.verify(file, signing.public_key(key))


def test_what_was_signed_is_valid(keys, tmp_path):
    assert verdict(signed_page(keys, tmp_path), keys[1]).valid


def test_line_ends_that_a_mail_program_changed_do_not_matter(keys, tmp_path):
    assert verdict(signed_page(keys, tmp_path, text=lambda page: page.replace("\n", "\r\n")), keys[1]).valid


@pytest.mark.parametrize("old, new", [("18.5", "19.5"), ("ada", "eve"), ("0.1.0", "0.1.1"), ("</main>", " </main>"), ("default-src 'none'", "default-src *")])
def test_a_changed_text_is_said(keys, tmp_path, old, new):
    found = verdict(signed_page(keys, tmp_path, text=lambda page: page.replace(old, new)), keys[1])
    assert not found.valid and "changed afterwards" in found.sentence


def test_a_signature_of_another_page_is_said(keys, tmp_path):
    other = signing.SIGNATURE.search(signed_page(keys, tmp_path).read_text())[1]
    grades = [portfolio.Graded("03-bptt", 1.0, 20.0, "", True)]
    page = portfolio.attested("ada", grades, "unrolled", "", signing.head(keys[0].public_key()))
    file = tmp_path / "forged.html"
    file.write_text(page.replace('content="">', f'content="{other}">', 1))
    assert "changed afterwards" in verdict(file, keys[1]).sentence


def test_another_key_is_said(keys, tmp_path):
    signing.private_key(tmp_path / "other")
    found = verdict(signed_page(keys, tmp_path), tmp_path / "other" / signing.PUBLIC)
    assert not found.valid and "another key" in found.sentence


def test_another_version_of_the_course_is_said_and_still_valid(keys, tmp_path, monkeypatch):
    file = signed_page(keys, tmp_path)
    monkeypatch.setattr(signing, "__version__", "9.0")
    found = verdict(file, keys[1])
    assert found.valid and "by version 0.1.0" in found.sentence and "9.0" in found.sentence


def test_a_page_without_a_signature_is_said_to_be_self_attested(keys, tmp_path, work, course):
    file = tmp_path / "own.html"
    file.write_text(page_of(work, course))
    found = verdict(file, keys[1])
    assert not found.valid and "self-attested" in found.sentence


@pytest.mark.parametrize("content, said", [(b"no key", "no key in PEM form"), (b"", "no key in PEM form")])
def test_a_file_that_is_no_key_is_said(tmp_path, content, said):
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(signing.SigningError, match=said):
        signing.public_key(tmp_path / "key.pem")


def test_the_private_key_is_not_taken_for_the_public_one(keys, tmp_path):
    with pytest.raises(signing.SigningError, match="only the course may have"):
        signing.public_key(tmp_path / "class" / signing.PRIVATE)


def test_nobody_else_can_read_the_private_key_and_it_is_made_once(keys, tmp_path):
    file = tmp_path / "class" / signing.PRIVATE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again, new = signing.private_key(tmp_path / "class")
    assert not new and again.private_bytes_raw() == keys[0].private_bytes_raw()


def test_a_record_says_what_its_signature_proves_and_what_not(keys, tmp_path):
    page = signed_page(keys, tmp_path).read_text()
    assert "A valid signature proves" in page and "It does not prove" in page


def test_a_learners_page_stands_in_the_record_without_what_could_do_harm(keys, tmp_path, work, course):
    own = page_of(work, course).replace("</main>", '<script>alert(1)</script><img src="https://example.org/x" onerror="x()"><a href="javascript:x">y</a></main>')
    file = signed_page(keys, tmp_path, own)
    tags = _Tags(file.read_text()).found
    assert verdict(file, keys[1]).valid
    assert not [tag for tag, _ in tags if tag in ("script", "a", "iframe")]
    assert [attrs["src"][:22] for tag, attrs in tags if tag == "img" and "src" in attrs] == ["data:image/png;base64,"]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]


def test_two_commands_sign_from_the_gradebook_and_verify(course, tmp_path, monkeypatch):
    from nbgrader.api import Gradebook

    folder = tmp_path / "course"
    (folder / "class").mkdir(parents=True)
    shutil.copy(course / "nbgrader_config.py", folder)
    shutil.copytree(course / "assignments" / "02-rnn-forward", folder / "assignments" / "02-rnn-forward")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # nbgrader starts alembic by name
    environment = {**os.environ, "UNROLLED_COURSE": str(folder)}

    def unrolled(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-m", "unrolled.cli", *arguments], cwd=folder, env=environment, capture_output=True, text=True)

    with Gradebook(f"sqlite:///{folder / 'class' / 'gradebook.db'}", "unrolled") as book:
        book.add_assignment("02-rnn-forward")
        book.add_notebook("02-rnn-forward", "02-rnn-forward")
        book.add_grade_cell("rnn_step", "02-rnn-forward", "02-rnn-forward", max_score=4, cell_type="code")
        book.add_student("ada")
        book.add_submission("02-rnn-forward", "ada")
        book.find_grade("rnn_step", "02-rnn-forward", "02-rnn-forward", "ada").auto_score = 3.5
        book.db.commit()
    done = unrolled("sign", "ada")
    assert done.returncode == 0, done.stderr
    file = folder / "class" / "signed" / "ada.html"
    assert "3.5 of 4" in file.read_text()
    done = unrolled("verify", str(file), "--key", str(folder / "class" / signing.PUBLIC))
    assert done.returncode == 0 and "is what was signed" in done.stdout
    file.write_text(file.read_text().replace("3.5 of 4", "4 of 4"))
    done = unrolled("verify", str(file), "--key", str(folder / "class" / signing.PUBLIC))
    assert done.returncode == 1 and "changed afterwards" in done.stdout
    done = unrolled("sign", "eve")
    assert done.returncode == 2 and "knows no student 'eve'" in done.stderr
