/* Where SQL's tokens and statements begin and end. Not a parser: it knows what may hide a semicolon
   (strings, dollar quotes, quoted names, comments that nest) and nothing of grammar. */

const SPACE = /\s+/y, LINE_COMMENT = /--[^\n]*/y, TAG = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
const PARAMETER = /\$[\p{L}\p{N}_]+/uy, WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy, NUMBER = /\d[\w.]*/y

const match = (rule, text, at) => {
  rule.lastIndex = at
  return rule.exec(text)?.[0].length ?? 0
}

function endOfBlockComment(text, at) {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text.startsWith("/*", i)) { depth++; i++ }
    else if (text.startsWith("*/", i) && --depth === 0) return i + 2
    else if (text.startsWith("*/", i)) i++
  }
  return text.length
}

/* A doubled quote inside reads as two neighbouring tokens: the same for finding semicolons, and
   no pattern that backtracks over a megabyte of string. */
function endOfQuoted(text, at, escapes) {
  const quote = text[at]
  for (let i = at + 1; i < text.length; i++) {
    if (escapes && text[i] === "\\") i++
    else if (text[i] === quote) return i + 1
  }
  return text.length
}

function next(text, at) {
  const char = text[at]
  let length
  if ((length = match(SPACE, text, at))) return ["space", at + length]
  if ((length = match(LINE_COMMENT, text, at))) return ["comment", at + length]
  if (text.startsWith("/*", at)) return ["comment", endOfBlockComment(text, at)]
  if (char === "'") return ["string", endOfQuoted(text, at, false)]
  if (/e/i.test(char) && text[at + 1] === "'") return ["string", endOfQuoted(text, at + 1, true)]
  if (char === '"') return ["quoted", endOfQuoted(text, at, false)]
  if (char === "$" && (length = match(TAG, text, at))) {
    const close = text.indexOf(text.slice(at, at + length), at + length)
    return ["string", close < 0 ? text.length : close + length]
  }
  if (char === "$" && (length = match(PARAMETER, text, at))) return ["parameter", at + length]
  if ((length = match(WORD, text, at))) return ["word", at + length]
  if ((length = match(NUMBER, text, at))) return ["number", at + length]
  return ["sign", at + 1]
}

/** Split `text` into tokens `{kind, from, to}` that cover it whole. */
export function tokens(text) {
  const found = []
  for (let at = 0; at < text.length;) {
    const [kind, to] = next(text, at)
    found.push({ kind, from: at, to })
    at = to
  }
  return found
}

/** Return the statements as `{from, to, start, end}`: the text without blanks and semicolon, and
    the whole stretch it owns. Comments alone are no statement. */
export function statements(text) {
  const found = []
  let current = { from: -1, to: 0, start: 0, end: 0, real: false }
  const close = (end) => {
    current.end = end
    if (current.real) found.push(current)
    current = { from: -1, to: end, start: end, end, real: false }
  }
  for (const token of tokens(text)) {
    if (token.kind === "sign" && text[token.from] === ";") { close(token.to); continue }
    if (token.kind === "space") continue
    if (current.from < 0) current.from = token.from
    current.to = token.to
    current.real ||= token.kind !== "comment"
  }
  close(text.length)
  return found
}

/** Return the statement that a cursor at `at` means, or null: the one it is in; right behind a
    semicolon, on its line, the one before. */
export function statementAt(text, at) {
  const all = statements(text)
  const index = all.findIndex((one) => at < one.end || one === all.at(-1))
  if (index < 0) return null
  const before = all[index - 1]
  const gap = before ? text.slice(before.end, at) : null
  const behind = gap !== null && at <= all[index].from && /^[^\S\n]*$/.test(gap)
  return behind ? before : all[index]
}
