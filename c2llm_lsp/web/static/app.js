// The page of `c2llm web`. Whatever comes from the workspace is written as text, never as markup.
import { RepositoryMap } from "./map.js";

const KINDS = ["function", "method", "class", "block", "section", "cell", "window"];
const [INDEXING, QUIET] = [700, 3000]; // milliseconds between two looks at how the index stands
const TYPING = 60; // milliseconds without a key before it is asked
const $ = (id) => document.getElementById(id);

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("c2llm-token") ?? "";
if (token) {
  sessionStorage.setItem("c2llm-token", token);
  history.replaceState(null, "", location.pathname); // out of sight, and out of what is copied
}

const state = { results: [], certain: true, chosen: 0, query: "", asked: 0, back: "search", file: null };

/** Ask for a view. Rejects with a sentence for the person. */
async function ask(name, params = {}) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify(params),
    });
  } catch {
    throw new Error("The server has ended. Start `c2llm web` again.");
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error ?? answer.statusText);
  return body;
}

/** An element with classes, text and children. */
function element(tag, classes = "", ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

/** A text with some spans marked. */
function marked(text, marks) {
  const parts = [];
  let at = 0;
  for (const [start, end] of marks) {
    parts.push(text.slice(at, start), element("mark", "", text.slice(start, end)));
    at = end;
  }
  return [...parts, text.slice(at)];
}

function tell(text) {
  $("notes").textContent = text;
}

// -- search ---------------------------------------------------------------------------------------------------------

/** What is typed, with the fields beside it as filters. */
function typed() {
  const fields = [
    ["lang", $("language").value],
    ["kind", $("kind").value],
    ["path", $("path").value.trim() && `"${$("path").value.trim().replaceAll('"', "")}"`],
    ["in", $("changed").checked ? "changed" : ""],
    ["in", $("no-tests").checked ? "no-tests" : ""],
  ];
  return [$("query").value, ...fields.filter(([, value]) => value).map(([name, value]) => `${name}:${value}`)].join(" ");
}

let timer = 0;
function search() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const number = (state.asked += 1);
    const query = typed();
    try {
      const answer = await ask("search", { query });
      if (number !== state.asked) return; // a newer question is on its way
      Object.assign(state, { results: answer.results, certain: answer.certain, chosen: 0, query });
      showResults();
      const found = answer.results.length ? "" : $("query").value.trim() ? "Nothing found." : "";
      tell([found, ...answer.notes].filter(Boolean).join(" "));
    } catch (error) {
      if (number === state.asked) tell(error.message);
    }
  }, TYPING);
}

function showResults() {
  $("results").replaceChildren(
    ...state.results.map((result, number) => {
      const answer = result.lines.find((line) => line.number === result.answer) ?? { text: "", marks: [] };
      const shift = answer.text.length - answer.text.trimStart().length;
      const marks = answer.marks.filter(([start]) => start >= shift).map(([start, end]) => [start - shift, end - shift]);
      const row = element(
        "li",
        state.certain ? "" : "weak",
        element("span", "place", `${result.label}:${result.anchor}`),
        " ",
        element("span", "title", result.name || `(${result.kind})`),
        element("span", "line", ...marked(answer.text.trimStart(), marks)),
      );
      row.addEventListener("click", () => choose(number));
      row.addEventListener("dblclick", () => openFile(result.path, result.anchor));
      return row;
    }),
  );
  choose(0);
}

function choose(number) {
  state.chosen = Math.max(0, Math.min(number, state.results.length - 1));
  [...$("results").children].forEach((row, n) => row.setAttribute("aria-selected", String(n === state.chosen)));
  $("results").children[state.chosen]?.scrollIntoView({ block: "nearest" });
  const result = state.results[state.chosen];
  if (!result) return $("preview").replaceChildren();
  const heat = element("button", "", "Show where the model looks");
  const open = element("button", "", "Open the file");
  const code = element("div", "code");
  const telling = new Set([result.anchor, result.answer]);
  code.append(...result.lines.map((line) => row(line.number, marked(line.text, line.marks), telling.has(line.number))));
  open.addEventListener("click", () => openFile(result.path, result.anchor));
  heat.addEventListener("click", async () => {
    try {
      const seen = await ask("explain", { path: result.path, line: result.anchor, query: state.query });
      code.replaceChildren(...heated(seen));
      $("preview").append(element("ul", "dim", ...seen.summary.map((sentence) => element("li", "", sentence))));
      heat.remove();
    } catch (error) {
      tell(error.message);
    }
  });
  const copies = result.copies.length ? element("p", "dim", `The same code is also at ${result.copies.join(", ")}.`) : "";
  const head = element("p", "", element("span", "place", `${result.label}:${result.start}-${result.end}`), " ", open, " ", heat);
  $("preview").replaceChildren(head, code, copies);
}

/** A line of code with its number. */
function row(number, content, telling = false, figures = null) {
  const made = element("div", telling ? "row telling" : "row", element("span", "number", String(number)));
  if (figures) made.append(figures);
  made.append(element("span", "", ...content));
  made.dataset.line = number;
  return made;
}

/** Lines with heat, their share and their effect. */
function heated(seen) {
  return seen.rows.map((line) => {
    const share = seen.has_attention && line.attention >= 0.005 ? `${Math.round(line.attention * 100)}%` : "";
    const figures = element("span", "figures", share);
    if (line.effect) figures.append(element("span", line.effect > 0 ? "plus" : "minus", ` ${line.effect > 0 ? "+" : "−"}${Math.abs(line.effect).toFixed(3)}`));
    const spans = line.spans.map(([text, heat]) => (heat ? element("span", `h${heat}`, text) : text));
    return row(line.line, spans, false, figures);
  });
}

