/* The line above the grid: how many rows, quick search, clear, copy, download. */

import { el, icon, showBeside } from "./dom.js"

const SEARCH_DELAY = 300
const LABELS = { csv: "CSV", tsv: "TSV", json: "JSON lines", ndjson: "JSON lines", parquet: "Parquet",
  xlsx: "Excel", excel: "Excel", arrow: "Arrow IPC" }
const count = new Intl.NumberFormat("en-US")
const rowsWord = (n) => n === 1 ? "row" : "rows"

/** Say in words what is known of the number of rows. */
export function countLabel(rows) {
  const still = rows.arriving ? ", still arriving" : ""
  if (rows.filtered) {
    const some = rows.matching === null ? `${count.format(rows.seen)}+` : count.format(rows.matching)
    return `${some} of ${rows.total === null ? "many" : count.format(rows.total)} rows match${still}`
  }
  if (rows.total === null) return `${count.format(rows.seen)}+ rows${still}`
  return `${count.format(rows.total)} ${rowsWord(rows.total)}${still}`
}

export class Toolbar {
  constructor({ formats, downloadUrl, onSearch, onClear, onCopy }) {
    this.label = el("span", { className: "mp-count", role: "status" })
    this.note = el("span", { className: "mp-note", role: "status" })
    this.search = el("input", { type: "search", placeholder: "Search", "aria-label": "Search all columns",
      oninput: () => { clearTimeout(this.timer); this.timer = setTimeout(() => onSearch(this.search.value), SEARCH_DELAY) },
      onkeydown: (event) => { if (event.key === "Enter") { clearTimeout(this.timer); onSearch(this.search.value) } } })
    this.clear = el("button", { type: "button", className: "mp-button", "aria-label": "Clear filters", hidden: true, onclick: onClear },
      icon("close"), el("span", {}, "Clear filters"))
    this.copy = el("button", { type: "button", className: "mp-button", "aria-label": "Copy", title: "Copy the selection, or the rows loaded here",
      onclick: onCopy }, icon("copy"), el("span", {}, "Copy"))
    this.menu = el("div", { className: "mp-menu", popover: "auto", role: "group", "aria-label": "Download as",
      onkeydown: (event) => this.walk(event), onclick: () => this.menu.hidePopover() })
    this.download = el("button", { type: "button", className: "mp-button", "aria-label": "Download", "aria-expanded": "false",
      onclick: () => this.open(formats, downloadUrl) }, icon("download"), el("span", {}, "Download"))
    this.menu.addEventListener("toggle", (event) =>
      this.download.setAttribute("aria-expanded", String(event.newState === "open")))
    this.node = el("div", { className: "mp-toolbar", role: "toolbar", "aria-label": "Result" },
      this.label, this.note, el("label", { className: "mp-search" }, icon("search"), this.search),
      this.clear, this.copy, formats.length ? this.download : null, this.menu)
  }

  open(formats, downloadUrl) {
    if (this.menu.matches(":popover-open")) { this.menu.hidePopover(); return }
    this.menu.replaceChildren(...formats.map((format) =>
      el("a", { href: downloadUrl(format), download: "" }, LABELS[format] ?? format.toUpperCase())))
    showBeside(this.menu, this.download)
    this.menu.firstElementChild?.focus()
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const links = [...this.menu.children]
    const at = links.indexOf(event.target)
    links.at((at + step) % links.length)?.focus()
  }

  show(rows) {
    this.label.textContent = countLabel(rows)
    this.clear.hidden = !rows.filtered
  }

  say(text) {
    this.note.textContent = text
    clearTimeout(this.noteTimer)
    this.noteTimer = setTimeout(() => { this.note.textContent = "" }, 4000)
  }
}
