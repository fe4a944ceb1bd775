"""A learner's own text: how it is decoded, and what is said about a file that is no text."""

import gzip
import os
import sys
import zipfile

import pytest

from unrolled.corpora import text_file

FRENCH = "L'été dernier, les élèves ont mangé des crêpes à Besançon. Où était-ce déjà ? Là-bas, près de la forêt.\n" * 30
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n" * 30
CHINESE = "今天天气很好，我们去公园散步，看见许多花。\n" * 30


@pytest.fixture
def write(tmp_path):
    """write(bytes or text): a file that holds it."""

    def write(content, name="own.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(path, **options):
    with pytest.raises((ValueError, OSError)) as caught:
        text_file(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_utf_8_text_comes_back_as_it_was_written(write):
    read = text_file(write("naïve façade — 中文\n"))
    assert (read.text, read.encoding, read.notes) == ("naïve façade — 中文\n", "utf-8", ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding_and_is_no_part_of_the_text(write, encoding):
    read = text_file(write(FRENCH.encode(encoding)))
    assert (read.text, read.notes) == (FRENCH, ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_seen_by_its_zero_bytes_and_called_a_guess(write, encoding):
    read = text_file(write(FRENCH.encode(encoding)))
    assert read.text == FRENCH
    assert "guess" in read.notes[0]


@pytest.mark.parametrize(("text", "encoding"), [(FRENCH, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"), (CHINESE, "gb18030"), (CHINESE, "utf-16-le")])
def test_other_encodings_are_guessed_and_the_guess_is_said(write, text, encoding):
    read = text_file(write(text.encode(encoding)))
    assert read.text == text
    assert "is a guess" in read.notes[0]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Książka leży na stole, a chłopiec śpi.", "iso8859_2"),
        ("Děti šly do školy a potom domů.", "cp1250"),
        ("A gyerekek később hazajöttek.", "cp1250"),
        ("Djeca su išla kući.", "cp1250"),
        ("Işık söndü.", "cp1254"),
        ("Vaikai nuėjo į mokyklą; šalta žiema.", "cp1257"),
        ("Børnene gik i skole, og så gik de hjem.", "cp1252"),
        ("È già così.", "cp1252"),
        ("Não há pão.", "cp1252"),
        ("Les élèves sont allés à l’école.", "mac_roman"),
    ],
)
def test_a_single_line_in_latin_letters_is_read_in_the_encoding_that_gives_it_the_letters_of_one_language(write, text, encoding):
    assert text_file(write(text.encode(encoding))).text == text


def test_a_named_encoding_is_used_without_a_guess(write):
    read = text_file(write(FRENCH.encode("cp850")), encoding="cp850")
    assert (read.text, read.encoding, read.notes) == (FRENCH, "cp850", ())


def test_a_named_encoding_that_does_not_fit_is_refused_with_the_place(write):
    assert "its byte 3 does not fit" in refused(write("café".encode("cp1252")), encoding="ascii")


def test_an_unknown_encoding_is_refused_by_name(write):
    assert "it is 'utf-9'" in refused(write("text"), encoding="utf-9")


def test_without_the_guessing_library_the_way_out_is_named(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    message = refused(write(FRENCH.encode("cp1252")))
    assert "name its encoding" in message
    assert "pip install charset-normalizer" in message


def test_line_ends_of_every_system_become_line_feeds(write):
    assert text_file(write("one\r\ntwo\rthree\n")).text == "one\ntwo\nthree\n"


def test_stray_control_characters_are_dropped_and_counted(write):
    read = text_file(write("a line of text\n" * 100 + "\x07\x07"))
    assert (read.text, read.notes) == ("a line of text\n" * 100, ("2 control characters were dropped.",))


@pytest.mark.parametrize(("content", "said"), [(b"", "it is empty"), (b" \n\t\n", "it is empty"), ("\u3000\n\u2003".encode(), "white space alone")])
def test_a_file_without_text_is_refused(write, content, said):
    assert said in refused(write(content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 ...", "a PDF file"),
        (gzip.compress(b"text", mtime=0), "a gzip archive"),  # with no time in it: two workers must name the test alike
        (b"\x89PNG\r\n\x1a\n....", "a picture"),
        (b"PAR1\x15\x04", "a Parquet table"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "zero"),
        (bytes(range(256)) * 4, "plain text"),
    ],
)
def test_a_file_of_another_kind_is_named_as_what_it_is(write, content, said):
    assert said in refused(write(content))


def test_a_zip_archive_is_named_as_what_it_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    assert "a zip archive" in refused(tmp_path / "a.zip")


def test_a_file_above_the_limit_is_refused_with_its_size(write):
    assert "should have at most 0.5 MB, but it has 1 MB" in refused(write("abcdefghi\n" * 100_000), largest_mb=0.5)


def test_a_missing_file_is_named_with_the_folder_it_was_looked_for_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused("not-here.txt")
    assert "There is no file not-here.txt" in message
    assert str(tmp_path) in message


def test_a_folder_is_no_file(tmp_path):
    assert "it is a folder" in refused(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="optional: root may read everything")
def test_a_file_that_may_not_be_read_is_named(write):
    path = write("text")
    path.chmod(0)
    assert "may not be read" in refused(path)


def test_a_text_at_the_end_of_a_cell_shows_its_two_ends(write):
    shown = repr(text_file(write(FRENCH)))
    assert "L'été dernier" in shown and "utf-8" in shown and len(shown) < 600
