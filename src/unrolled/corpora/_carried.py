"""What the package carries of other libraries' data where those libraries can't be, as in a page."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "carried" / "data"


def carried(name: str) -> Path | None:
    """The file of that name, or None where the package carries none."""
    path = FOLDER / name
    return path if path.is_file() else None
