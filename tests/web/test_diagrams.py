"""The diagrams in book/img, in each language, in a real browser: their text is text, can be read in both modes, and stays inside its box."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from unrolled.editions import catalogues, sources

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

BOOK = Path(__file__).resolve().parents[2] / "book"
DIAGRAMS = sorted((BOOK / "img").glob("*.svg"))
LANGUAGES = ["en", *(path.name for path in sorted((BOOK / "locales").glob("*/")))]

# Every text with the contrast to what lies under its middle, in both modes, and what sticks out of the picture, of its box, or lies on another text.
# Texts that are turned have a larger rectangle around them than they fill, and are not compared with others.
LOOK = """
const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const contrast = (one, two) => {
  const [low, high] = [luminance(one), luminance(two)].sort((a, z) => a - z);
  return (high + 0.05) / (low + 0.05);
};
const rgb = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255);
// The page's dark variant: invert(0.93) hue-rotate(180deg), as Filter Effects defines them.
const turn = [[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]];
const dark = (colour) => turn.map((row) => Math.min(1, Math.max(0, row.reduce((sum, weight, k) => sum + weight * (0.93 - 0.86 * colour[k]), 0))));
const frame = document.documentElement.getBoundingClientRect();
const faults = [];
const texts = [...document.querySelectorAll("text")];
const shapes = [...document.querySelectorAll("rect, circle, ellipse")].map((shape) => shape.getBoundingClientRect());
const upright = [];
for (const text of texts) {
  const box = text.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const around = shapes.filter((one) => one.left < x && x < one.right && one.top < y && y < one.bottom)
    .sort((one, two) => one.width * one.height - two.width * two.height)[0];
  if (Math.abs(text.getScreenCTM().b) < 0.01) {
    if (around && (box.left < around.left - 1 || box.right > around.right + 1)) faults.push(`wider than its box: ${text.textContent}`);
    for (const [other, said] of upright) {
      const width = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const height = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (width > 1 && height > 0.35 * Math.min(box.height, other.height)) faults.push(`${text.textContent} lies on ${said}`);
    }
    upright.push([box, text.textContent]);
  }
  if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) faults.push(`outside: ${text.textContent}`);
  const under = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2)
    .find((node) => !node.closest("text") && node.localName !== "svg" && getComputedStyle(node).fill !== "none");
  const [fore, ground] = [rgb(getComputedStyle(text).fill), under ? rgb(getComputedStyle(under).fill) : [1, 1, 1]];
  for (const [mode, ratio] of [["light", contrast(fore, ground)], ["dark", contrast(dark(fore), dark(ground))]]) {
    if (ratio < 4.5) faults.push(`${mode}: ${text.textContent} has a contrast of ${ratio.toFixed(2)}`);
  }
}
return [texts.length, document.querySelector("title") !== null, faults];
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, course):
    """A function: the file of a diagram in a language. Skips where no font has its letters, as boxes in their place have other widths."""
    folder, texts = tmp_path_factory.mktemp("img"), {}

    def file(diagram: Path, language: str) -> Path:
        if language == "en":
            return diagram
        if language not in texts:
            fonts = shutil.which("fc-list") and subprocess.run(["fc-list", f":lang={language.replace('_', '-').lower()}"], capture_output=True, text=True, check=True).stdout
            texts[language] = catalogues.translations(catalogues.path_of(course, language, sources.PICTURES), language) if fonts else None
        if texts[language] is None:
            pytest.skip(f"no font has the letters of {language}: for Chinese, install one with `sudo apt-get install fonts-wqy-microhei`")
        path = folder / language / diagram.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(sources.replaced(diagram, texts[language]), encoding="utf-8")
        return path

    return file


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda path: path.stem)
def test_a_diagrams_text_is_text_that_can_be_read_in_both_modes_and_fits(browser, drawn, diagram, language):
    browser.get(drawn(diagram, language).as_uri())
    texts, titled, faults = browser.execute_script(LOOK)
    assert texts >= 3 and titled
    assert faults == []
