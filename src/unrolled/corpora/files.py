"""A learner's own text: a file read whole, its encoding found or named, and one clear sentence for a file that is no text."""

from __future__ import annotations

import codecs
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..language import gettext, ngettext, texts
from ._short import Short

LARGEST_MB = 200.0

# How files begin that hold no plain text, and what to do with each.
_KINDS = texts((
    ("a PDF file", "save its text as a .txt file (`pdftotext FILE` does that)"),
    ("a zip archive (Word, Excel and e-book files are such archives, too)", "unpack it, or save it as plain text or CSV"),
    ("a gzip archive", "unpack it (`gunzip FILE`)"),
    ("a bzip2 archive", "unpack it (`bunzip2 FILE`)"),
    ("an xz archive", "unpack it (`unxz FILE`)"),
    ("a zstd archive", "unpack it (`unzstd FILE`)"),
    ("a Parquet table", "write it as CSV (`pandas.read_parquet(FILE).to_csv(..., index=False)`)"),
    ("an SQLite database", "write the table as CSV"),
    ("an old Word or Excel file", "save it as plain text or CSV"),
    ("a rich-text file", "save it as plain text"),
    ("a picture", "choose a file that holds text"),
    ("a picture", "choose a file that holds text"),
))
_SIGNATURES = tuple(zip((
    b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PAR1", b"SQLite format 3", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff",
), _KINDS, strict=True))  # fmt: skip
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
# What text files are written in where it is not UTF-8. Rarer encodings must be named: with more candidates the guesses get worse.
_CANDIDATES = ("cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 iso8859_2 iso8859_5 iso8859_7 koi8_r koi8_u mac_roman "
               "gb18030 big5 cp932 euc_jp cp949 tis_620").split()  # fmt: skip
# Those of Latin letters, and the letters beyond ASCII of the languages that are written in them: a text has those of one language, while the
# wrong encoding mixes letters that no language has together, or puts signs into words.
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2", "mac_roman")
_ALPHABETS = tuple(map(frozenset, (
    "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àèéìíîòóùú", "áâãàçéêíóôõúü", "àçèéíïòóúü·", "áéíóúàèìòù", "éèëïöü",  # German to Dutch
    "åäöé", "æøåéòôó", "áðéíóúýþæö", "äõöüšž", "ąčęėįšųūž", "āčēģīķļņšūž",  # Swedish to Latvian
    "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţșț", "čćđšž", "çëé", "çğıİöşüâîû",  # Polish to Turkish
)))  # fmt: skip
# A sign at a letter, where people write none, or a control character that another encoding leaves behind.
_SIGN_IN_WORD = re.compile("[\x80-\x9f]|[A-Za-z][¡-©«-´¶-¹»-¿˘-˝†-‰√∂-∞]|[¢-¦¨-©¬-´¶-¹¼-¾˘-˝√∂-∞][A-Za-z]")
# Neither written by people nor shown by programs; tab, line feed and form feed stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, repr=False)
class TextFile(Short):
    """A text as it is learned from: line ends are `\\n`, and neither a byte-order mark nor control characters are left.

    encoding: Python's name of the one that it was read in. notes: what a reader should know, each a whole sentence (a guessed encoding,
    dropped characters); often none.
    """

    path: Path
    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def text_file(path: str | os.PathLike, encoding: str | None = None, largest_mb: float = LARGEST_MB) -> TextFile:
    """Read a whole text file.

    encoding: such as "utf-8", "cp1252", "gb18030"; None finds it: a byte-order mark decides, else UTF-8 where it fits, else a guess, which
    `notes` name. Raises FileNotFoundError, IsADirectoryError or PermissionError where the file can't be opened, and ValueError for one that is
    empty, larger than `largest_mb` megabytes, no plain text, or not written in that encoding.
    """
    path = Path(path).expanduser()
    return decoded(read_bytes(path, largest_mb), path, encoding)


