// From a key to results on the screen, measured in the page: from the input event to the frame that shows them.
const QUERIES = [
  "where are ignore rules applied", "parse a query", "merge ranked lists", "read a file without following links",
  "split camel case words", "cut a file into chunks", "progress of indexing", "write the lock file", "cancel a request",
  "columns in utf-16", "settings from the environment", "colour of a result", "syntax tree of a function", "skip binary files",
  "detect the language", "full text search", "salient lines", "open documents", "start the server", "list workspace folders",
  "count files by language", "a plain sentence for an error", "token of the connection", "watch for changes",
  "explain the score", "exit code", "print json", "near duplicates", "freshness of the index", "size of the cache",
]; // prettier-ignore

/** A whole question at once into the empty box, to results; the box is open. */
export async function wholeQuestions(editor) {
  const { page } = editor;
  await page.evaluate(install);
  const times = [];
  for (const query of QUERIES) {
    await clear(page);
    await page.evaluate(() => globalThis.c2llmTimer.start("results"));
    await page.keyboard.insertText(query);
    times.push(await page.evaluate(() => globalThis.c2llmTimer.done));
  }
  return times;
}

/** Each key of some questions, to results that are others than before. */
export async function eachKey(editor) {
  const { page } = editor;
  await page.evaluate(install);
  const times = [];
  for (const query of QUERIES.slice(0, 2)) {
    await clear(page);
    for (const [n, key] of [...query].entries()) {
      await page.evaluate((first) => globalThis.c2llmTimer.start(first ? "results" : "changed"), n === 0);
      await page.keyboard.press(key === " " ? "Space" : key);
      const took = await page.evaluate(() => globalThis.c2llmTimer.done);
      if (took !== null) {
        times.push(took);
      }
      await page.waitForTimeout(120); // as fast as people type
    }
  }
  return times;
}

export function percentile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function clear(page) {
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.waitForTimeout(250);
}

/** In the page. A key after which the same results stand there is not counted: there is nothing to see of it. */
function install() {
  const box = document.querySelector(".quick-input-widget");
  const results = () =>
    [...box.querySelectorAll(".monaco-list-row")].map((row) => row.textContent).filter((text) => /:\d+/.test(text)).join("\n");
  globalThis.c2llmTimer = {
    start(kind) {
      const before = results();
      this.done = new Promise((resolve) => {
        let began = Number.NaN;
        box.addEventListener("input", () => (began = performance.now()), { once: true, capture: true });
        const look = () => {
          const now = results();
          if (Number.isNaN(began) || now === "" || (kind === "changed" && now === before)) {
            return;
          }
          stop();
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
        };
        const observer = new MutationObserver(look);
        observer.observe(box, { subtree: true, childList: true, attributes: true, characterData: true });
        const timer = setTimeout(() => {
          stop();
          resolve(kind === "changed" ? null : Number.POSITIVE_INFINITY);
        }, 2_000);
        const stop = () => {
          observer.disconnect();
          clearTimeout(timer);
        };
      });
    },
  };
}
