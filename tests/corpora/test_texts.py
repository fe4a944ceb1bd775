"""Real prose: where it is looked for, and what happens when it is not there or not right. No test uses the network."""

import hashlib
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from unrolled.corpora import normalise_letters, python_manual, python_manual_version, time_machine

texts = sys.modules["unrolled.corpora.texts"]
BOOK = "The Time Machine, by H. G. Wells\n\nWeena's flowers; two.\n"


@pytest.fixture
def small_book(tmp_path, monkeypatch):
    """The checksums of a short text, no UNROLLED_DATA, an empty cache, and no network. Returns the cached file."""
    letters = normalise_letters(BOOK).encode()
    monkeypatch.setattr(texts, "TIME_MACHINE_SHA1", hashlib.sha1(BOOK.encode()).hexdigest())
    monkeypatch.setattr(texts, "TIME_MACHINE_LETTERS_SHA256", hashlib.sha256(letters).hexdigest())
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    return tmp_path / "cache" / "unrolled" / "timemachine.txt"


def refuse(*args, **kwargs):
    raise urllib.error.URLError("no network here")


def offer(monkeypatch, tmp_path, content: bytes) -> None:
    """Let the download find `content`, by a file:// address and Python's own opener."""
    published = tmp_path / "published.txt"
    published.write_bytes(content)
    opener = urllib.request.build_opener()
    monkeypatch.setattr(texts, "TIME_MACHINE_URL", published.as_uri())
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: opener.open(url, timeout=timeout))


def save(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return path


def test_python_manual_is_long_prose_and_the_same_on_each_call():
    manual = python_manual()
    assert len(manual) > 300_000
    assert "assert" in manual
    assert manual == python_manual()


def test_python_manual_has_its_topics_in_order_with_blank_lines_between():
    from pydoc_data.topics import topics

    first, second = sorted(topics)[:2]
    assert python_manual().startswith(topics[first].strip("\n") + "\n\n" + topics[second].strip("\n"))


def test_python_manual_names_the_version_it_belongs_to():
    assert python_manual_version().endswith(".".join(map(str, sys.version_info[:3])))


def test_a_python_without_its_manual_is_told_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ModuleNotFoundError, match="use a CPython"):
        python_manual()


def test_normalised_text_keeps_letters_and_single_spaces():
    assert normalise_letters("The Time-Machine, 1895!\n") == "the time machine "


def test_the_folder_in_unrolled_data_comes_first(small_book, tmp_path, monkeypatch):
    save(small_book, "something else")
    save(tmp_path / "data" / "timemachine.txt", BOOK)
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "data"))
    assert time_machine() == BOOK


def test_the_cache_is_used_when_unrolled_data_has_no_such_file(small_book, tmp_path, monkeypatch):
    save(small_book, BOOK)
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    assert time_machine() == BOOK


def test_a_download_is_kept_and_used_by_the_next_call(small_book, tmp_path, monkeypatch):
    offer(monkeypatch, tmp_path, BOOK.encode())
    assert time_machine() == BOOK
    assert small_book.read_text() == BOOK
    assert os.listdir(small_book.parent) == ["timemachine.txt"]
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert time_machine() == BOOK


def test_a_download_that_cannot_be_kept_is_still_returned(small_book, tmp_path, monkeypatch):
    offer(monkeypatch, tmp_path, BOOK.encode())
    save(tmp_path / "cache", "a file where the cache folder should be")
    assert time_machine() == BOOK


def test_a_write_that_fails_leaves_nothing_behind(small_book, tmp_path, monkeypatch):
    offer(monkeypatch, tmp_path, BOOK.encode())
    monkeypatch.setattr(os, "replace", refuse)
    assert time_machine() == BOOK
    assert os.listdir(small_book.parent) == []


def test_a_wrong_download_is_refused_and_not_kept(small_book, tmp_path, monkeypatch):
    offer(monkeypatch, tmp_path, b"log in to this wireless network")
    with pytest.raises(ValueError, match="published.txt should have SHA-1 [0-9a-f]{40}, but it has [0-9a-f]{40};"):
        time_machine()
    assert not small_book.exists()


def test_a_wrong_file_is_named_with_both_checksums(small_book):
    save(small_book, "The Invisible Man")
    with pytest.raises(ValueError) as caught:
        time_machine()
    message = str(caught.value)
    assert str(small_book) in message
    assert texts.TIME_MACHINE_LETTERS_SHA256 in message
    assert hashlib.sha256(b"the invisible man").hexdigest() in message


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(small_book):
    save(small_book, "\ufeff" + BOOK.replace("\n", "\r\n"))
    assert time_machine() == BOOK


def test_without_network_the_error_says_where_to_put_the_file(small_book, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "data"))
    with pytest.raises(FileNotFoundError) as caught:
        time_machine()
    message = str(caught.value)
    assert str(tmp_path / "data" / "timemachine.txt") in message
    assert texts.TIME_MACHINE_URL in message


def test_the_real_book_has_its_published_length():
    folder = os.environ.get("UNROLLED_DATA")
    if not folder or not (Path(folder) / "timemachine.txt").is_file():
        pytest.skip("optional: set UNROLLED_DATA to a folder with timemachine.txt to test the real book")
    assert len(normalise_letters(time_machine())) == 173_428
