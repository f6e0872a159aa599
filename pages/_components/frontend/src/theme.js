/* What both components need to know of Streamlit's theme. */

/** Tell whether the page's background is dark, by its relative luminance. */
export function isDark(root) {
  const style = getComputedStyle(root.host ?? root)
  const hex = style.getPropertyValue("--st-background-color").trim().match(/^#([0-9a-f]{6})/i)
  const rgb = hex
    ? hex[1].match(/../g).map((pair) => parseInt(pair, 16))
    : (style.getPropertyValue("--st-background-color").match(/[\d.]+/g) ?? [255, 255, 255]).map(Number)
  return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128
}

const sheets = new Map()

/** Add `css` to a shadow root (or the document) once; one parsed sheet serves all instances. */
export function adopt(root, css) {
  if (!sheets.has(css)) {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(css)
    sheets.set(css, sheet)
  }
  const sheet = sheets.get(css)
  const scope = root.adoptedStyleSheets ? root : document
  if (!scope.adoptedStyleSheets.includes(sheet)) scope.adoptedStyleSheets = [...scope.adoptedStyleSheets, sheet]
}
