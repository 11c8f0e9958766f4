"use strict";

/** Compares two cells by number, or by text in natural order: v1.10 comes after v1.9. */
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(one, other) {
  if (one.number !== null && other.number !== null) {
    return one.number - other.number;
  }
  return collator.compare(one.text, other.text);
}

/** Sorts rows by a column. The sort is stable, and empty cells always come last. */
function sorted(rows, column, direction) {
  const sign = direction === "descending" ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a.cells[column], b.cells[column]];
    const empty = Number(one.text === "") - Number(other.text === "");
    return empty || sign * compare(one, other);
  });
}

/** Returns whether a row has one of the chosen states (if any) and every word. */
function matches(row, states, words) {
  return (states.size === 0 || states.has(row.state)) && words.every((word) => row.text.includes(word));
}

function split(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function read(element) {
  const cells = [...element.cells].map((cell) => ({
    text: cell.textContent.trim(),
    number: "order" in cell.dataset ? Number(cell.dataset.order) : null,
  }));
  return { element, cells, state: element.dataset.state, text: element.textContent.toLowerCase() };
}

function start() {
  const form = document.getElementById("filter");
  const words = document.getElementById("words");
  const shown = document.getElementById("shown");
  const body = document.querySelector("#report tbody");
  const heads = [...document.querySelectorAll("#report thead th")];
  let rows = [...body.rows].map(read);

  function filter() {
    const states = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
    const wanted = split(words.value);
    let count = 0;
    for (const row of rows) {
      const visible = matches(row, states, wanted);
      row.element.hidden = !visible;
      count += visible;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      rows = sorted(rows, column, direction);
      // Remove all rows at once: moving thousands of rows one at a time takes seconds.
      body.replaceChildren();
      body.append(...rows.map((row) => row.element));
    });
  });

  let waiting;
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields are only empty after this event.
  form.addEventListener("reset", () => setTimeout(filter));

  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // Print all details, and fold them again afterwards.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...body.querySelectorAll("tr:not([hidden]) details:not([open])")];
    opened.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));

  form.hidden = false;
  filter();
}

if (typeof document !== "undefined") {
  start();
}
