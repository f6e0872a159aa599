/* What a statement's FROM clauses bring into scope: tables, aliases, CTEs and subqueries with the
   columns they show. Reads tokens, not grammar: half a statement must do. */

import words from "../duckdb.json"
import { tokens } from "./statements.js"

const RESERVED = new Set(words.reserved)
const OPENS = new Set(["from", "join", "update", "into", "table", "describe", "summarize", "using"])
const ENDS = new Set(["where", "group", "order", "having", "limit", "qualify", "union", "except",
  "intersect", "window", "offset", "set", "on", "select", "values"])
const NOT_ALIAS = new Set([...RESERVED, ...ENDS, "join", "left", "right", "full", "inner", "cross",
  "asof", "positional", "natural", "semi", "anti", "tablesample", "pivot", "unpivot", "at"])

/** Return a name as it is without its quotes. */
export const unquote = (name) => name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name

/** Return a name as SQL needs it: quoted when it is not a plain word, or reserved. */
export const quote = (name) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase())
    ? name : `"${name.replaceAll('"', '""')}"`

function tokensOf(text) {
  return tokens(text)
    .filter(({ kind }) => kind !== "space" && kind !== "comment")
    .map((token) => {
      const raw = text.slice(token.from, token.to)
      return { ...token, raw, word: token.kind === "word" ? raw.toLowerCase() : "",
        name: token.kind === "word" || token.kind === "quoted" ? unquote(raw) : null }
    })
}

function closing(list, open) {
  let depth = 0
  for (let i = open; i < list.length; i++) {
    if (list[i].raw === "(") depth++
    else if (list[i].raw === ")" && --depth === 0) return i
  }
  return list.length
}

/* The names a SELECT list gives: `expr AS name`, a trailing name, or the stars of its sources. */
function selectColumns(list, outer, catalog) {
  const at = list.findIndex(({ word }) => word === "select")
  const inner = read(list, catalog, outer)
  if (at < 0) return inner.sources.flatMap(({ columns }) => columns)
  const columns = []
  let item = []
  const close = () => {
    const last = item.at(-1)
    if (last?.raw === "*") columns.push(...inner.sources.flatMap((source) => source.columns))
    else if (last?.name && !RESERVED.has(last.word)) {
      const known = inner.sources.flatMap((source) => source.columns).find(([name]) => name === last.name)
      columns.push(item.length <= 3 && known ? known : [last.name, ""])
    }
    item = []
  }
  for (let i = at + 1, depth = 0; i < list.length; i++) {
    if (list[i].raw === "(") depth++
    if (list[i].raw === ")") depth--
    if (!depth && list[i].word === "from") break
    if (!depth && list[i].raw === ",") close()
    else item.push(list[i])
  }
  close()
  return columns
}

function readCtes(list, catalog, outer) {
  const ctes = new Map(outer)
  for (let i = 1; i < list.length; i++) {
    if (!list[i - 1].name || list[i].word !== "as") continue
    let open = i + 1
    while (["not", "materialized"].includes(list[open]?.word)) open++
    const before = list[i - 2]
    if (list[open]?.raw !== "(" || !(before?.raw === "," || ["with", "recursive"].includes(before?.word))) continue
    const end = closing(list, open)
    ctes.set(list[i - 1].name.toLowerCase(),
      { name: list[i - 1].name, columns: selectColumns(list.slice(open + 1, end), ctes, catalog) })
    i = end
  }
  return ctes
}

function readSource(list, at, catalog, ctes) {
  let columns = [], name = "", end = at
  if (list[at]?.raw === "(") {
    end = closing(list, at) + 1
    columns = selectColumns(list.slice(at + 1, end - 1), ctes, catalog)
  } else {
    const path = []
    while (list[end]?.name && !(path.length === 0 && NOT_ALIAS.has(list[end].word))) {
      path.push(list[end++].name)
      if (list[end]?.raw !== ".") break
      end++
    }
    if (!path.length) return null
    name = path.at(-1)
    const cte = path.length === 1 && ctes.get(name.toLowerCase())
    columns = (cte || catalog.table(path))?.columns ?? []
    if (list[end]?.raw === "(") end = closing(list, end) + 1
  }
  if (list[end]?.word === "as") end++
  const alias = list[end]
  if (alias?.name && !NOT_ALIAS.has(alias.word)) { name = alias.name; end++ }
  return { source: { name, columns }, end }
}

function read(list, catalog, outer) {
  const ctes = readCtes(list, catalog, outer)
  const sources = []
  for (let i = 0; i < list.length; i++) {
    if (!OPENS.has(list[i].word)) continue
    for (let at = i + 1; at < list.length;) {
      const found = readSource(list, at, catalog, ctes)
      if (!found) break
      sources.push(found.source)
      i = Math.max(i, found.end - 1)
      if (list[found.end]?.raw !== ",") break
      at = found.end + 1
    }
  }
  return { ctes, sources }
}

/** Read one statement's text: `{sources: [{name, columns}], ctes: [{name, columns}]}`. A cursor
    inside a subquery sees the outer names too: too many are better than too few. */
export function scopeOf(text, catalog) {
  const { ctes, sources } = read(tokensOf(text), catalog, new Map())
  return { sources, ctes: [...ctes.values()] }
}

/** Return the last word before the cursor that says what comes next, as `from`, `select` or "". */
export function expectation(before) {
  const list = tokensOf(before).filter(({ raw }) => raw !== "(")
  const last = list.at(-1)
  if (OPENS.has(last?.word)) return "table"
  if (last?.raw === ",") {
    for (const { word } of list.toReversed()) {
      if (word === "from" || word === "join") return "table"
      if (ENDS.has(word)) return ""
    }
  }
  return ""
}
