// A drawing pad of 8 × 8 pixels from 0 to 16, as in scikit-learn's digits: strokes go onto a bitmap of
// 32 × 32 and each pixel counts the ink in its block of 4 × 4. Used by editors.js.

export const SIDE = 8;
export const FULL = 16;
const BLOCK = 4;
const FINE = SIDE * BLOCK;
const BRUSH = 2.6; // radius on the bitmap; strokes come out as wide as those of the data set

/** Paint 64 values onto a canvas of 8 × 8, as ink of one colour: the page's theme may invert it. */
export function paint(canvas, values) {
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  values.forEach((value, i) => {
    context.fillStyle = `rgba(10, 34, 51, ${value / FULL})`;
    context.fillRect(i % SIDE, Math.floor(i / SIDE), 1, 1);
  });
}

/** Put a line of ink from one point to another, in units of the bitmap. */
export function stroke(bitmap, from, to) {
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) * 2) || 1;
  for (let step = 0; step <= steps; step++) {
    const x = from.x + ((to.x - from.x) * step) / steps;
    const y = from.y + ((to.y - from.y) * step) / steps;
    const reach = Math.ceil(BRUSH);
    for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(FINE - 1, y + reach); row++) {
      for (let column = Math.max(0, Math.floor(x) - reach); column <= Math.min(FINE - 1, x + reach); column++) {
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= BRUSH) bitmap[row * FINE + column] = 1;
      }
    }
  }
}

/** Count the ink in each block of the bitmap. */
export function count(bitmap) {
  const values = new Array(SIDE * SIDE).fill(0);
  bitmap.forEach((ink, i) => {
    const row = Math.floor(i / FINE / BLOCK);
    values[row * SIDE + Math.floor((i % FINE) / BLOCK)] += ink;
  });
  return values;
}

/** The pad: `element` for the page, `read` and `write` for 64 values; calls `onChange` when drawn on. */
export class Pad {
  constructor(onChange) {
    this.onChange = onChange;
    this.element = document.createElement("div");
    this.element.className = "pad";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "application");
    this.element.setAttribute(
      "aria-label",
      "Drawing pad of 8 by 8 pixels. Arrow keys move, Space inks a pixel or clears it, Delete clears all.",
    );
    this.canvas = document.createElement("canvas");
    this.cursor = document.createElement("span");
    this.cursor.className = "cursor";
    this.said = document.createElement("span");
    this.said.className = "unseen";
    this.said.setAttribute("aria-live", "polite");
    this.element.append(this.canvas, this.cursor, this.said);
    this.at = { row: 0, column: 0 };
    this.write(new Array(SIDE * SIDE).fill(0));
    this.element.addEventListener("pointerdown", (event) => this.#press(event));
    this.element.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(end, () => (this.last = null));
    }
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  read() {
    return this.values;
  }

  write(values) {
    this.base = [...values];
    this.bitmap = new Uint8Array(FINE * FINE);
    this.#show(this.base);
  }

  clear() {
    this.write(new Array(SIDE * SIDE).fill(0));
    this.onChange();
  }

  #show(values) {
    this.values = values;
    paint(this.canvas, values);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * FINE,
      y: ((event.clientY - box.top) / box.height) * FINE,
    };
  }

  #press(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.last = this.#point(event);
    this.#ink(this.last);
  }

  #drag(event) {
    if (!this.last) return;
    const seen = event.getCoalescedEvents?.() ?? [];
    for (const each of seen.length ? seen : [event]) this.#ink(this.#point(each));
  }

  #ink(point) {
    stroke(this.bitmap, this.last, point);
    this.last = point;
    const drawn = count(this.bitmap);
    this.#show(this.base.map((value, i) => Math.max(value, drawn[i])));
    this.onChange();
  }

  #key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) {
      this.at.row = (this.at.row + step[0] + SIDE) % SIDE;
      this.at.column = (this.at.column + step[1] + SIDE) % SIDE;
      this.cursor.style.setProperty("--row", this.at.row);
      this.cursor.style.setProperty("--column", this.at.column);
    } else if (event.key === " ") {
      const values = [...this.values];
      const i = this.at.row * SIDE + this.at.column;
      values[i] = values[i] ? 0 : FULL;
      this.write(values);
      this.onChange();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    const value = this.values[this.at.row * SIDE + this.at.column];
    this.said.textContent = `row ${this.at.row + 1}, column ${this.at.column + 1}: ${value}`;
  }
}
