// What the workshop and the boxes share: where the workshop lies, whether it can work here, and what is wrong when it does not.
"use strict";

window.unrolledPython = (() => {
  const root = new URL((document.documentElement.dataset.content_root || "./"), document.baseURI);
  const workshop = new URL("try/", window.unrolledEdition.site); // one for all languages
  const files = new URL("static/pyodide/", workshop);

  // The name of the text that says why nothing can run here, or "".
  async function obstacle() {
    if (location.protocol === "file:") return "file";
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") return "old";
    try {
      const answer = await fetch(new URL("workshop.json", workshop), { cache: "no-cache" });
      return answer.ok ? "" : "none";
    } catch {
      return "offline";
    }
  }

  // The name of a file that did not arrive as it was published, or "". The browser gives SHA-256 on https:// and on this machine alone.
  async function damaged() {
    let stamp;
    try {
      stamp = await (await fetch(new URL("workshop.json", workshop), { cache: "no-cache" })).json();
    } catch {
      return "workshop.json";
    }
    for (const [name, sha256] of Object.entries(stamp.files)) {
      try {
        const answer = await fetch(new URL(name, files));
        if (!answer.ok) return name;
        const content = await answer.arrayBuffer();
        if (!crypto.subtle) continue;
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
        if ([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") !== sha256) return name;
      } catch {
        return name;
      }
    }
    return "";
  }

  // The texts that the page holds for a script, by their names; {placeholders} are filled in.
  function texts(holder) {
    return (name, values = {}) => {
      const text = holder?.querySelector(`.say-${name}`)?.textContent ?? "";
      return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
    };
  }

  return { root, workshop, files, obstacle, damaged, texts };
})();
