// When each quiz question should be asked again: FSRS on the log of answers, as the package's `unrolled.yours.review` computes it with the
// library `fsrs`. A test holds the two together. That module says what counts as a sitting and from when on a question is due.
(() => {
  "use strict";

  const DAY = 86400000; // milliseconds
  const SITTING = DAY / 2;
  // The published weights of FSRS 6.
  const W = [
    0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729,
    0.5425, 0.0912, 0.0658, 0.1542,
  ];
  const AGAIN = 1, GOOD = 3, EASY = 4;
  const RETENTION = 0.9, LONGEST = 36500;
  const DECAY = -W[20];
  const FACTOR = 0.9 ** (1 / DECAY) - 1;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const firstDifficulty = (rating) => W[4] - Math.exp(W[5] * (rating - 1)) + 1;
  const retrievability = (days, stability) => (1 + (FACTOR * days) / stability) ** DECAY;

  function nextDifficulty(difficulty, rating) {
    const change = (-W[6] * (rating - 3) * (10 - difficulty)) / 9;
    return clamp(W[7] * firstDifficulty(EASY) + (1 - W[7]) * (difficulty + change), 1, 10);
  }

  function nextStability({ stability, difficulty }, days, rating) {
    const forgotten = 1 - retrievability(days, stability);
    if (rating === AGAIN) {
      const long = W[11] * difficulty ** -W[12] * ((stability + 1) ** W[13] - 1) * Math.exp(forgotten * W[14]);
      return Math.max(Math.min(long, stability / Math.exp(W[17] * W[18])), 0.001);
    }
    return stability * (1 + Math.exp(W[8]) * (11 - difficulty) * stability ** -W[9] * (Math.exp(forgotten * W[10]) - 1));
  }

  const interval = (stability) => clamp(Math.round((stability / FACTOR) * (RETENTION ** (1 / DECAY) - 1)), 1, LONGEST);
  const daysBetween = (now, last) => Math.max(1, Math.floor((now - last) / DAY + 0.5));

  // {question, due, missed, stability, difficulty, last}: times in milliseconds, null where no answer has a date.
  function dueOf(question, events) {
    let card = null, last = null, missed = !events.at(-1).right;
    for (const event of events) {
      if (event.at === null) continue;
      const at = Date.parse(event.at);
      if (last !== null && at - last < SITTING) continue;
      const rating = event.right ? GOOD : AGAIN;
      card = card === null
        ? { stability: W[rating - 1], difficulty: clamp(firstDifficulty(rating), 1, 10) }
        : { stability: nextStability(card, daysBetween(at, last), rating), difficulty: nextDifficulty(card.difficulty, rating) };
      [last, missed] = [at, !event.right];
    }
    if (card === null) return { question, due: null, missed, stability: 0, difficulty: 0, last };
    return { question, due: last + interval(card.stability) * DAY - SITTING, missed, ...card, last };
  }

  // Map from a question to when it comes back, for each that was answered since it was last reset.
  function schedule(log) {
    const events = new Map();
    for (const event of window.unrolledAnswers.merged(log)) {
      if (event.reset) events.delete(event.question);
      else events.set(event.question, [...(events.get(event.question) ?? []), event]);
    }
    return new Map([...events].map(([question, own]) => [question, dueOf(question, own)]));
  }

  const isDue = ({ due }, now) => due === null || due <= now;
  const known = ({ last, stability }, now) => (last === null ? 0 : retrievability(daysBetween(now, last), stability));

  // What of the known questions is due, in the order to ask: missed ones first, then what is most likely to be forgotten.
  function dueNow(log, now, questions) {
    const wanted = new Set(questions);
    return [...schedule(log).values()]
      .filter((one) => wanted.has(one.question) && isDue(one, now))
      .map((one) => ({ ...one, known: known(one, now) }))
      .sort((a, b) => Number(b.missed) - Number(a.missed) || a.known - b.known || (a.question < b.question ? -1 : Number(a.question > b.question)));
  }

  window.unrolledSchedule = Object.freeze({ schedule, isDue, dueNow, DAY });
})();
