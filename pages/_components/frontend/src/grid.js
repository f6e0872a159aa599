/* The result grid: SlickGrid draws the rows on screen, `Rows` fetches them, this puts them together.
   SlickGrid was written for a mouse: roles, focus and keys are put right here. */

import { SlickGrid } from "slickgrid"
import slickCss from "slickgrid/dist/styles/css/slick.grid.css"
import css from "./grid.css"
import { el } from "./grid/dom.js"
import { drawHeader, fittingWidths, headerKey, markHeaders, nextSort } from "./grid/headers.js"
import { filterPopover, valuePopover } from "./grid/popovers.js"
import { Rows } from "./grid/rows.js"
import { Selection } from "./grid/selection.js"
import { Toolbar } from "./grid/toolbar.js"
import { cellNode, copy, textOf, toTsv } from "./grid/values.js"
import { adopt, isDark } from "./theme.js"

const ROW_HEIGHT = 27
const COPIED_MOST = 10_000
const instances = new WeakMap()

class ResultGrid {
  constructor(component, root, appRoot) {
    this.root = root
    this.data = component.data
    this.appRoot = appRoot
    this.columns = this.data.columns
    this.rows = new Rows(this.address(this.data.url), this.data, (news) => this.heard(news))
    this.host = root.querySelector(".mp-host")
    this.build()
    this.observer = new ResizeObserver(() => this.grid.resizeCanvas())
    this.observer.observe(this.box)
    this.refresh()
  }

  address(url) { return new URL(url.replace(/^\/+/, ""), this.appRoot).href }

  build() {
    this.toolbar = new Toolbar({
      formats: this.data.formats,
      downloadUrl: (format) => `${this.address(this.data.export_url)}?${this.rows.query({ format })}`,
      onSearch: (text) => this.setFilter(null, text ? { op: "contains", value: text } : null),
      onClear: () => { this.toolbar.search.value = ""; this.change({ filter: [] }) },
      onCopy: () => this.copy(),
    })
    this.problem = el("div", { className: "mp-problem", role: "alert", hidden: true })
    this.box = el("div", { className: "mp-grid", "aria-label": "Result", "aria-colcount": this.columns.length })
    this.empty = el("div", { className: "mp-empty", hidden: true })
    this.layer = el("div", { className: "mp-layer" })
    this.frame = el("div", { className: "mp-frame" }, this.toolbar.node, this.problem,
      el("div", { className: "mp-body" }, this.box, this.empty), this.layer)
    this.host.replaceChildren(this.frame)
    this.makeGrid()
    this.putRolesRight()
    this.listen()
  }

  makeGrid() {
    const style = getComputedStyle(this.box)
    const texts = this.data.rows.map((row) => row.map((value) => value === null ? "NULL" : textOf(value)))
    const widths = fittingWidths(this.columns, texts, `${style.fontSize} ${style.fontFamily}`)
    const columns = this.columns.map(({ name, align }, index) => ({
      id: String(index), name: "", field: index, width: widths[index], minWidth: 40, resizable: true, sortable: false,
      toolTip: name, cssClass: align === "right" ? "mp-right" : "", cellAttrs: { "aria-colindex": index + 1 },
      formatter: (row, cell, value, column, item) => cellNode(item[index]),
    }))
    this.grid = new SlickGrid(this.box, {
      getLength: () => this.rows.length,
      getItem: (index) => this.rows.row(index),
    }, columns, {
      explicitInitialization: true, rowHeight: ROW_HEIGHT, enableColumnReorder: false, enableCellNavigation: true,
      enableTextSelectionOnCells: false, shadowRoot: this.root instanceof ShadowRoot ? this.root : undefined,
      suppressCssChangesOnHiddenInit: true, enableMouseWheelScrollHandler: false, emulatePagingWhenScrolling: false,
      // Chromium places nothing below 2^24 px: beyond, SlickGrid maps the scroll bar onto the rows.
      maxSupportedCssHeight: 16_000_000,
    })
    this.grid.onHeaderCellRendered.subscribe((event, { node, column }) =>
      drawHeader(node, { ...this.columns[column.field], index: column.field }, (index) => this.openFilter(index)))
    this.grid.setFocus = () => this.focusCell()
    this.grid.init()
    this.selection = new Selection(this.grid, () => {})
  }

  headers() { return [...this.box.querySelectorAll(".slick-header-column")] }

