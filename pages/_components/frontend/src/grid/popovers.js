/* What opens over the grid: the filter of one column, and one cell's whole value. */

import { el, icon, showBeside } from "./dom.js"
import { copy, textOf, wholeText } from "./values.js"

const OPERATORS = ["contains", "=", "!=", "<", "<=", ">", ">=", "is null", "is not null"]
const needsValue = (operator) => !operator.endsWith("null")

/** Ask for a column's filter; `decide` gets `{op, value}`, or null to remove it. */
export function filterPopover(layer, anchor, { name, align, filter, decide, closed }) {
  const operator = el("select", { "aria-label": "Condition" },
    ...OPERATORS.map((op) => el("option", { value: op, selected: op === (filter?.op ?? (align === "right" ? "=" : "contains")) }, op)))
  const value = el("input", { type: "text", value: filter?.value ?? "", "aria-label": `Value for ${name}`, placeholder: "Value" })
  const showValue = () => { value.hidden = !needsValue(operator.value) }
  operator.addEventListener("change", showValue)
  showValue()
  const form = el("form", { className: "mp-form", onsubmit: (event) => {
      event.preventDefault()
      const op = operator.value
      decide(needsValue(op) ? (value.value === "" ? null : { op, value: value.value }) : { op, value: null })
      box.hidePopover()
    } },
    el("strong", {}, name), operator, value,
    el("div", { className: "mp-actions" },
      filter ? el("button", { type: "button", className: "mp-button", onclick: () => { decide(null); box.hidePopover() } }, "Remove") : null,
      el("button", { type: "submit", className: "mp-button mp-primary" }, "Apply")))
  const box = el("div", { className: "mp-filter", popover: "auto", role: "dialog", "aria-label": `Filter ${name}` }, form)
  open(layer, box, anchor, closed)
  ;(needsValue(operator.value) ? value : operator).focus()
}

/** Show one value whole, to read and to copy. */
export function valuePopover(layer, anchor, { column, value, closed }) {
  const text = wholeText(value, column.type)
  const copied = el("span", { role: "status" })
  const box = el("div", { className: "mp-value", popover: "auto", role: "dialog", "aria-label": `Value of ${column.name}` },
    el("header", {}, el("strong", {}, column.name), el("span", { className: "mp-type" }, column.type), copied,
      el("button", { type: "button", className: "mp-button", "aria-label": "Copy the value", onclick: () => copy(textOf(value))
        .then(() => { copied.textContent = "Copied" }, (error) => { copied.textContent = error.message }) },
        icon("copy"), el("span", {}, "Copy")),
      el("button", { type: "button", className: "mp-button", "aria-label": "Close", onclick: () => box.hidePopover() }, icon("close"))),
    el("pre", { tabIndex: 0, className: value === null || value === undefined ? "mp-null" : "" }, text))
  open(layer, box, anchor, closed)
  box.querySelector("pre").focus()
}

function open(layer, popover, anchor, closed) {
  layer.replaceChildren(popover)
  showBeside(popover, anchor)
  popover.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return
    popover.remove()
    closed()
  })
}
