// What was looked at is kept while the page is drawn again around it.
const seen = new Map();
const SMALLEST = 0.05, LARGEST = 4, STEP = 1.25;

export default function ({data, parentElement, setTriggerValue}) {
  const view = parentElement.querySelector(".view");
  // Python wrote and escaped it, with nothing in it that runs.
  view.innerHTML = data.svg;
  const svg = view.querySelector("svg");
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("preserveAspectRatio", "xMinYMin meet");

  let at = seen.get(data.id);
  const apply = () => {
    const box = view.getBoundingClientRect();
    if (!box.width) return;
    svg.setAttribute("viewBox", [at.x, at.y, box.width / at.zoom, box.height / at.zoom].join(" "));
    seen.set(data.id, at);
  };
  const fit = () => {
    let box = view.getBoundingClientRect();
    if (!box.width) return;
    // As high as it needs at this width, and never more than most of the window.
    const high = Math.min(height * 1.1, (height * box.width) / width) + 8;
    view.style.height = `clamp(240px, ${Math.round(high)}px, 68vh)`;
    box = view.getBoundingClientRect();
    const zoom = Math.min(1.1, box.width / width, box.height / height);
    at = {high: view.style.height, zoom, x: (width - box.width / zoom) / 2, y: (height - box.height / zoom) / 2};
    apply();
  };
  // What lies under the pointer, or in the middle, stays where it is.
  const zoom = (factor, left, top) => {
    const box = view.getBoundingClientRect();
    const [x, y] = [left ?? box.width / 2, top ?? box.height / 2];
    const next = Math.min(LARGEST, Math.max(SMALLEST, at.zoom * factor));
    at = {...at, zoom: next, x: at.x + x / at.zoom - x / next, y: at.y + y / at.zoom - y / next};
    apply();
  };
  const move = (x, y) => { at = {...at, x: at.x - x / at.zoom, y: at.y - y / at.zoom}; apply(); };
  const open = (table) => setTriggerValue("open", {table: table.dataset.table, n: Date.now()});

  for (const table of svg.querySelectorAll(".table")) {
    table.setAttribute("tabindex", "0");
    table.setAttribute("role", "link");
    table.setAttribute("aria-label", "Open " + table.dataset.table);
  }

  const held = new Map();
  let moved = 0;
  const apart = () => {
    const [one, other] = [...held.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  view.onpointerdown = (event) => {
    if (event.button) return;
    if (!held.size) moved = 0;
    held.set(event.pointerId, {x: event.clientX, y: event.clientY});
    view.classList.add("held");
  };
  view.onpointermove = (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const before = held.size === 2 ? apart() : 0;
    const [x, y] = [event.clientX - last.x, event.clientY - last.y];
    held.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved += Math.abs(x) + Math.abs(y);
    if (moved > 4) view.setPointerCapture(event.pointerId);
    const box = view.getBoundingClientRect();
    if (before) zoom(apart() / before, event.clientX - box.left, event.clientY - box.top);
    else if (held.size === 1) move(x, y);
  };
  view.onpointerup = view.onpointercancel = (event) => {
    const table = event.target.closest?.("[data-table]");
    if (held.delete(event.pointerId) && !held.size) {
      view.classList.remove("held");
      if (moved <= 4 && table && event.type === "pointerup") open(table);
    }
  };
  // A wheel alone scrolls the page, as everywhere; a pinch on a touchpad comes with ctrlKey.
  view.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = view.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  };
  const keys = {
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": fit,
    ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0),
    ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
  };
  view.onkeydown = (event) => {
    const table = event.target.closest?.("[data-table]");
    if (event.key === "Enter" && table) return open(table);
    if (event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };
  const [nearer, farther, whole] = parentElement.querySelectorAll(".bar button");
  nearer.onclick = () => zoom(STEP);
  farther.onclick = () => zoom(1 / STEP);
  whole.onclick = fit;

  if (at) view.style.height = at.high;
  const sized = new ResizeObserver(() => (at ? apply() : fit()));
  sized.observe(view);
  return () => sized.disconnect();
}