  putRolesRight() {
    for (const node of this.box.querySelectorAll("[tabindex='0']:not(.slick-header-column)")) node.removeAttribute("tabindex")
    for (const node of this.box.querySelectorAll(".slick-header-right, .slick-pane-right, .slick-pane-bottom")) {
      node.setAttribute("aria-hidden", "true")
    }
    this.box.querySelector(".slick-header-columns-right").removeAttribute("role")
    const head = this.box.querySelector(".slick-header-left")
    head.setAttribute("role", "rowgroup")
    head.firstElementChild.setAttribute("aria-rowindex", "1")
    this.viewport = this.box.querySelector(".slick-viewport-top.slick-viewport-left")
    this.viewport.setAttribute("role", "rowgroup")
    this.canvas = this.grid.getCanvasNode()
  }

  listen() {
    const { grid } = this
    grid.onRendered.subscribe(() => this.rendered())
    grid.onViewportChanged.subscribe(() => this.want())
    grid.onActiveCellChanged.subscribe(() => this.moved())
    grid.onDblClick.subscribe((event, { row, cell }) => this.openValue(row, cell))
    grid.onHeaderClick.subscribe((event, { column }) => {
      if (!event.target.closest(".slick-resizable-handle")) this.sortBy(column.field, event.shiftKey)
    })
    this.box.addEventListener("keydown", (event) => this.key(event), true)
    this.box.addEventListener("mouseover", ({ target }) => {
      const node = target.closest?.(".slick-cell")
      if (node && node.scrollWidth > node.clientWidth) node.title = node.textContent.slice(0, 1000)
    })
    this.box.addEventListener("focusin", ({ target }) => {
      this.inside = true
      if (target === this.viewport && grid.getDataLength()) this.enterBody(grid.getActiveCell()?.cell ?? 0)
    })
    this.box.addEventListener("focusout", (event) => { if (event.relatedTarget) this.inside = this.box.contains(event.relatedTarget) })
    this.selection.listen(this.canvas)
  }

  want() {
    const { top, bottom } = this.grid.getRenderedRange()
    this.rows.want(top, Math.min(bottom, this.rows.length - 1))
  }

  /* SlickGrid knows neither row numbers nor a tab stop: both are given to what it has just drawn. */
  rendered() {
    for (const node of this.canvas.children) {
      if (!node.hasAttribute("aria-rowindex")) node.setAttribute("aria-rowindex", Number(node.dataset.row) + 2)
    }
    if (this.selection.several) this.selection.draw()
    const active = this.grid.getActiveCellNode()
    if (active?.isConnected) active.tabIndex = 0
    const stop = active?.isConnected ? null : "0"
    if (stop) this.viewport.setAttribute("tabindex", stop)
    else this.viewport.removeAttribute("tabindex")
    // The focused cell was drawn anew, or scrolled out of existence: keep the keyboard in the grid.
    const focused = this.root.activeElement ?? null
    if (this.inside && this.inBody && !focused) (active?.isConnected ? active : this.box).focus({ preventScroll: true })
  }

  moved() {
    for (const node of this.canvas.querySelectorAll(".slick-cell[tabindex='0']")) node.tabIndex = -1
    const at = this.grid.getActiveCell()
    const node = this.grid.getActiveCellNode()
    if (!at || !node) return
    node.tabIndex = 0
    this.viewport.removeAttribute("tabindex")
    if (!this.pressed) this.selection.set({ row: at.row, cell: at.cell })
    this.focusCell()
  }

  focusCell() {
    this.inBody = true
    this.grid.getActiveCellNode()?.focus({ preventScroll: true })
  }

  enterBody(cell) {
    if (!this.grid.getDataLength()) return
    const active = this.grid.getActiveCell()
    this.grid.setActiveCell(active?.row ?? this.grid.getViewport().top, cell)
    this.focusCell()
  }

