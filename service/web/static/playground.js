// The playground of the home page: a model and a row are chosen, the request is sent, the answer shown.
// A link such as /#model=digits&row=3 opens a model with a row of its sample and sends it.

import { answerOf, failureOf, showWay } from "./answer.js";
import { makeEditor } from "./editors.js";

const MOST_LOGGED = 6;
const PAUSE_MS = 60; // between two requests while somebody draws

const $ = (id) => document.getElementById(id);
const models = Object.fromEntries(
  [...$("model").options].map((option) => [option.value, JSON.parse(option.dataset.playground)]),
);
let name, model, editor, row;
let sending = false;
let changed = false;

/** Show a model and a row of its sample. */
function choose(wanted, index) {
  if (wanted !== name) {
    name = $("model").value = wanted;
    model = models[name];
    editor = makeEditor(model, edited, chooseAndSend);
    $("editor").replaceChildren(...(editor ? [editor.element] : []));
    $("clear").hidden = !editor?.clear;
    if (!editor) $("request").open = true;
    $("url").textContent = `POST ${url()}`;
    $("about").textContent = $("model").selectedOptions[0].dataset.about;
    listOutputs();
    settle();
  }
  row = model.rows.length ? ((index % model.rows.length) + model.rows.length) % model.rows.length : 0;
  if (model.rows.length) editor?.write(model.rows[row]);
  $("next").disabled = model.rows.length < 2;
  writeBody(editor ? editor.read() : (model.rows[row] ?? []));
}

/** Show that nothing was asked of the chosen model yet. */
function settle() {
  const hint = document.createElement("p");
  hint.className = "quiet";
  hint.textContent = "Press Predict.";
  $("answer").replaceChildren(hint);
  $("way").hidden = $("reply").hidden = $("again").disabled = true;
}

function listOutputs() {
  const legend = $("outputs").firstElementChild;
  const boxes = model.outputs.map((output, i) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", value: output });
    box.checked = i === 0 || output === "predict_proba";
    box.addEventListener("change", () => writeBody(currentRow()));
    label.append(box, output);
    return label;
  });
  $("outputs").replaceChildren(legend, ...boxes);
}

/** Return the row that the request holds now, hand-edited or not. */
function currentRow() {
  if (editor) return editor.read();
  return parsed($("body").value)?.instances?.[0] ?? model.rows[row] ?? [];
}

function edited() {
  writeBody(editor.read());
  if (editor.drawn) send();
}

/** Write the request for one row; a long list goes eight values to a line, as a digit's pixels do. */
function writeBody(value) {
  const outputs = [...$("outputs").querySelectorAll(":checked")].map((box) => box.value);
  const lines = [`{"instances": [\n${laidOut(value)}\n]`];
  if (outputs.join() !== model.outputs[0] && outputs.length) lines.push(`"outputs": ${JSON.stringify(outputs)}`);
  $("body").value = `${lines.join(", ")}}`;
}

function laidOut(value) {
  if (!Array.isArray(value)) return JSON.stringify(value, null, 2);
  const lines = [];
  for (let i = 0; i < value.length; i += 8) lines.push(value.slice(i, i + 8).map((each) => JSON.stringify(each)).join(", "));
  return `[${lines.join(",\n ")}]`;
}

function url() {
  return `/v1/models/${encodeURIComponent(name)}:predict`;
}

/** Send the request; one that changes meanwhile is sent once more, so that the last one always is. */
async function send() {
  changed = true;
  if (sending) return;
  sending = true;
  while (changed) {
    changed = false;
    await sendOnce();
    if (changed) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  sending = false;
}

async function sendOnce() {
  const asked = name;
  const body = $("body").value;
  const started = performance.now();
  let response, text;
  try {
    response = await fetch(url(), { method: "POST", headers: { "Content-Type": "application/json" }, body });
    text = await response.text();
  } catch (error) {
    $("answer").replaceChildren(failureOf("No answer", String(error)));
    return;
  }
  log(response, performance.now() - started);
  if (asked !== name) return;
  const reply = parsed(text);
  $("answer").replaceChildren(
    response.ok && reply
      ? answerOf(reply, parsed(body)?.outputs ?? [], model)
      : failureOf(`${response.status} ${response.statusText}`, reply?.error ?? text),
  );
  $("raw").textContent = text;
  showWay(response.headers, response.ok);
  $("way").hidden = $("reply").hidden = $("again").disabled = false;
}

/** Add a line to the table of last requests. */
function log(response, milliseconds) {
  const line = document.createElement("tr");
  const header = (key) => response.headers.get(key) ?? "–";
  const cells = [
    response.status,
    header("X-Model-Version"),
    header("X-Replica"),
    header("X-Cache"),
    `${milliseconds.toFixed(1)} ms`,
  ];
  for (const text of cells) line.insertCell().textContent = text;
  line.cells[0].className = response.ok ? "good" : "bad";
  line.cells[3].className = `cache-${header("X-Cache")}`;
  const others = [...$("log").rows].filter((each) => each.cells.length > 1);
  $("log").replaceChildren(line, ...others.slice(0, MOST_LOGGED - 1));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Show a row, put it into the address, so that it can be passed on, and send it. */
function chooseAndSend(index) {
  choose(name, index);
  history.replaceState(null, "", `#model=${encodeURIComponent(name)}&row=${row}`);
  send();
}

/** Open what the address names; tell whether it names a model that is here. */
function open() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!Object.hasOwn(models, wanted.get("model"))) return false;
  choose(wanted.get("model"), Number.parseInt(wanted.get("row") ?? "0", 10) || 0);
  send();
  return true;
}

$("play").hidden = false;
if (open()) {
  $("playground").scrollIntoView();
} else {
  choose($("model").value, 0);
  if (editor?.drawn) send();
}

addEventListener("hashchange", () => {
  if (open()) $("playground").scrollIntoView();
});
$("model").addEventListener("change", () => {
  choose($("model").value, 0);
  history.replaceState(null, "", `#model=${encodeURIComponent(name)}`);
  if (editor?.drawn) send();
});
$("next").addEventListener("click", () => chooseAndSend(row + 1));
$("clear").addEventListener("click", () => editor.clear());
$("again").addEventListener("click", send);
$("play").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
$("body").addEventListener("input", () => {
  const given = parsed($("body").value)?.instances?.[0];
  if (given !== undefined) editor?.write(given);
});
