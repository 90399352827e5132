// Editors for one row, one for each kind of model: `element`, `read()` gives the row as JSON, `write(row)`
// shows one. Used by playground.js.

import { FULL, Pad, SIDE, paint } from "./digit.js";

/**
 * Return an editor for a model, or null where the request itself is the best one. `onChange` is called
 * when somebody edits, `choose` with the number of the example that somebody picked.
 */
export function makeEditor(model, onChange, choose) {
  if (model.kind === "text") return new Text(onChange);
  if (model.kind === "table") return new Fields(model, onChange);
  return isDrawing(model) ? new Drawing(model, onChange, choose) : null;
}

/** Tell whether rows are images as in scikit-learn's digits: 64 whole numbers from 0 to 16. */
function isDrawing(model) {
  const isPixel = (value) => Number.isInteger(value) && value >= 0 && value <= FULL;
  return model.rows.length > 0 && model.rows.every((row) => isImage(row) && row.every(isPixel));
}

function isImage(row) {
  return Array.isArray(row) && row.length === SIDE * SIDE;
}

/** A pad to draw on, and the sample's images to start from. */
class Drawing {
  drawn = true; // it is answered while somebody draws
  constructor(model, onChange, choose) {
    this.pad = new Pad(onChange);
    this.element = document.createElement("div");
    this.element.className = "drawing";
    const gallery = document.createElement("div");
    gallery.className = "gallery";
    gallery.setAttribute("role", "group");
    gallery.setAttribute("aria-label", "Examples");
    model.rows.forEach((row, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Example ${i + 1}`);
      const canvas = document.createElement("canvas");
      paint(canvas, row);
      button.append(canvas);
      button.addEventListener("click", () => choose(i));
      gallery.append(button);
    });
    const hint = document.createElement("p");
    hint.className = "quiet";
    hint.textContent = "Draw a large digit, or pick one:";
    const side = document.createElement("div");
    side.append(hint, gallery);
    this.element.append(this.pad.element, side);
  }

  read() {
    return this.pad.read();
  }

  clear() {
    this.pad.clear();
  }

  write(row) {
    if (isImage(row)) this.pad.write(row.map((value) => Math.min(FULL, Math.max(0, Number(value) || 0))));
  }
}

/** A text. */
class Text {
  constructor(onChange) {
    this.area = document.createElement("textarea");
    this.area.rows = 5;
    this.area.addEventListener("input", onChange);
    this.element = labelled("Text", this.area);
  }

  read() {
    return this.area.value;
  }

  write(row) {
    if (typeof row === "string") this.area.value = row;
  }
}

/** A field for each column of a table; what the sample holds is suggested. */
class Fields {
  constructor(model, onChange) {
    this.element = document.createElement("div");
    this.element.className = "fields";
    this.fields = model.inputs.map((column, i) => {
      const input = document.createElement("input");
      const field = labelled(column.name, input);
      if (column.dtype === "bool") input.type = "checkbox";
      else if (column.dtype === "string") field.append(suggestions(model, column.name, input, i));
      else Object.assign(input, { type: "number", step: "any" });
      input.addEventListener("input", onChange);
      this.element.append(field);
      return { column, input };
    });
  }

  read() {
    return Object.fromEntries(this.fields.map(({ column, input }) => [column.name, valueOf(column, input)]));
  }

  write(row) {
    if (row === null || typeof row !== "object") return;
    this.fields.forEach(({ column, input }, i) => {
      const value = Array.isArray(row) ? row[i] : row[column.name];
      if (input.type === "checkbox") input.checked = value === true;
      else input.value = value ?? "";
    });
  }
}

function valueOf(column, input) {
  if (column.dtype === "bool") return input.checked;
  if (column.dtype === "string") return input.value;
  return input.value === "" ? null : input.valueAsNumber;
}

function suggestions(model, name, input, i) {
  const list = document.createElement("datalist");
  list.id = `values-${i}`;
  input.setAttribute("list", list.id);
  for (const value of new Set(model.rows.map((row) => row[name]))) list.append(new Option(value, value));
  return list;
}

function labelled(text, control) {
  const label = document.createElement("label");
  label.className = "field";
  label.append(text, control);
  return label;
}
