// The map of the repository on a canvas: files as points, the names of clusters over them; moved, zoomed, searched.

const MARGIN = 40; // pixels around the map
const GOLDEN = 137.508; // degrees between the hues of two clusters: neighbors in number differ most

export class RepositoryMap {
  /** `open` is called with the path of a file that is clicked. */
  constructor(canvas, tip, open) {
    Object.assign(this, { canvas, tip, open, map: { files: [], clusters: [] }, hovered: null, found: "", only: null });
    this.view = { x: 0, y: 0, scale: 1 };
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("wheel", (event) => this.#zoom(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#grab(event));
    canvas.addEventListener("pointermove", (event) => this.#hover(event));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  show(map) {
    this.map = map;
    this.canvas.setAttribute("aria-label", `Map of ${map.files.length} files in ${map.clusters.length} clusters`);
    this.draw();
  }

  color(cluster) {
    return `hsl(${(cluster * GOLDEN) % 360} 65% ${this.dark.matches ? 62 : 42}%)`;
  }

  /** Show one cluster alone; again: all. */
  focus(cluster) {
    this.only = this.only === cluster ? null : cluster;
    this.draw();
  }

  /** Show the files whose path has this text. */
  find(text) {
    this.found = text.trim().toLowerCase();
    this.draw();
  }

  /** Where a file is on the canvas, in CSS pixels. */
  place(file) {
    const size = Math.min(this.width, this.height) - 2 * MARGIN;
    return {
      x: ((file.x - 0.5) * size + this.view.x) * this.view.scale + this.width / 2,
      y: ((file.y - 0.5) * size + this.view.y) * this.view.scale + this.height / 2,
    };
  }

  draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    if (!this.width || !this.height) return;
    canvas.width = this.width * ratio;
    canvas.height = this.height * ratio;
    const paint = canvas.getContext("2d");
    paint.scale(ratio, ratio);
    for (const file of this.map.files) {
      const { x, y } = this.place(file);
      const shown = (this.only === null || this.only === file.cluster) && file.path.toLowerCase().includes(this.found);
      paint.globalAlpha = shown ? 0.85 : 0.1;
      paint.fillStyle = this.color(file.cluster);
      paint.beginPath();
      paint.arc(x, y, this.#radius(file), 0, 2 * Math.PI);
      paint.fill();
    }
    paint.globalAlpha = 1;
    this.#names(paint);
  }

  #radius(file) {
    return 2.5 + Math.min(Math.sqrt(file.chunks), 9);
  }

  /** The names of the clusters, the largest first, where they have room. */
  #names(paint) {
    const style = getComputedStyle(this.canvas);
    const taken = [];
    paint.font = `600 13px ${style.fontFamily}`;
    paint.textAlign = "center";
    paint.lineWidth = 4;
    paint.strokeStyle = getComputedStyle(document.body).backgroundColor;
    paint.fillStyle = style.color;
    for (const cluster of this.map.clusters) {
      const { x, y } = this.place(cluster);
      const name = cluster.terms.join(", ");
      const half = paint.measureText(name).width / 2;
      const box = [x - half, y - 9, x + half, y + 9];
      if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
      taken.push(box);
      paint.strokeText(name, x, y + 4);
      paint.fillText(name, x, y + 4);
    }
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    let least = 14; // pixels
    for (const file of this.map.files) {
      const place = this.place(file);
      const distance = Math.hypot(place.x - x, place.y - y);
      if (distance < least) [best, least] = [file, distance];
    }
    return best;
  }

  #hover(event) {
    if (!event.buttons) this.#point(this.#at(event));
  }

  #point(file) {
    this.hovered = file;
    this.tip.hidden = !file;
    this.canvas.style.cursor = file ? "pointer" : "grab";
    if (!file) return;
    const { x, y } = this.place(file);
    const terms = this.map.clusters[file.cluster]?.terms.join(", ") ?? "";
    this.tip.textContent = terms ? `${file.label} · ${terms}` : file.label;
    this.tip.style.left = `${Math.min(x + 12, this.width * 0.6)}px`;
    this.tip.style.top = `${y + 12}px`;
  }

  #grab(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const start = { x: event.clientX, y: event.clientY, ...{ vx: this.view.x, vy: this.view.y } };
    const move = (moved) => {
      this.view.x = start.vx + (moved.clientX - start.x) / this.view.scale;
      this.view.y = start.vy + (moved.clientY - start.y) / this.view.scale;
      this.draw();
    };
    const stop = (end) => {
      this.canvas.removeEventListener("pointermove", move);
      const still = Math.hypot(end.clientX - start.x, end.clientY - start.y) < 4;
      const file = still ? this.#at(end) : null;
      if (file) this.open(file.path);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", stop, { once: true });
  }

  #zoom(event) {
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    this.#scale(Math.exp(-event.deltaY / 400), event.clientX - box.left - this.width / 2, event.clientY - box.top - this.height / 2);
  }

  /** Zoom such that a point stays where it is. */
  #scale(factor, x = 0, y = 0) {
    const before = this.view.scale;
    this.view.scale = Math.min(Math.max(before * factor, 0.5), 40);
    this.view.x += x / this.view.scale - x / before;
    this.view.y += y / this.view.scale - y / before;
    this.draw();
  }

  #key(event) {
    const step = 40 / this.view.scale;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "+" || event.key === "-") this.#scale(event.key === "+" ? 1.3 : 1 / 1.3);
    else if (moves[event.key]) {
      this.view.x += moves[event.key][0];
      this.view.y += moves[event.key][1];
      this.draw();
    } else return;
    event.preventDefault();
  }
}
