"""The diagrams in book/img in a real browser: their text is text, can be read in both modes, and stays inside."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

DIAGRAMS = sorted((Path(__file__).resolve().parents[2] / "book" / "img").glob("*.svg"))

# Every text with the contrast to what lies under its middle, in both modes, and what sticks out of the picture.
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
for (const text of document.querySelectorAll("text")) {
  const box = text.getBoundingClientRect();
  if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) faults.push(`outside: ${text.textContent}`);
  const under = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2)
    .find((node) => !node.closest("text") && node.localName !== "svg" && getComputedStyle(node).fill !== "none");
  const [fore, ground] = [rgb(getComputedStyle(text).fill), under ? rgb(getComputedStyle(under).fill) : [1, 1, 1]];
  for (const [mode, ratio] of [["light", contrast(fore, ground)], ["dark", contrast(dark(fore), dark(ground))]]) {
    if (ratio < 4.5) faults.push(`${mode}: ${text.textContent} has a contrast of ${ratio.toFixed(2)}`);
  }
}
return [document.querySelectorAll("text").length, document.querySelector("title") !== null, faults];
"""


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda path: path.stem)
def test_a_diagrams_text_is_text_that_can_be_read_in_both_modes(browser, diagram):
    browser.get(diagram.as_uri())
    texts, titled, faults = browser.execute_script(LOOK)
    assert texts >= 3 and titled
    assert faults == []
