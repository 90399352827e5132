// Shows a reply: the body and headers of a prediction come in, elements for a person go out.
// Used by playground.js. Everything is set as text, so nothing in a reply can become markup.

const MOST_BARS = 12;
const MOST_NUMBERS = 24;

// What X-Cache means for Redis and for the model, and which of the two took part.
const WAY = {
  edge: ["not needed", false, "not needed", false],
  redis: ["knew every row", true, "not needed", false],
  partial: ["knew some rows", true, "ran for the rest", true],
  miss: ["didn't know it; does now", true, "ran", true],
  bypass: ["not asked", false, "ran", true],
};

/** Return an element that shows the first row's answer; `outputs` are the names asked for. */
export function answerOf(reply, outputs, model) {
  const shown = document.createElement("div");
  const first = reply.predictions?.[0];
  const rows = reply.predictions?.length ?? 0;
  const name = outputs[0] ?? model.outputs[0];
  if (name !== "predict_proba") shown.append(valueOf(first, model));
  const shares = name === "predict_proba" ? first : reply.predict_proba?.[0];
  if (Array.isArray(shares) && shares.length === model.classes.length) {
    shown.append(barsOf(shares, model.classes));
  }
  if (rows > 1) shown.append(paragraph(`The first of ${rows} rows.`));
  return shown;
}

/** Return an element for an error, in the API's own words. */
export function failureOf(status, sentence) {
  const shown = document.createElement("div");
  shown.className = "failure";
  const code = document.createElement("b");
  code.textContent = status;
  shown.append(code, paragraph(sentence, ""));
  return shown;
}

/** Show which stations a request passed. */
export function showWay(headers, ok) {
  const cache = headers.get("X-Cache");
  const version = headers.get("X-Model-Version");
  const [redis, asked, model, ran] = (ok && WAY[cache]) || ["not asked", false, "not asked", false];
  const replica = cache === "edge" ? "not needed: nginx knew the answer" : "none";
  show("replica", headers.get("X-Replica") ?? replica, headers.has("X-Replica"));
  show("cache", redis, asked);
  show("model", ok && version ? `version ${version} ${model}` : model, ran);
}

function show(station, text, on) {
  const element = document.getElementById(`way-${station}`);
  element.textContent = text;
  element.parentElement.classList.toggle("on", on);
}

function valueOf(value, model) {
  if (!Array.isArray(value)) {
    const big = document.createElement("p");
    big.className = "big";
    big.textContent = plain(value, model);
    big.classList.toggle("short", big.textContent.length <= 2);
    return big;
  }
  const list = document.createElement(typeof value[0] === "string" ? "ol" : "p");
  if (list.tagName === "P") {
    const more = value.length > MOST_NUMBERS ? ", …" : "";
    list.className = "numbers";
    list.textContent = value.slice(0, MOST_NUMBERS).map((each) => plain(each, model)).join(", ") + more;
    return list;
  }
  list.className = "ranked";
  for (const each of value.filter((text) => text !== "")) {
    const item = document.createElement("li");
    item.textContent = each;
    list.append(item);
  }
  return list;
}

function barsOf(shares, classes) {
  const list = document.createElement("ul");
  list.className = "bars";
  let ranked = shares.map((share, i) => ({ share, name: String(classes[i]) }));
  const best = Math.max(...shares);
  if (ranked.length > MOST_BARS) ranked = ranked.sort((a, b) => b.share - a.share).slice(0, MOST_BARS);
  for (const { share, name } of ranked) {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const bar = document.createElement("i");
    const figure = document.createElement("span");
    label.textContent = name;
    bar.style.setProperty("--share", share);
    figure.textContent = `${(share * 100).toFixed(1)} %`;
    item.classList.toggle("best", share === best);
    item.append(label, bar, figure);
    list.append(item);
  }
  return list;
}

function plain(value, model) {
  if (typeof value !== "number" || model.classes.includes(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return value.toLocaleString("en", digits);
}

function paragraph(text, className = "quiet") {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = text;
  return element;
}