// -- a file ---------------------------------------------------------------------------------------------------------

async function openFile(path, line = 1) {
  try {
    state.file = await ask("file", { path });
  } catch (error) {
    return tell(error.message);
  }
  if (shown() !== "file") state.back = shown();
  show("file");
  $("file-path").textContent = state.file.parts[0].label;
  $("legend").hidden = true;
  $("heat").hidden = false;
  $("file-lines").replaceChildren(
    ...state.file.parts.map((part) =>
      element("div", "code", ...part.lines.map((text, n) => row(part.start + n, [text], part.start + n === line))),
    ),
  );
  $("file-lines").querySelector(".telling")?.scrollIntoView({ block: "center" });
}

/** Colour the parts one after the other, those on the screen first. */
async function heatFile() {
  const file = state.file;
  $("heat").hidden = true;
  $("legend").hidden = false;
  const boxes = [...$("file-lines").children];
  const visible = boxes.findIndex((box) => box.getBoundingClientRect().bottom > 0);
  const order = boxes.map((_, n) => (n + Math.max(visible, 0)) % boxes.length);
  for (const n of order) {
    if (state.file !== file || shown() !== "file") return;
    try {
      const seen = await ask("explain", { path: file.path, line: file.parts[n].start, query: state.query });
      if (state.file === file && seen.start === file.parts[n].start) boxes[n].replaceChildren(...heated(seen));
    } catch (error) {
      return tell(error.message);
    }
  }
}

// -- map and duplicates ---------------------------------------------------------------------------------------------

const repositoryMap = new RepositoryMap($("canvas"), $("tip"), (path) => openFile(path));

async function showMap() {
  $("map-notes").textContent ||= "";
  try {
    const map = await ask("map");
    repositoryMap.show(map);
    if (map.notes.length) $("map-notes").textContent = map.notes.join(" ");
    $("clusters").replaceChildren(
      ...map.clusters.map((cluster, number) => {
        const dot = element("span", "dot");
        dot.style.background = repositoryMap.color(number);
        const name = cluster.terms.join(", ") || "other";
        const item = element("li", "", dot, element("span", "title", name), element("span", "dim", ` ${cluster.files} file${cluster.files === 1 ? "" : "s"}`));
        item.addEventListener("click", () => repositoryMap.focus(number));
        return item;
      }),
    );
  } catch (error) {
    $("map-notes").textContent = error.message;
  }
}

async function showDuplicates() {
  $("duplicate-notes").textContent = "Comparing…";
  try {
    const found = await ask("duplicates");
    const count = found.pairs.length;
    const said = count ? `${count} pair${count === 1 ? "" : "s"} of code that is almost the same.` : "No code is almost the same as other code.";
    $("duplicate-notes").textContent = [said, ...found.notes].join(" ");
    $("pairs").replaceChildren(...found.pairs.map((pair) => element("li", "", element("span", "title", `${Math.round(pair.similarity * 100)}% `), end(pair.one), " = ", end(pair.other))));
  } catch (error) {
    $("duplicate-notes").textContent = error.message;
  }
}

function end(place) {
  const link = element("button", "place", `${place.label}:${place.start} ${place.name}`);
  link.addEventListener("click", () => openFile(place.path, place.start));
  return link;
}

// -- views ----------------------------------------------------------------------------------------------------------

const VIEWS = ["search", "map", "duplicates", "file"];
const shown = () => VIEWS.find((name) => !$(name).hidden);

function show(view) {
  for (const name of VIEWS) {
    $(name).hidden = name !== view;
    $(`tab-${name}`)?.setAttribute("aria-selected", String(name === view));
  }
  if (view === "search") $("query").focus();
  if (view === "map") repositoryMap.draw();
}

$("tab-search").addEventListener("click", () => show("search"));
$("tab-map").addEventListener("click", () => (show("map"), showMap()));
$("tab-duplicates").addEventListener("click", () => (show("duplicates"), showDuplicates()));
$("back").addEventListener("click", () => show(state.back));
$("heat").addEventListener("click", heatFile);
$("find").addEventListener("input", () => repositoryMap.find($("find").value));
$("form").addEventListener("submit", (event) => event.preventDefault());
$("form").addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (shown() === "file" && event.key === "Escape") return show(state.back);
  if (shown() !== "search") return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    choose(state.chosen + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter" && event.target === $("query") && state.results[state.chosen]) {
    openFile(state.results[state.chosen].path, state.results[state.chosen].anchor);
  } else if (event.key === "/" && event.target === document.body) {
    event.preventDefault();
    $("query").focus();
  }
});

$("kind").append(...KINDS.map((kind) => new Option(kind, kind)));

let revision = -1;
/** How the index stands; what is shown is asked for anew when it has changed. */
async function follow() {
  try {
    const status = await ask("status");
    document.title = `${status.name} – c2llm`;
    $("name").textContent = status.name;
    $("status").textContent = `${status.files} file${status.files === 1 ? "" : "s"}${status.indexing ? " · indexing…" : ""}`;
    const known = new Set([...$("language").options].map((option) => option.value));
    $("language").append(...status.languages.filter((name) => !known.has(name)).map((name) => new Option(name, name)));
    if (revision >= 0 && status.revision !== revision && shown() === "search" && $("query").value.trim()) search();
    revision = status.revision;
    setTimeout(follow, status.indexing ? INDEXING : QUIET);
  } catch (error) {
    $("status").textContent = error.message;
  }
}
follow();
