/* Elements in one line each, and the few icons. */

/** Make an element: properties, `aria-...`/`data-...`/`role` as attributes, `on...` as listeners. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value)
    else if (/^(aria-|data-|role$|popover$)/.test(name)) node.setAttribute(name, value)
    else node[name] = value
  }
  node.append(...children.filter((child) => child !== null && child !== undefined))
  return node
}

const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14",
  copy: "M5.5 5.5h8v8h-8zM10.500 5.5v-3h-8v8h3",
  download: "M8 2v8M4.700 7 8 10.300 11.300 7M2.500 13.500h11",
  filter: "M2 3.500h12L9.500 8.700V13l-3-1.500V8.700Z",
  close: "m4 4 8 8m0-8-8 8",
}

/** Draw one of the icons, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 16 16")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", PATHS[name])
  svg.append(path)
  return svg
}

/** Show a popover beside an anchor, inside the window. */
export function showBeside(popover, anchor) {
  popover.showPopover()
  const { left, right, bottom, top } = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = popover
  const x = Math.max(8, Math.min(left, innerWidth - width - 8))
  const below = bottom + 4 + height <= innerHeight || top < height
  popover.style.left = `${right - left < 60 && right > innerWidth / 2 ? Math.max(8, Math.min(x, right - width)) : x}px`
  popover.style.top = `${below ? Math.min(bottom + 4, Math.max(8, innerHeight - height - 8)) : top - height - 4}px`
}
