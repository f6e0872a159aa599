/* A cell's value as text: for the screen, for the whole-value view, for the clipboard. */

const SHOWN = 300
const NESTED = /\[\]|\[\d+\]$|^(STRUCT|MAP|LIST|UNION|JSON|VARIANT|ARRAY)\b/i

/** Return the text of a value; nested values are JSON, NULL is empty. */
export function textOf(value) {
  if (value === null || value === undefined) return ""
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

/** Return the whole value for reading: JSON in nested columns is laid out over lines. */
export function wholeText(value, type) {
  if (value === null || value === undefined) return "NULL"
  let known = value
  if (typeof value === "string" && NESTED.test(type)) {
    try { known = JSON.parse(value) } catch { return value }
  }
  return typeof known === "object" ? JSON.stringify(known, null, 2) : String(known)
}

/** Make the node of a cell; text only, so that no value is ever read as HTML. */
export function cellNode(value) {
  const node = document.createElement("span")
  if (value === null || value === undefined) {
    node.className = "mp-null"
    node.textContent = "NULL"
  } else if (value === "") {
    node.className = "mp-null"
    node.title = "empty text"
  } else {
    const text = textOf(value)
    node.textContent = (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text).replace(/[\r\n]+/g, " ⏎ ")
  }
  return node
}

const quoted = (text) => /[\t\r\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

/** Return rows as tab-separated text, below a line of names where `names` is given. */
export function toTsv(names, rows) {
  const lines = rows.map((row) => row.map((value) => quoted(textOf(value))).join("\t"))
  return [...(names ? [names.map(quoted).join("\t")] : []), ...lines].join("\n")
}

/** Put text on the clipboard; where the page may not (plain http), by way of a hidden text area. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text })
    area.style.cssText = "position:fixed;opacity:0"
    document.body.append(area)
    area.select()
    const done = document.execCommand("copy")
    area.remove()
    if (!done) throw new Error("The browser does not allow copying here.")
  }
}
