// Boxes to try: the code of each can be changed and run in the page. Python starts on the first request and is shared by the page's boxes.
"use strict";

(() => {
  const boxes = [...document.querySelectorAll(".unrolled-box")];
  if (!boxes.length) return;
  const shared = window.unrolledPython;
  const say = shared.texts(document.querySelector(".unrolled-box-texts"));
  let worker = null;
  let busy = null; // the box whose code is running or waiting for Python

  function element(tag, attributes = {}, text = "") {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text) made.textContent = text;
    return made;
  }

  class Box {
    constructor(holder, number) {
      this.static = holder.querySelector("div.highlight, pre")?.closest(".highlight-python, .highlight-default, .unrolled-box > div") ?? holder.querySelector("pre");
      this.code = holder.querySelector("pre").textContent.replace(/\n$/, "");
      const title = holder.querySelector(".unrolled-box-title")?.textContent ?? "";
      this.entry = element("textarea", {
        class: "unrolled-box-code", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
        "aria-label": say("code", { number, title }), "aria-describedby": `unrolled-box-keys-${number}`,
      });
      this.buttons = element("div", { class: "unrolled-box-buttons" });
      this.run = this.button("run", () => this.start());
      this.stop = this.button("stop", () => end("stopped"));
      this.reset = this.button("reset", () => this.restore());
      this.stop.disabled = true;
      this.buttons.append(element("span", { class: "unrolled-box-keys", id: `unrolled-box-keys-${number}` }, say("keys")));
      this.status = element("p", { class: "unrolled-box-status", role: "status" });
      this.output = element("pre", { class: "unrolled-box-output", role: "log", "aria-label": say("output", { number, title }), tabindex: "0", hidden: "" });
      this.entry.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.shiftKey || event.metaKey)) {
          event.preventDefault();
          this.start();
        }
      });
      this.static.replaceWith(this.entry);
      holder.append(this.buttons, this.status, this.output);
      this.restore();
    }

    button(name, act) {
      const made = element("button", { type: "button", class: `unrolled-box-${name}` }, say(name));
      made.addEventListener("click", act);
      this.buttons.append(made);
      return made;
    }

    restore() {
      this.entry.value = this.code;
      this.entry.rows = this.code.split("\n").length;
      if (busy !== this) {
        this.status.textContent = "";
        this.output.hidden = true;
        this.output.textContent = "";
      }
    }

    async start() {
      if (busy) {
        this.status.textContent = busy === this ? say("busy") : say("busy-other");
        return;
      }
      busy = this;
      this.run.disabled = true;
      this.output.textContent = "";
      this.output.hidden = true;
      this.output.classList.remove("is-wrong", "is-right");
      this.status.textContent = worker ? say("running") : say("loading");
      const obstacle = worker ? "" : await shared.obstacle();
      if (obstacle) {
        this.finish(say(obstacle));
        return;
      }
      this.stop.disabled = false;
      worker ??= startWorker();
      worker.postMessage({ code: this.entry.value, folder: shared.files.href, language: window.unrolledEdition.code });
    }

    print(text) {
      this.output.hidden = false;
      this.output.append(text);
    }

    finish(text) {
      this.status.textContent = text;
      this.run.disabled = false;
      this.stop.disabled = true;
      busy = null;
    }
  }

  function startWorker() {
    const made = new Worker(new URL("_static/unrolled-box-worker.js", shared.root));
    made.onmessage = ({ data }) => {
      if (made !== worker || !busy) return;
      if (data.kind === "running") busy.status.textContent = say("running");
      else if (data.kind === "out") busy.print(data.text);
      else if (data.kind === "done") {
        busy.output.classList.add(data.well ? "is-right" : "is-wrong");
        busy.finish(data.well ? say("done") : say("failed"));
      } else if (data.kind === "broken") explain(data.text);
    };
    made.onerror = (event) => {
      event.preventDefault();
      if (made === worker) explain(event.message || "");
    };
    return made;
  }

  // Python itself did not start: say which file is damaged, or what the browser said.
  async function explain(text) {
    worker?.terminate();
    worker = null;
    const box = busy;
    const file = await shared.damaged();
    box?.finish(file ? say("damaged", { file }) : say("broken", { text }));
  }

  function end(name) {
    worker?.terminate();
    worker = null;
    busy?.finish(say(name));
  }

  boxes.forEach((holder, place) => new Box(holder, place + 1));
})();
