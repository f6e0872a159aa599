/* Completion for DuckDB's SQL: names in scope first, then the catalog, functions, keywords. */

import words from "../duckdb.json"
import { statementAt, tokens } from "./statements.js"
import { expectation, quote, scopeOf, unquote } from "./scope.js"

const NAME = String.raw`(?:"(?:[^"]|"")*"?|[\p{L}_][\p{L}\p{N}_]*)`
const DOTTED = new RegExp(String.raw`(?:${NAME}\.)+(?:${NAME})?$`, "u")
const PART = new RegExp(NAME, "gu")
const VALID = /^"?[\p{L}\p{N}_ ]*$/u
const CASE = { keyword: -30, function: -10, namespace: 0, table: 10, column: 40 }

const column = ([name, type], source, boost = CASE.column) =>
  ({ label: name, apply: quote(name), type: "property", detail: type, info: source || undefined, boost })

const table = (name, path, boost = CASE.table) =>
  ({ label: name, apply: quote(name), type: "class", detail: path.slice(0, -1).join(".") || undefined, boost })

const namespace = (name) =>
  ({ label: name, apply: quote(name), type: "namespace", detail: "schema", boost: CASE.namespace })

function insertCall(name) {
  return (view, completion, from, to) => {
    const open = view.state.sliceDoc(to, to + 1) === "("
    view.dispatch({
      changes: { from, to, insert: open ? name : `${name}()` },
      selection: { anchor: from + name.length + 1 }, userEvent: "input.complete",
    })
  }
}

/** Turn `name(parameters) -> type` into a completion. */
export function functionCompletion(signature) {
  const name = signature.split("(", 1)[0]
  return { label: name, type: "function", detail: signature.slice(name.length), apply: insertCall(name), boost: CASE.function }
}

const BUILT_IN = words.functions.map(functionCompletion)
const KEYWORDS = words.keywords.map((word) => ({ label: word, type: "keyword", boost: CASE.keyword }))
const SHOUTED = words.keywords.map((word) => ({ label: word.toUpperCase(), type: "keyword", boost: CASE.keyword }))

function underPath(path, scope, catalog) {
  if (path.length === 1) {
    const wanted = path[0].toLowerCase()
    const known = [...scope.sources, ...scope.ctes].find(({ name }) => name.toLowerCase() === wanted)
    if (known?.columns.length) return known.columns.map((one) => column(one, known.name))
  }
  const children = catalog.children(path)
  if (children.length) {
    return children.map(([name, child]) => Array.isArray(child) ? table(name, [...path, name]) : namespace(name))
  }
  return (catalog.table(path)?.columns ?? []).map((one) => column(one, path.at(-1)))
}

function tableNames(scope, catalog) {
  const spaces = Object.entries(catalog.tree).filter(([, child]) => !Array.isArray(child))
  return [
    ...scope.ctes.map(({ name }) => ({ ...table(name, [name], 60), detail: "with" })),
    ...catalog.tables.map(({ path }) => table(path.at(-1), path)),
    ...spaces.map(([name]) => ({ ...namespace(name), detail: "catalog" })),
  ]
}

function parametersIn(text, given) {
  const used = tokens(text).filter(({ kind }) => kind === "parameter").map(({ from, to }) => text.slice(from + 1, to))
  return [...new Set([...given, ...used])]
}

function bareWords(context, word, scope, catalog, functions) {
  const before = context.state.sliceDoc(Math.max(0, word.from - 4000), word.from)
  const names = tableNames(scope, catalog)
  if (expectation(before) === "table") {
    return [...names.map((one) => ({ ...one, boost: (one.boost ?? 0) + 30 })), ...functions,
      ...KEYWORDS.filter(({ label }) => label === "select")]
  }
  const seen = new Set()
  const columns = scope.sources.flatMap(({ name, columns }) => columns
    .filter(([one]) => !seen.has(one) && seen.add(one)).map((one) => column(one, name)))
  const aliases = scope.sources.filter(({ name }) => name)
    .map(({ name }) => ({ label: name, apply: quote(name), type: "class", detail: "in scope", boost: 20 }))
  const shout = /^[A-Z]{2}|^[A-Z]$/.test(word.text)
  return [...columns, ...aliases, ...names, ...functions, ...(shout ? SHOUTED : KEYWORDS)]
}

/** Make CodeMirror's completion source. `given()` returns `{catalog, functions, parameters}`. */
export function completionSource(given) {
  return (context) => {
    const { catalog, functions, parameters } = given()
    const text = context.state.doc.toString()
    const parameter = context.matchBefore(/\$[\p{L}\p{N}_]*/u)
    if (parameter) {
      const rest = text.slice(0, parameter.from) + text.slice(context.pos)
      return { from: parameter.from, validFor: /^\$[\p{L}\p{N}_]*$/u,
        options: parametersIn(rest, parameters).map((name) => ({ label: `$${name}`, type: "variable", detail: "parameter" })) }
    }
    if (insideQuietToken(text, context.pos)) return null
    const statement = statementAt(text, context.pos)
    const scope = scopeOf(statement ? text.slice(statement.start, statement.end) : "", catalog)
    const dotted = context.matchBefore(DOTTED)
    if (dotted) {
      const split = dotted.text.lastIndexOf(".")
      const path = [...dotted.text.slice(0, split).matchAll(PART)].map(([part]) => unquote(part))
      const options = underPath(path, scope, catalog)
      return options.length ? { from: dotted.from + split + 1, options, validFor: VALID } : null
    }
    const word = context.matchBefore(new RegExp(`${NAME}$`, "u")) ?? { from: context.pos, text: "" }
    if (!word.text && !context.explicit) return null
    return { from: word.from, options: bareWords(context, word, scope, catalog, functions), validFor: VALID }
  }
}

function insideQuietToken(text, at) {
  const token = tokens(text.slice(0, at)).at(-1)
  if (!token || !["string", "comment", "number"].includes(token.kind)) return false
  if (token.kind === "number") return true
  if (token.kind === "comment") return !text.slice(token.from, at).endsWith("*/") || token.to < at
  return tokens(text).some(({ kind, from, to }) => kind === "string" && from < at && at < to)
}

export { BUILT_IN }