def read_bytes(path: Path, largest_mb: float) -> bytes:
    """The bytes of a file of at most `largest_mb` megabytes, with errors as `text_file` raises them."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise IsADirectoryError(gettext("{path} should be a file, but it is a folder; name one of the files in it.").format(path=path))
        if size > largest_mb * 1e6:
            raise ValueError(
                gettext(
                    "{path} should have at most {largest_mb:g} MB, but it has {size:.0f} MB; cut it, for example with `head -c {most}M`, "
                    "or pass a larger largest_mb if this machine has ten times as much memory."
                ).format(path=path, largest_mb=largest_mb, size=size / 1e6, most=int(largest_mb))
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(gettext("There is no file {path}; check its name, which may be written from {folder}.").format(path=path, folder=Path.cwd())) from None
    except PermissionError:
        raise PermissionError(gettext("{path} may not be read by this user; change its permissions, or copy it to a place of yours.").format(path=path)) from None
    except OSError as error:
        if isinstance(error, IsADirectoryError):
            raise
        raise OSError(gettext(
            "{path} can't be read ({problem}); copy it to another disk and name the copy."
        ).format(path=path, problem=error.strerror or error)) from error


def decoded(raw: bytes, path: Path, encoding: str | None = None) -> TextFile:
    """The text that these bytes hold; path is for messages. Raises ValueError as `text_file` does."""
    if not raw.strip():
        raise ValueError(gettext("{path} should hold text, but it is empty; choose another file.").format(path=path))
    for signature, (what, advice) in _SIGNATURES:
        if raw.startswith(signature):
            raise ValueError(gettext("{path} should be plain text, but it is {what}; {advice}, and name the new file.").format(path=path, what=gettext(what), advice=gettext(advice)))
    notes: list[str] = []
    if encoding is None:
        encoding, text, note = _found(raw, path)
        notes += [note] if note else []
    else:
        text = _decode_as(raw, encoding, path)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    cleaned, dropped = _CONTROL.subn("", text)
    if dropped > 0.01 * len(text):
        raise ValueError(
            gettext(
                "{path} should be plain text, but {dropped:,} of its {length:,} characters are control characters, as in programs, "
                "pictures and archives; choose a file that a text editor shows, or name its encoding."
            ).format(path=path, dropped=dropped, length=len(text))
        )
    if not cleaned.strip():
        raise ValueError(gettext("{path} should hold text, but it holds white space alone; choose another file.").format(path=path))
    if dropped:
        notes.append(ngettext("{count:,} control character was dropped.", "{count:,} control characters were dropped.", dropped).format(count=dropped))
    return TextFile(path, cleaned, codecs.lookup(encoding).name, tuple(notes))


def _decode_as(raw: bytes, encoding: str, path: Path) -> str:
    """Decode in an encoding that somebody named."""
    try:
        return raw.decode(encoding)
    except LookupError:
        raise ValueError(gettext(
            "encoding should be one that Python knows, such as 'utf-8' or 'cp1252', but it is {encoding!r}; see "
            "https://docs.python.org/3/library/codecs.html#standard-encodings."
        ).format(encoding=encoding)) from None  # fmt: skip
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        raise ValueError(
            gettext(
                "{path} should be written in {encoding}, but its byte {place:,} does not fit that; leave the encoding out to have it "
                "found, or name another."
            ).format(path=path, encoding=encoding, place=place)
        ) from None


def _found(raw: bytes, path: Path) -> tuple[str, str, str | None]:
    """The encoding, the text, and a sentence where the encoding is a guess."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding, _decode_as(raw, encoding, path), None
    if raw.count(0) < 0.01 * len(raw):  # UTF-8 has zeros in nothing but the character U+0000
        try:
            return "utf-8", raw.decode("utf-8"), None
        except UnicodeDecodeError as error:
            broken = error
    else:
        wide = _wide(raw)
        if wide is None:
            raise ValueError(
                gettext(
                    "{path} should be plain text, but {zeros:,} of its {length:,} bytes are zero, as in programs, pictures and archives; "
                    "choose a file that a text editor shows, or name its encoding."
                ).format(path=path, zeros=raw.count(0), length=len(raw))
            )
        return wide, _decode_as(raw, wide, path), gettext(
            "The file has no byte-order mark and was read as {wide}, which is a guess from its zero bytes."
        ).format(wide=wide)
    encoding, others = _guess(raw, path, broken)
    text = _decode_as(raw, encoding, path)
    word = max(re.findall(r"\w*[^\x00-\x7f]\w*", text)[:200], key=len, default="")
    if others:
        note = gettext("The file is not written in UTF-8 and was read as {encoding}, which is a guess: if words such as {word!r} look wrong, name the encoding "
                       "(the next guess is {other}).")  # fmt: skip
        return encoding, text, note.format(encoding=encoding, word=word, other=others[0])
    note = gettext("The file is not written in UTF-8 and was read as {encoding}, which is a guess: if words such as {word!r} look wrong, name the encoding.")
    return encoding, text, note.format(encoding=encoding, word=word)


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: in most texts every second byte is often zero, and the others hardly ever."""
    even, odd = raw[0::2].count(0) / len(raw[0::2]), raw[1::2].count(0) / max(1, len(raw[1::2]))
    encoding = "utf-16-be" if even > odd else "utf-16-le"
    if min(even, odd) > 0.01 * max(even, odd):
        return None
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return encoding


def _guess(raw: bytes, path: Path, broken: UnicodeDecodeError) -> tuple[str, list[str]]:
    """The likeliest encoding of bytes that are not UTF-8, and the next ones."""
    try:
        from charset_normalizer import from_bytes
    except ModuleNotFoundError:
        raise ValueError(
            gettext(
                "{path} should be written in UTF-8, but its byte {place:,} does not fit that; name its encoding, such as 'cp1252', "
                "or run `pip install charset-normalizer` to have it guessed."
            ).format(path=path, place=broken.start)
        ) from None
    # Only lines with a byte beyond ASCII tell anything; no encoding of the candidates uses the byte of a line feed for another thing.
    telling = b"\n".join(line for line in raw.splitlines() if not line.isascii())[:200_000]
    # A multi-byte character may be cut at the end of the piece: up to its last line feed it is whole.
    telling = telling[: telling.rfind(b"\n")] if len(telling) == 200_000 and b"\n" in telling else telling
    # A guess from a part may not fit the rest of the file.
    matches = [match for match in from_bytes(telling, cp_isolation=list(_CANDIDATES)) if _fits(raw, match.encoding)]
    latin = _latin(raw, telling)
    if not matches and not latin:
        raise ValueError(
            gettext(
                "{path} should be plain text, but its bytes fit no encoding that is tried (byte {place:,} is not UTF-8); name its "
                "encoding, or choose a file that a text editor shows."
            ).format(path=path, place=broken.start)
        )
    # Where several explain the bytes about as well as each other, the one that most files are written in.
    level = [m.encoding for m in matches if m.chaos <= matches[0].chaos + 0.06 and m.coherence >= matches[0].coherence - 0.01]
    ranked = latin + sorted(level, key=_CANDIDATES.index) + [m.encoding for m in matches if m.encoding not in level]
    ranked = list(dict.fromkeys(ranked))
    return ranked[0], ranked[1:]


def _latin(raw: bytes, telling: bytes) -> list[str]:
    """The encodings of Latin letters in which nearly all letters beyond ASCII are of one language, the best first; often none."""
    shares = {}
    for encoding in _LATIN:
        if not _fits(raw, encoding):
            continue
        text = telling.decode(encoding, errors="ignore")
        letters = Counter(character for character in text if character > "\x7f" and character.isalpha())
        total = letters.total()
        # In a text of Latin letters most are in ASCII.
        if not total or total > sum(map(str.isalpha, text)) / 2:
            continue
        covered = max(sum(count for letter, count in letters.items() if letter in alphabet or letter.lower() in alphabet) for alphabet in _ALPHABETS)
        shares[encoding] = covered / (total + len(_SIGN_IN_WORD.findall(text)))
    best = max(shares.values(), default=0.0)
    if best < 0.9:
        return []
    return [encoding for encoding in _LATIN if shares.get(encoding, 0.0) >= best - 0.02]


def _fits(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
