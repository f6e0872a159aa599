/* A rectangle of cells, from an anchor to a head. Drawn on the rows that exist, whatever its size:
   all of ten million rows is four numbers. */

export class Selection {
  constructor(grid, changed) {
    this.grid = grid
    this.changed = changed
    this.anchor = this.head = null
  }

  get range() {
    if (!this.anchor) return null
    const [a, b] = [this.anchor, this.head]
    return { top: Math.min(a.row, b.row), bottom: Math.max(a.row, b.row),
      left: Math.min(a.cell, b.cell), right: Math.max(a.cell, b.cell) }
  }

  get several() {
    const range = this.range
    return Boolean(range) && (range.top !== range.bottom || range.left !== range.right)
  }

  has(row, cell) {
    const range = this.several && this.range
    return Boolean(range) && row >= range.top && row <= range.bottom && cell >= range.left && cell <= range.right
  }

  set(anchor, head = anchor) {
    this.anchor = anchor
    this.head = head
    this.draw()
  }

  extendTo(head) {
    if (!this.anchor) return
    const last = { row: this.grid.getDataLength() - 1, cell: this.grid.getColumns().length - 1 }
    this.head = { row: Math.max(0, Math.min(head.row, last.row)), cell: Math.max(0, Math.min(head.cell, last.cell)) }
    this.draw()
  }

  draw() {
    for (const rowNode of this.grid.getCanvasNode().children) {
      const row = Number(rowNode.dataset.row)
      for (const node of rowNode.children) {
        const on = this.has(row, Number(node.getAttribute("aria-colindex")) - 1)
        node.classList.toggle("selected", on)
        node.setAttribute("aria-selected", String(on))
      }
    }
    this.changed()
  }

  /** Follow the mouse: press and drag, or shift and press. */
  listen(canvas) {
    const cellOf = (event) => this.grid.getCellFromEvent(event)
    let dragging = false
    const move = (event) => {
      const cell = event.buttons & 1 ? cellOf(event) : null
      if (!(event.buttons & 1)) { dragging = false; canvas.removeEventListener("mousemove", move) }
      else if (dragging && cell && (cell.row !== this.head?.row || cell.cell !== this.head?.cell)) this.extendTo(cell)
    }
    canvas.addEventListener("mousedown", (event) => {
      const cell = event.button === 0 ? cellOf(event) : null
      if (!cell) return
      if (event.shiftKey && this.anchor) { event.preventDefault(); this.extendTo(cell); return }
      this.set(cell)
      dragging = true
      canvas.addEventListener("mousemove", move)
    })
  }
}
