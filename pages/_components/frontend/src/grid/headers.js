/* The header row: name, type, sort mark, filter button; sorting and widths by mouse and by keyboard. */

import { el, icon } from "./dom.js"

const NEXT = { undefined: "asc", asc: "desc", desc: undefined }
const STEP = 16
const SAMPLE = 60
const [NARROWEST, WIDEST] = [56, 360]

/** Return the sort after column `column` was chosen: asc, desc, none; `adding` keeps the others. */
export function nextSort(sort, column, adding) {
  const order = NEXT[sort.find((one) => one.column === column)?.order]
  const others = adding ? sort : sort.filter((one) => one.column === column)
  if (!others.some((one) => one.column === column)) return [...others, { column, order: "asc" }]
  return others.flatMap((one) => one.column !== column ? [one] : order ? [{ column, order }] : [])
}

/** Return widths that fit the names and the first rows, in pixels. */
export function fittingWidths(columns, texts, font) {
  const pen = document.createElement("canvas").getContext("2d")
  const measure = (text, weight) => { pen.font = `${weight} ${font}`; return pen.measureText(text).width }
  return columns.map(({ name, type }, i) => {
    const widest = texts.slice(0, SAMPLE).reduce((most, row) => Math.max(most, measure(row[i].slice(0, 60), 400)), 0)
    const head = Math.max(measure(name, 600) + 40, measure(type.toLowerCase(), 400) * 0.85 + 44)
    return Math.round(Math.max(NARROWEST, Math.min(WIDEST, Math.max(widest + 22, head))))
  })
}

/** Fill a header cell. */
export function drawHeader(node, { name, type, align, index }, openFilter) {
  node.replaceChildren(
    el("span", { className: "mp-head" },
      el("span", { className: "mp-line" }, el("span", { className: "mp-name" }, name), el("span", { className: "mp-sort", "aria-hidden": "true" })),
      el("span", { className: "mp-type" }, type.toLowerCase())),
    el("button", { type: "button", className: "mp-filter-button", tabIndex: -1, title: "Filter (Alt+Down)",
      "aria-label": `Filter ${name}`, onclick: (event) => { event.stopPropagation(); openFilter(index) } }, icon("filter")))
  node.title = `${name}\n${type}`
  node.setAttribute("aria-colindex", index + 1)
  node.classList.toggle("mp-right", align === "right")
  node.tabIndex = index === 0 ? 0 : -1
}

/** Show sort and filters on the header cells. */
export function markHeaders(nodes, sort, filter) {
  nodes.forEach((node, index) => {
    const at = sort.findIndex(({ column }) => column === index)
    const order = sort[at]?.order
    node.setAttribute("aria-sort", { asc: "ascending", desc: "descending" }[order] ?? "none")
    node.querySelector(".mp-sort").textContent =
      order ? ({ asc: "↑", desc: "↓" }[order] + (sort.length > 1 ? at + 1 : "")) : ""
    node.classList.toggle("mp-filtered", filter.some(({ column }) => column === index))
  })
}

/** Answer a key pressed on a header cell; true if it was one of ours. */
export function headerKey(event, index, { nodes, sortBy, openFilter, resize, enterBody }) {
  const go = (to) => {
    const node = nodes()[Math.max(0, Math.min(to, nodes().length - 1))]
    nodes().forEach((other) => { other.tabIndex = other === node ? 0 : -1 })
    node.focus()
    node.scrollIntoView({ block: "nearest", inline: "nearest" })
  }
  const { key, shiftKey, altKey } = event
  if (altKey && key === "ArrowDown") openFilter(index)
  else if (shiftKey && key === "ArrowRight") resize(index, STEP)
  else if (shiftKey && key === "ArrowLeft") resize(index, -STEP)
  else if (key === "ArrowRight") go(index + 1)
  else if (key === "ArrowLeft") go(index - 1)
  else if (key === "Home") go(0)
  else if (key === "End") go(nodes().length - 1)
  else if (key === "Enter" || key === " ") sortBy(index, shiftKey)
  else if (key === "ArrowDown") enterBody(index)
  else return false
  return true
}
