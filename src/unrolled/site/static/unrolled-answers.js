// The log of a learner's answers, in this browser. Its form, how logs are merged and how a question stands are those of the package's
// `unrolled.answers`, where they are described.
//
// Each event is an entry of its own in localStorage: two tabs add to the log at the same time and neither writes over the other.
//   unrolled.answer.<id of the event>     {"id", "at", "question", "answer", "right"}, as JSON
//   unrolled.damaged.<former key>         an entry that could not be understood, as it was
//   unrolled.quiz.v1.<chapter>.<part>.<question>   what version 1 kept; taken over by the first page that shows the question
(() => {
  "use strict";

  const VERSION = 2;
  const PREFIX = "unrolled.answer.";
  const PREFIX_1 = "unrolled.quiz.v1.";
  const DAMAGED = "unrolled.damaged.";

  const isName = (value) => typeof value === "string" && value !== "";
  const isAnswer = (value) => typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"));
  const isCount = (value) => Number.isSafeInteger(value) && value > 0;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  function isTime(value) {
    if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false;
    const time = new Date(value);
    return !Number.isNaN(time.valueOf()) && time.toISOString() === value;
  }

  function isEvent(event) {
    if (!isObject(event) || !isName(event.id) || !isName(event.question)) return false;
    if (event.reset === true) return isTime(event.at);
    if (typeof event.right !== "boolean" || !isAnswer(event.answer)) return false;
    return isTime(event.at) || (event.at === null && typeof event.first === "boolean" && isCount(event.answered));
  }

  function isVersion1(record) {
    if (!isObject(record) || !isCount(record.answered)) return false;
    const chosen = Array.isArray(record.response) && record.response.every((one) => Number.isInteger(one) && one >= 0 && one < 26);
    return typeof record.correct === "boolean" && typeof record.first === "boolean" && (chosen || typeof record.response === "string");
  }

  // Version 1 kept the positions of choices. They are called a, b, c … in the order that they had then.
  function fromVersion1(key, question, { answered, correct, first, response }) {
    const answer = typeof response === "string" ? response : response.map((index) => String.fromCharCode(97 + index));
    const word = (right) => (right ? "right" : "wrong");
    const id = `v1 ${key} ${answered} ${word(correct)} ${word(first)} ${typeof answer === "string" ? answer : answer.join(",")}`;
    return { id, at: null, question, answer, right: correct, first, answered };
  }

  const order = (a, b) => {
    const [x, y] = [a, b].map(({ at, id }) => [at ?? "", id]);
    const place = x[0] === y[0] ? 1 : 0;
    return x[place] < y[place] ? -1 : Number(x[place] > y[place]);
  };

  function merged(...logs) {
    const events = new Map();
    for (const event of logs.flat()) if (!events.has(event.id)) events.set(event.id, event);
    return [...events.values()].sort(order);
  }

  // Map from a question to {answered, right, first, answer, at}, for each that was answered since it was last reset.
  function standings(log) {
    const answers = new Map();
    for (const event of merged(log)) {
      if (event.reset) answers.delete(event.question);
      else answers.set(event.question, [...(answers.get(event.question) ?? []), event]);
    }
    return new Map([...answers].map(([question, events]) => [question, standing(events)]));
  }

  // Of several undated answers, that which knows most answers counts.
  function standing(events) {
    const undated = events.filter((event) => event.at === null);
    const dated = events.slice(undated.length);
    const old = undated.reduce((best, event) => (best && best.answered > event.answered ? best : event), null);
    const last = dated.at(-1) ?? old;
    return {
      answered: (old?.answered ?? 0) + dated.length,
      first: old ? old.first : dated[0].right,
      right: last.right, answer: last.answer, at: last.at,
    };
  }

  const write = (log) => `${JSON.stringify({ version: VERSION, answers: merged(log) }, null, 1)}\n`;

  // {log, strangers}: the events of a file, and how many answers of version 1 belong to no question in `names`, a Map from the keys of
  // version 1; or {problem} for a file that is none of ours ("not-ours") or newer ("newer"), of which nothing is taken.
  function read(text, names) {
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      return { problem: "not-ours" };
    }
    if (!isObject(content) || !isCount(content.version)) return { problem: "not-ours" };
    if (content.version > VERSION) return { problem: "newer" };
    if (content.version === 1) {
      if (!isObject(content.questions) || !Object.values(content.questions).every(isVersion1)) return { problem: "not-ours" };
      const all = Object.entries(content.questions);
      const known = all.filter(([key]) => names.has(key));
      return { log: known.map(([key, record]) => fromVersion1(key, names.get(key), record)), strangers: all.length - known.length };
    }
    if (!Array.isArray(content.answers) || !content.answers.every(isEvent)) return { problem: "not-ours" };
    return { log: merged(content.answers), strangers: 0 };
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  function randomId() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  class Log {
    constructor() {
      this.unkept = []; // events that the browser would not keep: this page knows them until it is left
      this.damaged = 0; // entries that this page has set aside
      this.listeners = [];
      window.addEventListener("storage", ({ key }) => {
        if (key === null || key.startsWith(PREFIX)) this.changed();
      });
    }

    // What to do when the log has changed, here or in another tab.
    onChange(listener) {
      this.listeners.push(listener);
    }

    changed() {
      for (const listener of this.listeners) listener();
    }

    keys(prefix) {
      try {
        return Object.keys(window.localStorage).filter((key) => key.startsWith(prefix));
      } catch {
        return []; // storage is switched off
      }
    }

    // How many entries lie aside, from now or earlier.
    get aside() {
      return this.keys(DAMAGED).length;
    }

    // All events, in order. An entry that is none is set aside.
    events() {
      const events = [];
      for (const key of this.keys(PREFIX)) {
        const text = window.localStorage.getItem(key);
        if (text === null) continue; // another tab has cleared everything meanwhile
        const event = parsed(text);
        if (isEvent(event) && key === PREFIX + event.id) events.push(event);
        else this.setAside(key);
      }
      return merged(events, this.unkept);
    }

    standings() {
      return standings(this.events());
    }

    // Adds events that are not there yet; says whether the browser keeps all of them.
    add(events) {
      const known = new Set(this.events().map(({ id }) => id));
      const kept = events.filter(({ id }) => !known.has(id)).map((event) => this.keep(event)).every(Boolean);
      this.changed();
      return kept;
    }

    keep(event) {
      try {
        window.localStorage.setItem(PREFIX + event.id, JSON.stringify(event));
        return true;
      } catch {
        this.unkept.push(event); // storage is switched off or full
        return false;
      }
    }

    answer(question, answer, right) {
      return this.add([{ id: randomId(), at: this.timeAfter(question), question, answer, right }]);
    }

    // A question that is to be asked though it was never answered: due at once, once for all places. See `met_event` of the package.
    meet(question) {
      return this.add([{ id: `met ${question}`, at: null, question, answer: "", right: false, first: false, answered: 1 }]);
    }

    reset(questions) {
      return this.add(questions.map((question) => ({ id: randomId(), at: this.timeAfter(question), question, reset: true })));
    }

    // Now, or just after all that the log knows of the question, if the clock was turned back.
    timeAfter(question) {
      const latest = this.events().filter((event) => event.question === question).map(({ at }) => at ?? "").at(-1) ?? "";
      const now = new Date().toISOString();
      return now > latest ? now : new Date(new Date(latest).valueOf() + 1).toISOString();
    }

    // Takes over what version 1 kept of these questions: [[key of version 1, question], …].
    migrate(names) {
      for (const [name, question] of names) {
        const key = PREFIX_1 + name;
        let text = null;
        try {
          text = window.localStorage.getItem(key);
        } catch { /* storage is switched off */ }
        if (text === null) continue;
        const record = parsed(text);
        if (!isVersion1(record)) this.setAside(key);
        else if (this.keep(fromVersion1(name, question, record))) window.localStorage.removeItem(key);
      }
    }

    setAside(key) {
      try {
        const taken = new Set(this.keys(DAMAGED));
        let name = DAMAGED + key;
        for (let number = 2; taken.has(name); number += 1) name = `${DAMAGED}${key} ${number}`;
        window.localStorage.setItem(name, window.localStorage.getItem(key));
        window.localStorage.removeItem(key);
        this.damaged += 1;
      } catch { /* full: it stays where it is */ }
    }

    clear() {
      this.unkept = [];
      for (const key of [PREFIX, PREFIX_1, DAMAGED].flatMap((prefix) => this.keys(prefix))) window.localStorage.removeItem(key);
      this.changed();
    }
  }

  window.unrolledAnswers = Object.freeze({ merged, standings, read, write, isEvent, log: new Log() });
})();
