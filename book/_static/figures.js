// Figures that move, without a kernel and without a network. A figure of the book whose class is try-NAME gets a panel below its picture;
// the picture itself stays, so that nothing is lost without this script or in print. All controls are native and work by keyboard,
// every change is also said in words, and nothing moves by itself.
(() => {
  "use strict";

  const _ = window.unrolledSay; // a sentence in the language of the page
  const SVG = "http://www.w3.org/2000/svg";
  const panels = {}; // NAME -> function(panel)

  // --- What the panels share -----------------------------------------------------------------

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function shape(parent, name, attributes = {}, text = "") {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    parent.append(node);
    return node;
  }

  let count = 0;
  function labelled(text, control) {
    control.id = `try-${(count += 1)}`;
    const label = element("label", { for: control.id }, text);
    const pair = element("span", { class: "try-control" }, label, control);
    return pair;
  }

  const slider = (min, max, step, value) => element("input", { type: "range", min, max, step, value });
  const button = (text) => element("button", { type: "button" }, text);
  const choice = (options) => element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));

  // A drawing that is announced by its description, a line that says what is seen, and the controls above them.
  function frame(panel, width, height, ...controls) {
    const row = element("div", { class: "try-controls" }, ...controls);
    const drawing = shape(document.createElement("div"), "svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    const scroll = element("div", { class: "try-drawing" }, drawing);
    const said = element("p", { class: "try-said", "aria-live": "polite" });
    panel.append(row, scroll, said);
    return {
      drawing,
      say(sentence) {
        said.textContent = sentence;
        drawing.setAttribute("aria-label", sentence);
      },
    };
  }

  // The same numbers on every visit: a small generator (mulberry32), and normal draws from it.
  function random(seed) {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }
  const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const matrix = (rows, columns, draw) => Array.from({ length: rows }, () => Array.from({ length: columns }, () => normal(draw)));
  const rowTimes = (row, weights) => weights[0].map((_, j) => row.reduce((sum, value, i) => sum + value * weights[i][j], 0));
  const norm = (numbers) => Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  const short = (number) => (number !== 0 && (Math.abs(number) < 0.001 || Math.abs(number) >= 1000) ? number.toExponential(1) : number.toPrecision(3));

  // --- Unrolling a loop, step by step --------------------------------------------------------

  panels.unroll = (panel) => {
    const word = "machine";
    const letters = [...new Set(word)];
    const units = 4;
    const draw = random(3);
    const W_xh = matrix(letters.length, units, draw).map((row) => row.map((value) => 1.2 * value));
    const W_hh = matrix(units, units, draw).map((row) => row.map((value) => 0.7 * value));
    const states = [Array(units).fill(0)];
    for (const letter of word) {
      const recurrent = rowTimes(states.at(-1), W_hh);
      states.push(W_xh[letters.indexOf(letter)].map((value, j) => Math.tanh(value + recurrent[j])));
    }

    const back = button(_("Back"));
    const next = button(_("Next step"));
    const { drawing, say } = frame(panel, 760, 220, back, next);
    let t = 0;

    function show() {
      drawing.replaceChildren();
      for (let s = 0; s <= t; s += 1) {
        const x = 20 + 92 * s;
        if (s > 0) {
          shape(drawing, "path", { d: `M${x - 32} 70 H${x - 3}`, class: "try-across", "stroke-width": 3, fill: "none" });
          shape(drawing, "text", { x: x - 17, y: 60, class: "try-across-text", "text-anchor": "middle", "font-size": 11 }, "W_hh");
          shape(drawing, "path", { d: `M${x + 30} 172 V112`, class: "try-within", "stroke-width": 3, fill: "none" });
          shape(drawing, "text", { x: x + 35, y: 150, class: "try-text", "font-size": 13 }, "W_xh");
          shape(drawing, "text", { x: x + 30, y: 195, class: "try-text", "text-anchor": "middle", "font-size": 20 }, word[s - 1]);
        }
        shape(drawing, "rect", { x, y: 32, width: 60, height: 78, rx: 8, class: s === t ? "try-box is-new" : "try-box" });
        states[s].forEach((value, j) => {
          const size = 30 * Math.abs(value);
          shape(drawing, "rect", {
            x: x + 8 + 12 * j, y: value >= 0 ? 71 - size : 71, width: 9, height: Math.max(size, 1), class: value >= 0 ? "try-plus" : "try-minus",
          });
        });
        shape(drawing, "text", { x: x + 30, y: 24, class: "try-text", "text-anchor": "middle", "font-size": 15 }, `h${s}`);
      }
      const numbers = states[t].map((value) => value.toFixed(2)).join(", ");
      say(t === 0
        ? _("The loop before its first step: the state h0 is zero in all {units} units.", { units })
        : _("Step {t} of {steps}: reads “{letter}” and the state h{before}; the new state h{t} is ({numbers}). The weights are the same as at every step.",
          { t, steps: word.length, letter: word[t - 1], before: t - 1, numbers }));
      back.disabled = t === 0;
      next.disabled = t === word.length;
    }
    next.addEventListener("click", () => { t += 1; show(); if (next.disabled) back.focus(); });
    back.addEventListener("click", () => { t -= 1; show(); if (back.disabled) next.focus(); });
    show();
  };

  // --- The spectral radius and the gradient norm by lag --------------------------------------

  panels.radius = (panel) => {
    const units = 24;
    const lags = 40;
    const draw = random(1);
    const raw = matrix(units, units, draw);
    const radius = spectralRadius(raw);
    const start = Array.from({ length: units }, () => Math.tanh(normal(draw)));
    const inputs = matrix(lags, units, draw).map((row) => row.map((value) => 0.3 * value));

    // The growth of a long product of the matrix with itself, per step: equal to the largest |eigenvalue|.
    function spectralRadius(weights) {
      let row = weights.map(() => normal(draw));
      let logs = 0;
      const steps = 4000;
      for (let step = 0; step < steps; step += 1) {
        row = rowTimes(row, weights);
        const size = norm(row);
        logs += Math.log(size);
        row = row.map((value) => value / size);
      }
      return Math.exp(logs / steps);
    }

    // Frobenius norm of the product of the last k Jacobians diag(slope) W^T, for k = 0..lags.
    function norms(rho, kind) {
      const W = raw.map((row) => row.map((value) => (value * rho) / radius));
      let h = start;
      const slopes = inputs.map((input) => {
        const z = rowTimes(h, W).map((value, j) => value + input[j]);
        h = kind === "tanh" ? z.map(Math.tanh) : h;
        return kind === "tanh" ? h.map((value) => 1 - value * value) : Array(units).fill(1);
      });
      const product = Array.from({ length: units }, (_, i) => Array.from({ length: units }, (_, j) => (i === j ? 1 : 0)));
      const found = [norm(product.flat())];
      for (let k = 1; k <= lags; k += 1) {
        const slope = slopes[lags - k];
        for (let i = 0; i < units; i += 1) {
          const scaled = product[i].map((value, j) => value * slope[j]);
          product[i] = W.map((row) => row.reduce((sum, value, j) => sum + value * scaled[j], 0)); // times W transposed
        }
        found.push(norm(product.flat()));
      }
      return found;
    }

    const rho = slider(0.3, 2.5, 0.05, 1);
    const kind = choice([["linear", _("linear")], ["tanh", "tanh"]]);
    const { drawing, say } = frame(panel, 640, 300, labelled(_("Spectral radius of W_hh"), rho), labelled(_("Activation"), kind));
    const [low, high] = [-12, 8];
    const X = (k) => 60 + (560 * k) / lags;
    const Y = (exponent) => 20 + (240 * (high - exponent)) / (high - low);

    function show() {
      drawing.replaceChildren();
      for (let exponent = low; exponent <= high; exponent += 4) {
        shape(drawing, "path", { d: `M60 ${Y(exponent)} H620`, class: "try-grid" });
        shape(drawing, "text", { x: 52, y: Y(exponent) + 5, class: "try-text", "text-anchor": "end", "font-size": 14 }, `1e${exponent}`);
      }
      for (let k = 0; k <= lags; k += 10) {
        shape(drawing, "text", { x: X(k), y: 280, class: "try-text", "text-anchor": "middle", "font-size": 14 }, k);
      }
      shape(drawing, "text", { x: 340, y: 297, class: "try-text", "text-anchor": "middle", "font-size": 14 }, _("lag k"));
      const found = norms(Number(rho.value), kind.value);
      const points = found.map((value, k) => `${X(k).toFixed(1)},${Y(Math.min(Math.max(Math.log10(value), low), high)).toFixed(1)}`);
      shape(drawing, "polyline", { points: points.join(" "), class: "try-line", fill: "none" });
      const factor = (found[lags] / found[lags / 2]) ** (2 / lags);
      const seen = {
        rho: Number(rho.value).toFixed(2), kind: kind.selectedOptions[0].text, first: short(found[0]), last: short(found[lags]), lags, factor: factor.toFixed(2),
      };
      if (factor < 0.98) {
        say(_("Spectral radius {rho}, {kind}: the gradient norm starts at {first} and is {last} at lag {lags}, a factor {factor} a step over the last half: it vanishes.", seen));
      } else if (factor > 1.02) {
        say(_("Spectral radius {rho}, {kind}: the gradient norm starts at {first} and is {last} at lag {lags}, a factor {factor} a step over the last half: it explodes.", seen));
      } else {
        say(_("Spectral radius {rho}, {kind}: the gradient norm starts at {first} and is {last} at lag {lags}, a factor {factor} a step over the last half: it keeps its size.", seen));
      }
      rho.setAttribute("aria-valuetext", Number(rho.value).toFixed(2));
    }
    rho.addEventListener("input", show);
    kind.addEventListener("change", show);
    show();
  };

  // --- The network that the page on the LSTM trains ------------------------------------------

  // Its weights, written by tools/figure_weights.py: {alphabet, H, unit, arrays: {name: {shape, scale, data}}},
  // where data is the base64 text of whole numbers from -127 to 127.
  const weightsOf = (() => {
    let promise = null;
    return (folder) => {
      promise ??= new Promise((resolve, reject) => {
        const script = element("script", { src: `${folder}lstm-weights.js` });
        script.addEventListener("load", () => resolve(window.unrolledWeights));
        script.addEventListener("error", reject);
        document.head.append(script);
      });
      return promise;
    };
  })();

  // A panel that needs the weights; without them the still picture is all there is.
  const withWeights = (fill) => async (panel, folder) => {
    try {
      await weightsOf(folder);
    } catch {
      panel.remove();
      return;
    }
    fill(panel, window.unrolledWeights);
  };

  function unpacked({ shape: [rows, columns], scale, data }) {
    const bytes = atob(data);
    return Array.from({ length: rows }, (_, i) => Float32Array.from({ length: columns }, (_, j) => ((bytes.charCodeAt(i * columns + j) << 24) >> 24) * scale));
  }

  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  // Every step of the network on a text: gates, cell and the probabilities of the next character.
  function networkOf({ alphabet, H, arrays }) {
    const [W_x, W_h, b, W_hq, b_q] = ["W_x", "W_h", "b", "W_hq", "b_q"].map((name) => unpacked(arrays[name]));
    return (text) => {
      let h = new Float32Array(H);
      let c = new Float32Array(H);
      return [...text].map((character) => {
        const id = alphabet.indexOf(character);
        const z = Float32Array.from(W_x[Math.max(id, 0)], (value, j) => value + b[0][j]);
        for (let i = 0; i < H; i += 1) if (h[i] !== 0) for (let j = 0; j < 4 * H; j += 1) z[j] += h[i] * W_h[i][j];
        const gates = { i: z.slice(0, H).map(sigmoid), f: z.slice(H, 2 * H).map(sigmoid), g: z.slice(2 * H, 3 * H).map(Math.tanh), o: z.slice(3 * H).map(sigmoid) };
        c = c.map((value, k) => gates.f[k] * value + gates.i[k] * gates.g[k]);
        h = c.map((value, k) => gates.o[k] * Math.tanh(value));
        const logits = Float32Array.from(b_q[0]);
        for (let i = 0; i < H; i += 1) for (let j = 0; j < logits.length; j += 1) logits[j] += h[i] * W_hq[i][j];
        const largest = Math.max(...logits);
        const powers = logits.map((value) => Math.exp(value - largest));
        const sum = powers.reduce((a, value) => a + value, 0);
        return { ...gates, c, next: powers.map((value) => value / sum) };
      });
    };
  }

  // --- The cell of an LSTM, one part lit at a time --------------------------------------------
  // Names and explanations of the parts stand in the page, as a list (class lstm-parts) that is read without this script and translated with the page.

  panels["lstm-parts"] = (panel) => {
    const items = [...document.querySelectorAll(".lstm-parts li")];
    const name = (item) => item.querySelector("strong").textContent.replace(/[.:]$/, "");
    const buttons = items.map((item) => button(name(item)));
    const { drawing, say } = frame(panel, 860, 470, ...buttons);

    // The picture of lstm-cell.svg in five parts: paths, boxes and circles with what is written in them, and labels.
    const parts = [
      {
        paths: [["M118 424 H214"], ["M118 392 H214", "across"], ["M268 370 V340"], ["M378 370 V340"], ["M490 370 V340"], ["M602 370 V340"]],
        boxes: [[216, 372, 448, 76, "Zₜ = Xₜ Wₓ + Hₜ₋₁ Wₕ + b"]],
        labels: [[66, 392, "Hₜ₋₁"], [66, 430, "Xₜ"]],
      },
      { paths: [["M268 286 V106"]], boxes: [[226, 288, 84, 50, "σ"]], circles: [[268, 80, "×"]], labels: [[244, 246, "Fₜ"]] },
      {
        paths: [["M378 286 V192 Q378 178 392 178 H464"], ["M490 286 V204"], ["M490 154 V106"]],
        boxes: [[336, 288, 84, 50, "σ"], [448, 288, 84, 50, "tanh"]], circles: [[490, 178, "×"]], labels: [[356, 246, "Iₜ"], [466, 246, "Gₜ"]],
      },
      {
        paths: [["M118 80 H244", "carry"], ["M292 80 H466", "carry"], ["M514 80 H764", "carry"]],
        circles: [[490, 80, "+"]], labels: [[66, 86, "Cₜ₋₁"], [804, 86, "Cₜ"]],
      },
      {
        paths: [["M668 80 V118"], ["M668 162 V198"], ["M602 286 V238 Q602 224 616 224 H642"], ["M694 224 H764", "across"]],
        boxes: [[560, 288, 84, 50, "σ"], [630, 120, 76, 40, "tanh"]], circles: [[668, 224, "×"]], labels: [[578, 246, "Oₜ"], [804, 230, "Hₜ"]],
      },
    ];
    const write = (group, x, y, text) => shape(group, "text", { x, y, class: "try-text", "text-anchor": "middle", "font-size": 22 }, text);
    const arrow = shape(shape(drawing, "defs"), "marker", { id: "try-arrow", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 5, markerHeight: 5, orient: "auto" });
    shape(arrow, "path", { d: "M0 0 L10 5 L0 10 z", fill: "context-stroke" });
    const groups = parts.map(({ paths = [], boxes = [], circles = [], labels = [] }) => {
      const group = shape(drawing, "g", { class: "try-part" });
      for (const [d, kind = "within"] of paths) {
        shape(group, "path", { d, class: `try-${kind}`, "stroke-width": kind === "carry" ? 6 : 3, fill: "none", ...(kind === "carry" ? {} : { "marker-end": "url(#try-arrow)" }) });
      }
      for (const [x, y, width, height, text] of boxes) {
        shape(group, "rect", { x, y, width, height, rx: 9, class: "try-box" });
        write(group, x + width / 2, y + height / 2 + 8, text);
      }
      for (const [cx, cy, text] of circles) {
        shape(group, "circle", { cx, cy, r: 24, class: "try-box" });
        write(group, cx, cy + 8, text);
      }
      for (const [x, y, text] of labels) write(group, x, y, text);
      return group;
    });

    function light(lit) {
      groups.forEach((group, k) => group.classList.toggle("is-lit", k === lit));
      buttons.forEach((one, k) => one.setAttribute("aria-pressed", k === lit));
      say(items[lit].textContent.trim().replace(/\s+/g, " "));
    }
    buttons.forEach((one, k) => one.addEventListener("click", () => light(k)));
    light(0);
  };

  // --- The gates of an LSTM on a sentence that one types -------------------------------------

  panels.gates = withWeights((panel, stored) => {
    const { alphabet, H, unit } = stored;
    const run = networkOf(stored);

    const typed = element("input", { type: "text", value: stored.sentence, maxlength: 70, size: 44, spellcheck: "false", autocapitalize: "off" });
    const which = element("input", { type: "number", min: 0, max: H - 1, value: unit });
    const { drawing, say } = frame(panel, 760, 190, labelled(_("Sentence"), typed), labelled(_("Unit, 0 to {last}", { last: H - 1 }), which));
    const space = _("space");
    const rows = [["c", _("cell state")], ["f", _("forget")], ["i", _("input")], ["g", _("candidate")], ["o", _("output")]];

    function show() {
      drawing.replaceChildren();
      const text = [...typed.value.toLowerCase()].filter((character) => alphabet.includes(character)).slice(0, 70).join("");
      const k = Math.min(Math.max(Math.round(Number(which.value) || 0), 0), H - 1);
      const steps = run(text);
      const width = Math.min(22, 660 / Math.max(text.length, 1));
      const largest = Math.max(1, ...steps.map((step) => Math.abs(step.c[k])));
      rows.forEach(([name, word], row) => {
        const y = 34 + 26 * row;
        shape(drawing, "text", { x: 84, y: y + 16, class: "try-text", "text-anchor": "end", "font-size": 14 }, word);
        steps.forEach((step, t) => {
          const value = name === "c" ? step.c[k] / largest : step[name][k];
          shape(drawing, "rect", {
            x: 90 + width * t, y, width: width - 1, height: 22, class: value >= 0 ? "try-plus" : "try-minus", "fill-opacity": Math.abs(value).toFixed(3),
          });
        });
      });
      [...text].forEach((character, t) => shape(drawing, "text", {
        x: 90 + width * (t + 0.5), y: 24, class: "try-text", "text-anchor": "middle", "font-size": Math.min(15, width + 3),
      }, character === " " ? "·" : character));
      if (!steps.length) {
        say(_("Type a sentence of toy English, in small letters."));
        return;
      }
      const last = steps.at(-1);
      const best = [...last.next.keys()].sort((a, z) => last.next[z] - last.next[a]).slice(0, 3);
      const guesses = best.map((id) => _("“{character}” {percent}\u00a0%", { character: alphabet[id] === " " ? space : alphabet[id], percent: (100 * last.next[id]).toFixed(0) })).join(_(", "));
      shape(drawing, "text", { x: 90, y: 182, class: "try-text", "font-size": 14 }, _("next character: {guesses}", { guesses }));
      say(_("Unit {k} after “{text}”: cell {c}, forget gate {f}, input gate {i}. Most likely next: {guesses}.",
        { k, text, c: last.c[k].toFixed(2), f: last.f[k].toFixed(2), i: last.i[k].toFixed(2), guesses }));
    }
    typed.addEventListener("input", show);
    which.addEventListener("input", show);
    show();
  });

  // --- Is it "is" or "are"? How far back the network must look --------------------------------

  panels.agreement = withWeights((panel, stored) => {
    const run = networkOf(stored);
    const sentences = [
      ["the keys near the cabinet", "are"], ["the men of this ship", "are"], ["these keys near a cabinet", "are"], ["the key near the cabinets", "is"],
    ];
    const which = choice(sentences.map(([text], index) => [index, text]));
    which.setAttribute("aria-label", _("Sentence"));
    const further = button(_("One word further back"));
    const again = button(_("Start again"));
    const { drawing, say } = frame(panel, 460, 146, further, again, which);
    let read = 1;

    function show() {
      drawing.replaceChildren();
      const [text, right] = sentences[Number(which.value)];
      const words = text.split(" ");
      const seen = words.slice(-read);
      let x = 4;
      words.forEach((word, index) => {
        const kept = index >= words.length - read;
        const width = 22 + 10.5 * word.length;
        shape(drawing, "rect", { x, y: 8, width, height: 36, rx: 8, class: kept ? "try-box is-new" : "try-box is-pruned" });
        shape(drawing, "text", { x: x + width / 2, y: 32, class: kept ? "try-text" : "try-unread", "text-anchor": "middle", "font-size": 18 }, word);
        x += width + 18;
        if (kept) shape(drawing, "path", { d: `M${x - 17} 26 h14 m-5 -5 l5 5 l-5 5`, class: "try-across", "stroke-width": 2.5, fill: "none" });
      });
      shape(drawing, "text", { x, y: 33, class: "try-text", "font-size": 20 }, "?");
      const { next } = run(`${seen.join(" ")} `).at(-1);
      const [i, a] = ["i", "a"].map((character) => next[stored.alphabet.indexOf(character)]);
      [["is", i / (i + a), "try-minus"], ["are", a / (i + a), "try-plus"]].forEach(([verb, share, colour], row) => {
        const y = 66 + 38 * row;
        shape(drawing, "text", { x: 36, y: y + 20, class: "try-text", "text-anchor": "end", "font-size": 18 }, verb);
        shape(drawing, "rect", { x: 46, y, width: Math.max(350 * share, 1), height: 28, rx: 4, class: colour });
        shape(drawing, "text", { x: 54 + 350 * share, y: y + 20, class: "try-text", "font-size": 18 }, `${(100 * share).toFixed(0)}\u00a0%`);
      });
      const verb = i > a ? "is" : "are";
      const whole = read === words.length;
      const found = { seen: seen.join(" "), verb, percent: (100 * Math.max(i, a) / (i + a)).toFixed(0) };
      if (verb === right) say(_("It reads “{seen}” and says “{verb}” with {percent}\u00a0%: right.", found));
      else if (whole) say(_("It reads “{seen}” and says “{verb}” with {percent}\u00a0%: wrong, though it has read it all.", found));
      else say(_("It reads “{seen}” and says “{verb}” with {percent}\u00a0%: wrong.", found));
      further.disabled = whole;
      again.disabled = read === 1;
    }
    further.addEventListener("click", () => { read += 1; show(); if (further.disabled) again.focus(); });
    again.addEventListener("click", () => { read = 1; show(); further.focus(); });
    which.addEventListener("change", () => { read = 1; show(); });
    show();
  });

  // --- Beam search through a tree ------------------------------------------------------------

  panels.beam = (panel) => {
    // P(next | last): the best first word leads to poor sentences, so that greedy decoding (width 1) ends lower than width 2.
    const words = ["<s>", "the", "a", "cat", "dog", "sat", "</s>"];
    const P = {
      "<s>": { the: 0.55, a: 0.45 },
      the: { cat: 0.4, dog: 0.35, sat: 0.25 },
      a: { cat: 0.9, dog: 0.1 },
      cat: { sat: 0.8, "</s>": 0.2 },
      dog: { sat: 0.5, "</s>": 0.5 },
      sat: { "</s>": 1 },
    };
    const longest = 4;
    const width = slider(1, 4, 1, 2);
    const back = button(_("Back"));
    const next = button(_("Next step"));
    const { drawing, say } = frame(panel, 760, 330, labelled(_("Beam width"), width), back, next);
    let step = 0;

    const finished = (one) => one.words.at(-1) === "</s>";
    const order = (a, z) => z.score - a.score || (a.words.map((w) => words.indexOf(w)) < z.words.map((w) => words.indexOf(w)) ? -1 : 1);

    // Each level: all candidates, and which of them are kept.
    function search(beam) {
      const levels = [{ candidates: [{ words: ["<s>"], score: 0, parent: null }], kept: 1 }];
      while (levels.length <= longest) {
        const before = levels.at(-1).candidates.slice(0, levels.at(-1).kept);
        if (before.every(finished)) break;
        const candidates = before.flatMap((one, parent) => (finished(one)
          ? [{ ...one, parent }]
          : Object.entries(P[one.words.at(-1)]).map(([word, p]) => ({ words: [...one.words, word], score: one.score + Math.log(p), parent })))).sort(order);
        levels.push({ candidates, kept: Math.min(beam, candidates.length) });
      }
      return levels;
    }

    const sentence = (one) => one.words.slice(1).join(" ") || _("nothing yet");

    function show() {
      const levels = search(Number(width.value));
      step = Math.min(step, levels.length - 1);
      drawing.replaceChildren();
      const place = (level, index) => ({ x: 40 + 170 * level, y: 30 + 46 * index });
      for (let level = 0; level <= step; level += 1) {
        levels[level].candidates.slice(0, 7).forEach((one, index) => {
          const { x, y } = place(level, index);
          const kept = index < levels[level].kept;
          if (one.parent !== null) {
            const from = place(level - 1, one.parent);
            shape(drawing, "path", { d: `M${from.x + 92} ${from.y + 14} L${x} ${y + 14}`, class: kept ? "try-across" : "try-pruned", "stroke-width": kept ? 3 : 1.5, fill: "none" });
          }
          shape(drawing, "rect", { x, y, width: 92, height: 30, rx: 6, class: kept ? "try-box is-new" : "try-box is-pruned" });
          shape(drawing, "text", { x: x + 6, y: y + 20, class: "try-text", "font-size": 15 }, one.words.at(-1));
          shape(drawing, "text", { x: x + 88, y: y + 20, class: "try-text", "text-anchor": "end", "font-size": 13 }, one.score.toFixed(2));
        });
      }
      const { candidates, kept } = levels[step];
      const best = candidates.slice(0, kept).map((one) => _("“{sentence}” ({score})", { sentence: sentence(one), score: one.score.toFixed(2) })).join(_(", "));
      if (step === levels.length - 1) {
        say(_("Done after step {step}: the best is “{sentence}” with log-probability {score}, probability {probability}.",
          { step, sentence: sentence(candidates[0]), score: candidates[0].score.toFixed(2), probability: Math.exp(candidates[0].score).toFixed(3) }));
      } else if (candidates.length === 1) {
        say(_("Step {step}: 1 candidate, kept {kept}: {best}.", { step, kept, best }));
      } else {
        say(_("Step {step}: {count} candidates, kept {kept}: {best}.", { step, count: candidates.length, kept, best }));
      }
      back.disabled = step === 0;
      next.disabled = step === levels.length - 1;
      width.setAttribute("aria-valuetext", width.value);
    }
    next.addEventListener("click", () => { step += 1; show(); if (next.disabled) back.focus(); });
    back.addEventListener("click", () => { step -= 1; show(); if (back.disabled) next.focus(); });
    width.addEventListener("input", () => { step = 0; show(); });
    show();
  };

  // --- Start ---------------------------------------------------------------------------------

  const folder = document.currentScript.src.replace(/[^/]*$/, "");

  function start() {
    for (const [name, fill] of Object.entries(panels)) {
      for (const figure of document.querySelectorAll(`figure.try-${name}`)) {
        const panel = element("div", { class: "try-panel", role: "group", "aria-label": _("Try it") });
        figure.querySelector("figcaption").before(panel);
        Promise.resolve(fill(panel, folder)).then(() => figure.classList.add("is-live"));
      }
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
