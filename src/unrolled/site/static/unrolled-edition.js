// The language of the book. `unrolled-here.js`, loaded before, says which one this page is in, and what the words of scripts are in it. The links to
// the same page in other languages, in the page's head, here lead to the section that is being read.
"use strict";

(() => {
  const here = window.unrolledHere ?? { here: "en", root: "", words: {} };

  // A sentence of a script in the language of the page; {placeholders} are filled in.
  window.unrolledSay = (sentence, values = {}) =>
    (here.words[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));

  const content = new URL(document.documentElement.dataset.content_root || "./", document.baseURI);
  const site = new URL(here.root, content);
  // Where the page's own book lies in the site, such as zh_CN/, and where the site begins.
  window.unrolledEdition = Object.freeze({ code: here.here, site, folder: content.href.slice(site.href.length) });

  // The anchor of the section that is being read: the last whose heading has passed the upper third of the window.
  function section() {
    let found = "";
    for (const one of document.querySelectorAll("article section[id]")) {
      if (one.getBoundingClientRect().top > window.innerHeight / 3) break;
      const ids = [one.id, ...[...one.querySelectorAll(":scope > span[id]")].map((label) => label.id)];
      found = ids.find((id) => !/^id\d+$/.test(id)) ?? found;
    }
    return found;
  }

  function start() {
    for (const link of document.querySelectorAll(".unrolled-language")) {
      const page = link.href;
      const lead = () => {
        const target = new URL(page);
        target.search = location.search;
        target.hash = window.scrollY > 40 ? section() : "";
        link.href = target.href;
      };
      lead();
      for (const event of ["pointerenter", "focus", "click"]) link.addEventListener(event, lead);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
