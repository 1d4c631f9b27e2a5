"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  /* As Python writes it: a tie goes to the even digit. */
  function percent(value, digits = 2) {
    const scaled = 100 * value, up = scaled.toFixed(digits), tie = (scaled * 2 ** (digits + 1)) % 2 === 1;
    return tie && Number(up.at(-1)) % 2 ? (scaled - 0.5 / 10 ** digits).toFixed(digits) : up;
  }
  const PAGE = 40;

  /* Entities as objects. Scores are compared in single precision, as the component compares them. */
  const single = (value, none) => (value === null ? none : Math.fround(value));
  for (const text of data.texts) {
    text.g = text.g.map(([start, end, type, seen, score]) => ({ start, end, type, seen, score, isGold: true }));
    text.p = text.p.map(([start, end, type, score, above, upto, seen]) => ({
      start, end, type, score, seen, above: single(above, -Infinity), upto: single(upto, Infinity),
    }));
    text.o = (text.o || []).map(([start, end, type]) => ({ start, end, type }));
    text.words = text.w.map((word, i) => word + (text.s && text.s[i] === "0" ? "" : " "));
    text.plain = text.words.join("").toLowerCase();
  }
  const key = (one) => `${one.start} ${one.end} ${one.type}`;

  /* Gold against predictions: the rules of metrics/analysis.py, text by text. */
  function compare(gold, predicted) {
    const open = new Map(gold.map((one) => [key(one), one]));
    const right = [], wrong = [];
    for (const one of predicted) (open.delete(key(one)) ? right : wrong).push(one);
    const missed = [...open.values()];
    return { right, wrong, missed, mistakes: pair(missed, wrong) };
  }

  function pair(missed, wrong) {
    const pairs = [];
    for (const pred of wrong) {
      for (const gold of missed) {
        const overlap = Math.min(gold.end, pred.end) - Math.max(gold.start, pred.start);
        const place = gold.start === pred.start && gold.end === pred.end;
        if (overlap > 0) pairs.push({ gold, pred, rank: [!place, gold.type !== pred.type, -overlap, pred.start, gold.start] });
      }
    }
    pairs.sort((a, b) => {
      const i = a.rank.findIndex((value, at) => value !== b.rank[at]);
      return i < 0 ? 0 : a.rank[i] - b.rank[i];
    });
    const used = new Set(), mistakes = [];
    for (const { gold, pred } of pairs) {
      if (used.has(gold) || used.has(pred)) continue;
      used.add(gold).add(pred);
      mistakes.push({ kind: kindOf(gold, pred), gold, pred });
    }
    for (const gold of missed) if (!used.has(gold)) mistakes.push({ kind: "missed", gold, pred: null });
    for (const pred of wrong) if (!used.has(pred)) mistakes.push({ kind: "spurious", gold: null, pred });
    return mistakes;
  }

  function kindOf(gold, pred) {
    const before = pred.start - gold.start, after = pred.end - gold.end;
    if (!before && !after) return "wrong_type";
    if (gold.type !== pred.type) return "type_and_boundary";
    if (before <= 0 && after >= 0) return "too_long";
    return before >= 0 && after <= 0 ? "too_short" : "shifted";
  }

  const newCounts = () => ({ right: 0, predicted: 0, gold: 0 });
  function scores({ right, predicted, gold }) {
    const precision = predicted ? right / predicted : 0, recall = gold ? right / gold : 0;
    return { precision, recall, f1: precision + recall ? (2 * precision * recall) / (precision + recall) : 0 };
  }

  /* Everything that depends on the threshold. */
  function evaluate(index) {
    const threshold = Math.fround(data.thresholds[index]);
    const table = (names) => new Map(names.map((name) => [name, newCounts()]));
    const found = {
      index, all: newCounts(), types: data.types.map(newCounts),
      lengths: table(["1", "2", "3", "4", "5+"]), novelty: table(["seen", "unseen"]),
      kinds: data.types.map(() => new Map(data.kinds.map((kind) => [kind, 0]))),
      confusion: data.types.concat("O").map(() => new Array(data.types.length + 1).fill(0)),
      versus: { found: 0, lost: 0, removed: 0, added: 0 }, texts: [],
    };
    const add = (one, name) => {
      const length = Math.min(one.end - one.start, 5);
      const groups = [found.all, found.types[one.type], found.lengths.get(length < 5 ? String(length) : "5+"),
        found.novelty.get(one.seen ? "seen" : "unseen")];
      for (const counts of groups) counts[name] += 1;
    };
    for (const text of data.texts) {
      const predicted = text.p.filter((one) => one.above < threshold && threshold <= one.upto);
      const result = compare(text.g, predicted);
      for (const one of text.g) add(one, "gold");
      for (const one of predicted) add(one, "predicted");
      for (const one of result.right) { add(one, "right"); found.confusion[one.type][one.type] += 1; }
      for (const { kind, gold, pred } of result.mistakes) {
        const kinds = found.kinds[(gold || pred).type];
        kinds.set(kind, kinds.get(kind) + 1);
        found.confusion[gold ? gold.type : data.types.length][pred ? pred.type : data.types.length] += 1;
      }
      const versus = compareSystems(text, result);
      for (const name of Object.keys(found.versus)) found.versus[name] += versus[name];
      const confident = Math.max(-1, ...result.wrong.map((one) => one.score ?? -1));
      found.texts.push({ text, predicted, ...result, versus, confident });
    }
    return found;
  }

  function compareSystems(text, result) {
    if (!data.other) return { found: 0, lost: 0, removed: 0, added: 0 };
    const theirs = compare(text.g, text.o);
    const keys = (list) => new Set(list.map(key));
    const without = (one, other) => [...keys(one)].filter((each) => !keys(other).has(each)).length;
    return {
      found: without(theirs.missed, result.missed), lost: without(result.missed, theirs.missed),
      removed: without(theirs.wrong, result.wrong), added: without(result.wrong, theirs.wrong),
    };
  }

  /* Drawing. Texts and labels go in as text, never as HTML. */
  function element(name, className = "", ...content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...content);
    return made;
  }
  const colored = (made, type, property = "--c") => { made.style.setProperty(property, data.colors[type]); return made; };
  const tag = (type) => colored(element("span", "tag", data.types[type]), type);
  const cells = (values) => values.map((value) => element("td", "", String(value)));
  function heat(value, most, hue = "") {
    const cell = element("td", value ? "heat" : "zero", String(value));
    cell.style.setProperty("--v", most ? value / most : 0);
    if (hue) cell.style.setProperty("--hue", hue);
    return cell;
  }
  function fill(id, rows) {
    if (byId(id)) byId(id).replaceChildren(...rows.map((row) => element("tr", "", ...row)));
  }

  function showScores(found) {
    const values = scores(found.all);
    for (const name of ["precision", "recall", "f1"]) {
      for (const each of document.querySelectorAll(`[data-score=${name}]`)) each.textContent = percent(values[name]);
    }
    const { gold, predicted, right } = found.all, number = (value) => value.toLocaleString("en");
    byId("counts").textContent = `${number(gold)} gold entities, ${number(predicted)} predicted, ${number(right)} right`;
    ["precision", "recall", "f1"].forEach((name, i) => {
      if (!data.intervals.length) return;
      const [low, high] = data.intervals[found.index][i], span = document.querySelector(`[data-span=${name}]`);
      document.querySelector(`[data-interval=${name}]`).textContent = `95% interval ${percent(low, 1)} to ${percent(high, 1)}`;
      span.children[0].style.left = `${percent(low)}%`;
      span.children[0].style.right = `${percent(1 - high)}%`;
      span.children[1].style.left = `${percent(values[name])}%`;
    });
    moveMarks(values, data.thresholds[found.index]);
  }

  function moveMarks(values, threshold) {
    const place = (svg, x, y) => {
      const { left, top, width, height } = svg.dataset;
      return [Number(left) + width * x, Number(top) + height * (1 - y)];
    };
    const lines = byId("by-threshold"), curve = byId("precision-recall");
    if (!lines) return;
    const [x] = place(lines, threshold, 0), [cx, cy] = place(curve, values.recall, values.precision);
    for (const name of ["x1", "x2"]) lines.querySelector(".mark").setAttribute(name, x);
    curve.querySelector(".dot").setAttribute("cx", cx);
    curve.querySelector(".dot").setAttribute("cy", cy);
  }

  function showTables(found) {
    const there = data.types.map((_, type) => type).filter((type) => found.types[type].gold + found.types[type].predicted);
    fill("types", there.map((type) => {
      const counts = found.types[type], { precision, recall, f1 } = scores(counts);
      const meter = element("span", "meter", element("i"));
      meter.firstChild.style.width = `${percent(f1)}%`;
      return [element("td", "", tag(type)), ...cells([percent(f1)]), element("td", "of-meter", meter),
        ...cells([percent(precision), percent(recall), counts.gold, counts.predicted, counts.right])];
    }));
    const kinds = there.map((type) => [...found.kinds[type].values()]), most = Math.max(0, ...kinds.flat());
    const sums = data.kinds.map((_, i) => kinds.reduce((sum, row) => sum + row[i], 0));
    fill("kinds", [
      ...there.map((type, i) => [element("td", "", tag(type)), ...kinds[i].map((value) => heat(value, most))]),
      [element("td", "", "all"), ...cells(sums)],
    ]);
    showConfusion(found.confusion);
    for (const [id, groups] of [["by-length", found.lengths], ["by-novelty", found.novelty]]) {
      fill(id, [...groups].map(([name, counts]) => {
        const { precision, recall, f1 } = scores(counts);
        return cells([name, percent(precision), percent(recall), percent(f1), counts.gold]);
      }));
    }
  }

  function showConfusion(confusion) {
    const names = data.types.concat("O");
    const most = Math.max(1, ...confusion.flatMap((row, i) => row.filter((_, j) => i !== j)));
    const head = names.map((name) => element("th", "", name));
    byId("confusion").previousElementSibling.replaceChildren(element("tr", "", element("th"), ...head));
    fill("confusion", names.map((name, i) => [
      element("td", "", i < data.types.length ? tag(i) : name),
      ...confusion[i].map((value, j) => (i === j ? heat(value, 2 * value, "var(--good)") : heat(value, most))),
    ]));
  }

  function showVersus({ found, lost, removed, added }) {
    if (!byId("versus")) return;
    byId("fixed").textContent = found + removed;
    byId("broken").textContent = lost + added;
    byId("fixed-parts").textContent = `${found} gold entities found, ${removed} false ones gone`;
    byId("broken-parts").textContent = `${lost} gold entities lost, ${added} false ones new`;
  }

  /* The texts. */
  const confidence = () => (byId("confidence") ? Number(byId("confidence").value) : 1);
  function doubtful(item) {
    const wrong = item.wrong.filter((one) => one.score !== null && one.score >= confidence());
    if (!byId("unlikely").checked) return wrong;
    const alone = item.mistakes.filter(({ kind }) => kind === "missed").map(({ gold }) => gold);
    return [...wrong, ...alone.filter((one) => one.score !== null && 1 - one.score >= confidence())];
  }
  const VIEWS = {
    mistakes: (item) => item.mistakes.length, all: () => true, gold: (item) => doubtful(item).length,
    fixed: (item) => item.versus.found + item.versus.removed, broken: (item) => item.versus.lost + item.versus.added,
  };
  let current, shown = PAGE;

  function selected() {
    const view = byId("view").value, kind = byId("kind").value, type = byId("type").value;
    const wanted = byId("search").value.trim().toLowerCase();
    const ofType = (one) => one && (type === "" || one.type === Number(type));
    const fits = (item) => {
      const mistakes = item.mistakes.filter((one) => (kind === "" || one.kind === kind) && (ofType(one.gold) || ofType(one.pred)));
      if (mistakes.length || kind !== "" || view === "mistakes" || view === "gold") return mistakes.length;
      return type === "" || [...item.text.g, ...item.predicted, ...item.text.o].some(ofType);
    };
    return current.texts.filter((item) => VIEWS[view](item) && fits(item) && item.text.plain.includes(wanted))
      .sort((a, b) => b.confident - a.confident || a.text.i - b.text.i);
  }

  function showTexts() {
    const items = selected(), mistakes = items.reduce((sum, item) => sum + item.mistakes.length, 0);
    byId("found").textContent = `${items.length} ${items.length === 1 ? "text" : "texts"}, ${mistakes} ${mistakes === 1 ? "mistake" : "mistakes"}`;
    byId("list").replaceChildren(...items.slice(0, shown).map(drawText));
    byId("more").hidden = items.length <= shown;
    if (!byId("gold-count")) return;
    const doubted = current.texts.filter((item) => doubtful(item).length);
    const spans = doubted.reduce((sum, item) => sum + doubtful(item).length, 0);
    byId("gold-count").textContent = `${spans} ${spans === 1 ? "place" : "places"} where the pipeline is sure of something else, in ${doubted.length} ${doubted.length === 1 ? "text" : "texts"}`;
    byId("save").disabled = !doubted.length;
  }

  function drawText(item) {
    const box = element("article", "text", drawWords(item.text, item.text.g, item.predicted, item));
    const info = element("div", "info", element("span", "", `text ${item.text.i}`));
    for (const { kind, gold, pred } of item.mistakes) info.append(element("span", "", element("b", "", kind.replaceAll("_", " ")), ` ${describe(item.text, gold, pred)}`));
    box.append(info);
    if (["fixed", "broken"].includes(byId("view").value)) {
      const theirs = drawWords(item.text, item.text.g, item.text.o, compare(item.text.g, item.text.o));
      box.append(element("p", "note", `${data.other}:`), theirs);
    }
    return box;
  }

  const words = (text, { start, end }) => text.words.slice(start, end).join("").trim();
  function describe(text, gold, pred) {
    const score = pred && pred.score !== null && pred.score !== undefined ? `, ${percent(pred.score, 0)} %` : "";
    const said = pred && `“${words(text, pred)}” ${data.types[pred.type]}${score}`;
    const unlikely = !pred && gold.score !== null ? `, ${percent(gold.score, 0)} %` : "";
    const is = gold && `“${words(text, gold)}” ${data.types[gold.type]}${unlikely}`;
    return gold && pred ? `${said}; gold: ${is}` : said || is;
  }

  /* Runs of words that lie in the same gold entity, prediction and frame. */
  function drawWords(text, gold, predicted, { wrong, missed }) {
    const at = (list) => { const place = new Array(text.w.length).fill(null); for (const one of list) place.fill(one, one.start, one.end); return place; };
    const golds = at(gold), preds = at(predicted), line = element("div", "words");
    const framed = new Set([...wrong, ...missed]), isFramed = (i) => framed.has(golds[i]) || framed.has(preds[i]);
    const joined = (i) => Boolean((golds[i] && golds[i] === golds[i - 1]) || (preds[i] && preds[i] === preds[i - 1]));
    let frame = line, ofPreds = [], ofGold = [];
    line.dir = "auto";
    for (let i = 0; i < text.w.length;) {
      let end = i + 1;
      while (end < text.w.length && golds[end] === golds[i] && preds[end] === preds[i]) end += 1;
      if (!isFramed(i)) frame = line;
      else if (frame === line || !joined(i)) line.append((frame = element("span", "mistake")));
      const content = text.words.slice(i, end).join(""), space = content.slice(content.trimEnd().length);
      frame.append(golds[i] || preds[i] ? drawRun(content.trimEnd(), golds[i], preds[i]) : content);
      if (preds[i] && preds[end] !== preds[i]) ofPreds.push(" ", drawLabel(preds[i], ""));
      if (golds[i] && golds[end] !== golds[i] && missed.includes(golds[i])) ofGold.push(" ", drawLabel(golds[i], "of-gold"));
      const both = (places) => (places[i] === places[end] ? places[i] : null);
      if (joined(end)) frame.append(drawRun(space, both(golds), both(preds), "gap"));
      else {
        frame.append(...ofPreds, ...ofGold);
        [ofPreds, ofGold] = [[], []];
        if (golds[i] || preds[i]) line.append(space);
      }
      i = end;
    }
    return line;
  }

  function drawRun(content, gold, pred, className = "") {
    const run = element("span", `${className} ${gold ? "gold" : ""} ${pred ? "pred" : ""}`.trim(), content);
    if (pred) colored(run, pred.type);
    if (gold) colored(run, gold.type, "--g");
    return run;
  }

  function drawLabel(one, className) {
    const score = one.score !== null && one.score !== undefined ? ` ${percent(one.score, 0)}` : "";
    return element("span", `label ${className}`, className ? `gold: ${data.types[one.type]}` : `${data.types[one.type]}${score}`);
  }

  /* Texts to annotate again, in Prodigy's form: offsets count code points. */
  function toProdigy(item) {
    const { text } = item, tokens = [];
    let at = 0;
    text.w.forEach((word, id) => {
      const start = at, ws = text.s ? text.s[id] === "1" : true;
      at = start + [...word].length;
      tokens.push({ text: word, start, end: at, id, ws });
      at += ws ? 1 : 0;
    });
    const range = (start, end) => ({ start: tokens[start].start, end: tokens[end - 1].end });
    const span = (one) => ({ ...range(one.start, one.end), token_start: one.start, token_end: one.end - 1, label: data.types[one.type] });
    const row = { text: text.s ? text.words.join("") : text.w.join(" "), tokens, spans: text.g.map(span) };
    if (!text.s) row.has_unknown_spaces = true;
    if (text.m) row.missing = text.m.map(([start, end]) => Object.values(range(start, end)));
    const say = (one) => ({ ...span(one), text: words(text, one), score: one.score });
    const [unlikely, predicted] = [true, false].map((isGold) => doubtful(item).filter((one) => Boolean(one.isGold) === isGold).map(say));
    row.meta = { text: text.i, predicted, unlikely };
    return row;
  }

  function toJsonl() {
    const items = current.texts.filter((item) => doubtful(item).length).sort((a, b) => b.confident - a.confident || a.text.i - b.text.i);
    return items.map((item) => `${JSON.stringify(toProdigy(item))}\n`).join("");
  }

  function save() {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([toJsonl()], { type: "application/jsonl" }));
    link.download = "likely_mistakes.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function update(index) {
    current = evaluate(index);
    showScores(current);
    showTables(current);
    showVersus(current.versus);
    showTexts();
    if (!data.moves) return;
    byId("threshold-input").value = index;
    byId("threshold-input").setAttribute("aria-valuetext", String(data.thresholds[index]));
    byId("threshold-value").textContent = String(data.thresholds[index]);
    byId("reset").hidden = index === data.own;
  }

  function best() {
    const f1 = data.thresholds.map((_, index) => scores(evaluate(index).all).f1);
    return f1.lastIndexOf(Math.max(...f1));
  }

  const restart = () => { shown = PAGE; showTexts(); };
  const on = (id, event, action) => byId(id) && byId(id).addEventListener(event, action);
  on("threshold-input", "input", (event) => update(Number(event.target.value)));
  on("reset", "click", () => update(data.own));
  on("best", "click", () => update(best()));
  for (const id of ["view", "kind", "type", "confidence", "unlikely"]) on(id, "change", restart);
  on("search", "input", restart);
  on("more", "click", () => { shown += PAGE; showTexts(); });
  on("save", "click", save);
  on("show-gold", "click", () => { byId("view").value = "gold"; restart(); byId("texts").scrollIntoView(); });
  for (const link of document.querySelectorAll("[data-view]")) {
    link.addEventListener("click", () => { byId("view").value = link.dataset.view; restart(); });
  }
  update(data.own);
})();
