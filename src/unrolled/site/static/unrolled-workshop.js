// The workshop's page: opens a notebook of JupyterLite in a frame, and says what is kept where. ?open=NAME names the notebook.
"use strict";

(async () => {
  const holder = document.querySelector(".unrolled-workshop");
  const name = new URLSearchParams(location.search).get("open");
  if (!holder || !name) return;
  const shared = window.unrolledPython;
  const say = shared.texts(document.querySelector(".unrolled-workshop-texts"));
  const { code: language, folder } = window.unrolledEdition;
  const KEY = `unrolled-workshop-downloaded-${folder}${name}`;
  const path = `${folder}${name}.ipynb`; // each language has notebooks of its own

  function element(tag, attributes = {}, text = "") {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  }

  const notes = element("div", { class: "unrolled-workshop-notes" });
  function note(id, text, warning = false) {
    let line = notes.querySelector(`[data-note="${id}"]`);
    if (!text) {
      line?.remove();
      return;
    }
    if (!line) {
      line = element("p", { "data-note": id, role: "status" });
      notes.append(line);
    }
    line.classList.toggle("is-warning", warning);
    line.textContent = text;
  }

  const known = [...document.querySelectorAll("a[data-open]")].map((link) => link.dataset.open);
  const head = element("div", { class: "unrolled-workshop-head" });
  head.append(element("strong", {}, name));
  holder.append(head, notes);
  holder.hidden = false;
  if (known.length && !known.includes(name)) {
    note("obstacle", say("unknown", { name }), true);
    return;
  }
  const obstacle = await shared.obstacle();
  if (obstacle) {
    note("obstacle", say(obstacle), true);
    return;
  }

  // --- The frame -----------------------------------------------------------------------------------
  document.documentElement.classList.add("unrolled-at-work");
  const frame = element("iframe", { title: say("frame", { name }), src: new URL(`notebooks/index.html?path=${encodeURIComponent(path)}`, shared.workshop).href });
  const download = element("button", { type: "button", class: "unrolled-workshop-download" }, say("download"));
  const afresh = element("button", { type: "button", class: "unrolled-workshop-afresh" }, say("afresh"));
  download.disabled = afresh.disabled = true;
  head.append(download, afresh);
  note("starting", say("starting"));
  holder.append(frame);

  // --- What is kept, and where ---------------------------------------------------------------------
  const age = () => {
    let moment = null;
    try {
      moment = localStorage.getItem(KEY);
    } catch {
      // storage is switched off
    }
    note("age", moment ? say("downloaded", { date: new Date(Number(moment)).toLocaleString(document.documentElement.lang || undefined) }) : say("never"));
  };
  age();
  note("kept", say("kept"));
  if (navigator.storage?.persist) void askForStorage();
  async function askForStorage() {
    const persistent = (await navigator.storage.persisted()) || (await navigator.storage.persist().catch(() => false));
    note("kept", `${say("kept")} ${persistent ? say("persistent") : say("passing")}`);
    const { usage, quota } = await navigator.storage.estimate().catch(() => ({}));
    if (quota && quota - usage < 20e6) note("full", say("full"), true);
  }

  // Two tabs of the same notebook would overwrite each other's work.
  if (typeof BroadcastChannel === "function") {
    const channel = new BroadcastChannel(`unrolled-workshop-${shared.root.pathname}`);
    channel.onmessage = ({ data }) => {
      if (data.name !== path) return;
      note("second", say("second"), true);
      if (data.asks) channel.postMessage({ name: path, asks: false });
    };
    channel.postMessage({ name: path, asks: true });
  }

  // Python runs in a worker, which can't reach what the browser keeps of answers: it tells the known mistakes that a check named.
  if (typeof BroadcastChannel === "function") {
    const channel = new BroadcastChannel("unrolled-mistakes"); // `unrolled.checks.met`
    channel.onmessage = ({ data }) => {
      const { task, mistake } = JSON.parse(data);
      window.unrolledAnswers.log.meet(`mistake ${task} ${mistake}`);
      note("mistake", say("mistake", { task }));
    };
  }

  // --- The notebook ----------------------------------------------------------------------------------
  const wait = async (find, seconds) => {
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      try {
        const found = find();
        if (found) return found;
      } catch {
        // not there yet
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return null;
  };

  async function whatIsWrong() {
    const file = await shared.damaged();
    note("starting", file ? say("damaged", { file }) : say("slow"), true);
  }

  const late = setTimeout(whatIsWrong, 90000);
  const app = await wait(() => frame.contentWindow.jupyterapp, 900);
  if (!app) return;
  await app.restored;
  const panel = await wait(() => app.shell.currentWidget?.context && app.shell.currentWidget, 900);
  if (!panel) return;
  await panel.context.ready;
  download.disabled = afresh.disabled = false;
  // Checks speak the language of the page, after a restart as well.
  const speak = () => panel.sessionContext.session?.kernel?.requestExecute(
    { code: `import os; os.environ["UNROLLED_LANGUAGE"] = ${JSON.stringify(language)}`, silent: true, store_history: false },
  ).done.catch(() => {});
  panel.sessionContext.ready
    .then(async () => {
      await panel.sessionContext.session?.kernel?.info;
      await speak();
      panel.sessionContext.statusChanged.connect((_, status) => /restarting/.test(status) && speak());
      clearTimeout(late);
      note("starting", "");
      holder.dataset.ready = "true";
    })
    .catch(whatIsWrong);

  // Links into the book open its page, outside of the frame.
  frame.contentDocument.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      const plain = (text) => {
        try {
          return decodeURIComponent(text);
        } catch {
          return text;
        }
      };
      const found = link && /book\/([\w/-]+)\.(?:ipynb|md)(#[^?]*)?/.exec(plain(link.href));
      if (!found) return;
      event.preventDefault();
      event.stopPropagation();
      const anchor = (found[2] ?? "").slice(1).toLowerCase().replace(/'/g, "").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
      window.open(new URL(`book/${found[1]}.html${anchor ? `#${anchor}` : ""}`, shared.root), "_blank", "noopener");
    },
    true,
  );

  // --- Saving, downloading, starting afresh ----------------------------------------------------------
  panel.context.saveState?.connect((_, state) => {
    if (state === "failed") note("full", say("not-kept"), true);
    else if (state === "completed") note("full", "");
  });
  // A click in the frame saves what was typed before; leaving the page does, too.
  const save = () => (panel.context.model.dirty ? panel.context.save().catch(() => {}) : Promise.resolve());
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
  window.addEventListener("beforeunload", (event) => {
    if (panel.context.model.dirty) {
      save();
      event.preventDefault();
    }
  });

  download.addEventListener("click", async () => {
    const notebook = panel.context.model.toJSON();
    // As the assignment has it: the page's Python has a name of its own.
    notebook.metadata.kernelspec = { display_name: "Python 3 (ipykernel)", language: "python", name: "python3" };
    const file = new Blob([JSON.stringify(notebook, null, 1) + "\n"], { type: "application/x-ipynb+json" });
    const link = element("a", { href: URL.createObjectURL(file), download: `${name}.ipynb` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    try {
      localStorage.setItem(KEY, String(Date.now()));
    } catch {
      // storage is switched off; the file is downloaded all the same
    }
    age();
    await save();
  });

  let sure = false;
  afresh.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      afresh.textContent = say("afresh-sure");
      note("afresh", say("afresh-note"), true);
      return;
    }
    await app.serviceManager.contents.delete(path).catch(() => {});
    panel.context.model.dirty = false;
    location.reload();
  });
})();