  key(event) {
    const header = event.target.closest(".slick-header-column")
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation() }
    if (header) {
      this.inBody = false
      if (event.target === header && headerKey(event, this.headers().indexOf(header), this.headerActions())) stop()
      return
    }
    if (event.key === "Tab") { event.stopImmediatePropagation(); return }
    const at = this.grid.getActiveCell()
    if (this.bodyKey(event, at)) stop()
  }

  headerActions() {
    return {
      nodes: () => this.headers(), sortBy: (index, adding) => this.sortBy(index, adding),
      openFilter: (index) => this.openFilter(index), enterBody: (cell) => this.enterBody(cell),
      resize: (index, by) => {
        const columns = this.grid.getColumns()
        columns[index].width = Math.max(40, columns[index].width + by)
        this.grid.setColumns(columns)
        this.show()
        this.headers()[index].focus()
      },
    }
  }

  bodyKey(event, at) {
    const { key, shiftKey } = event
    const command = event.ctrlKey || event.metaKey
    const arrow = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key]
    if (command && key === "c") this.copy()
    else if (command && key === "a") {
      this.selection.set({ row: 0, cell: 0 }, { row: this.rows.length - 1, cell: this.columns.length - 1 })
    } else if (!at) return false
    else if (key === "Enter") this.openValue(at.row, at.cell)
    else if (shiftKey && arrow) {
      const head = this.selection.head ?? at
      this.selection.extendTo({ row: head.row + arrow[0], cell: head.cell + arrow[1] })
      this.grid.scrollCellIntoView(this.selection.head.row, this.selection.head.cell)
    } else if (key === "ArrowUp" && at.row === 0 && !command) this.headers()[at.cell].focus()
    else return false
    return true
  }

  sortBy(index, adding) { this.change({ sort: nextSort(this.rows.sort, index, adding) }) }

  setFilter(column, condition) {
    const others = this.rows.filter.filter((one) => one.column !== column)
    this.change({ filter: condition ? [...others, { column, ...condition }] : others })
  }

  change(wanted) {
    this.frame.classList.add("mp-waiting")
    this.frame.setAttribute("aria-busy", "true")
    this.problem.hidden = true
    const done = this.rows.change(wanted)
    this.show()
    return done
  }

  openFilter(index) {
    const node = this.headers()[index]
    const { name, align } = this.columns[index]
    filterPopover(this.layer, node, { name, align, filter: this.rows.filter.find(({ column }) => column === index),
      decide: (condition) => this.setFilter(index, condition), closed: () => this.headers()[index]?.focus() })
  }

  openValue(row, cell) {
    const item = this.rows.row(row)
    if (!item) return
    const anchor = this.grid.getCellNode(row, cell)
    valuePopover(this.layer, anchor, { column: this.columns[cell], value: item[cell], closed: () => this.focusCell() })
  }

  /** Copy the selection with its names; one cell alone; or, with nothing selected, what is loaded. */
  async copy() {
    const range = this.selection.range
    const [from, to] = range ? [range.top, range.bottom + 1] : this.rows.loaded()
    const [left, right] = range ? [range.left, range.right] : [0, this.columns.length - 1]
    try {
      const end = Math.min(to, from + COPIED_MOST)
      this.toolbar.say("Copying")
      const rows = (await this.rows.slice(from, end)).map((row) => row.slice(left, right + 1))
      const single = range && !this.selection.several
      await copy(single ? textOf(rows[0]?.[0]) : toTsv(this.columns.slice(left, right + 1).map(({ name }) => name), rows))
      const said = single ? "1 cell copied" : `${rows.length.toLocaleString("en-US")} rows copied`
      this.toolbar.say(end < to ? `First ${said}; use Download for all` : said)
    } catch (error) {
      this.toolbar.say(error.message)
    }
  }

  heard({ from, to, changed, error }) {
    this.problem.hidden = !error
    if (error) this.problem.textContent = [error.title, error.message].filter(Boolean).join(": ")
    if (changed) {
      this.frame.classList.remove("mp-waiting")
      this.frame.removeAttribute("aria-busy")
      this.selection.set(null)
      this.grid.resetActiveCell()
      this.grid.invalidateAllRows()
      this.grid.scrollRowToTop(0)
    } else if (from !== undefined) {
      const rows = []
      for (const node of this.canvas.children) {
        const row = Number(node.dataset.row)
        if (row >= from && row < to) rows.push(row)
      }
      this.grid.invalidateRows(rows)
    }
    this.refresh()
  }

  refresh() {
    this.grid.updateRowCount()
    this.grid.render()
    this.show()
    this.want()
  }

  show() {
    this.toolbar.show(this.rows)
    this.box.setAttribute("aria-rowcount", this.rows.total === null ? -1 : this.rows.length + 1)
    markHeaders(this.headers(), this.rows.sort, this.rows.filter)
    this.empty.hidden = this.rows.length > 0
    this.empty.textContent = this.rows.filtered ? "No rows match" : this.rows.arriving ? "No rows yet" : "No rows"
  }

  /** Take over a rerun of the same result: how many rows there are now. */
  adjust(data) {
    this.frame.style.height = `${data.height}px`
    this.frame.classList.toggle("mp-dark", isDark(this.root))
    if (this.data === data) return
    this.data = data
    if (this.rows.arriving && (data.complete || data.total !== this.rows.total)) this.rows.update(data)
    this.refresh()
  }

  destroy() {
    this.rows.close()
    this.observer.disconnect()
    this.grid.destroy(true)
  }
}

/** Show a result, or adjust the grid that shows it; return what takes it away. */
export default function mount(component, appRoot) {
  const root = component.parentElement
  adopt(root, slickCss)
  adopt(root, css)
  let shown = instances.get(root)
  if (shown && shown.data.result !== component.data.result) {
    shown.destroy()
    shown = undefined
  }
  if (!shown) instances.set(root, shown = new ResultGrid(component, root, appRoot))
  shown.adjust(component.data)
  return () => {
    instances.get(root)?.destroy()
    instances.delete(root)
  }
}
