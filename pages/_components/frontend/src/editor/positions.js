/* Python counts code points, CodeMirror UTF-16 code units; they part at the first emoji. */

const PAIRED = /[\uD800-\uDBFF][\uDC00-\uDFFF]/

/** Return the code unit offset of the `points`-th code point of `text`. */
export function toUnits(text, points) {
  if (!PAIRED.test(text)) return Math.min(points, text.length)
  let units = 0
  for (let seen = 0; seen < points && units < text.length; seen++) units += text.codePointAt(units) > 0xffff ? 2 : 1
  return units
}

/** Return how many code points lie before code unit `units` of `text`. */
export function toPoints(text, units) {
  return PAIRED.test(text) ? [...text.slice(0, units)].length : units
}
