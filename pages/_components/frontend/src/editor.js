/* The SQL editor: one CodeMirror per place on the page, made once and then only adjusted.
   The text belongs to the browser; Python replaces it by raising `revision`, and hears of it by the
   state `text` (400 ms after a change, and on blur) and the trigger `run`. */

import { autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyField, historyKeymap, indentWithTab } from "@codemirror/commands"
import { SQLDialect, sql } from "@codemirror/lang-sql"
import { bracketMatching, indentOnInput } from "@codemirror/language"
import { lintKeymap, setDiagnostics } from "@codemirror/lint"
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search"
import { ChangeSet, Compartment, EditorState, Prec, StateEffect, StateField } from "@codemirror/state"
import { EditorView, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter,
  highlightSpecialChars, keymap, lineNumbers, placeholder, rectangularSelection, showPanel } from "@codemirror/view"
import words from "./duckdb.json"
import { parameterMarks } from "./editor/parameters.js"
import { Catalog } from "./editor/catalog.js"
import { BUILT_IN, completionSource, functionCompletion } from "./editor/completion.js"
import { toPoints, toUnits } from "./editor/positions.js"
import { statementAt } from "./editor/statements.js"
import { theme } from "./editor/theme.js"
import { isDark } from "./theme.js"

const SYNC_DELAY = 400
const NOTICE_TIME = 4000

const DIALECT = SQLDialect.define({
  keywords: words.keywords.join(" "), types: words.types.join(" "), builtin: "",
  operatorChars: "*+-%<>!=&|~^/:", specialVar: "$", identifierQuotes: '"',
  doubleDollarQuotedStrings: true, charSetCasts: false, hashComments: false, slashComments: false,
})

const setNotice = StateEffect.define()
const notice = StateField.define({
  create: () => null,
  update: (value, transaction) => {
    for (const effect of transaction.effects) if (effect.is(setNotice)) return effect.value
    return transaction.docChanged ? null : value
  },
  provide: (field) => showPanel.from(field, (text) => text && (() => {
    const dom = Object.assign(document.createElement("div"), { className: "mp-notice", textContent: text })
    dom.setAttribute("role", "status")
    return { dom }
  })),
})

/* Editors that were taken off the page, so that coming back to it finds text, cursor and undo. */
const kept = new Map()
const KEPT_MOST = 20

const instances = new WeakMap()

/* Streamlit gathers what widgets report within one tick and reruns only the first one's fragment: a
   click that takes the focus from the editor (a tap does both at once) would lose its own rerun.
   So a click in that tick is held, and made again in the next. */
function holdClicks() {
  const held = []
  const hold = (event) => {
    event.stopImmediatePropagation()
    event.preventDefault()
    held.push(event.composedPath()[0])
  }
  addEventListener("click", hold, true)
  setTimeout(() => {
    removeEventListener("click", hold, true)
    for (const target of held) target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }))
  }, 0)
}

class SqlEditor {
  constructor(component, host) {
    this.root = component.parentElement
    this.host = host
    this.compartments = { theme: new Compartment(), given: new Compartment() }
    this.catalog = new Catalog({})
    this.functions = BUILT_IN
    this.counter = Date.now()
    this.schemaArrived = (event) => event.detail === this.data.schema && this.readSchema()
    globalThis.addEventListener("millpond-schema", this.schemaArrived)
    this.data = component.data
    this.component = component
    this.view = new EditorView({
      parent: host, root: this.root instanceof ShadowRoot ? this.root : document, state: this.firstState() })
    this.ranText = this.view.state.doc
    this.changesSinceRun = ChangeSet.empty(this.ranText.length)
    this.readSchema()
  }

  firstState() {
    const { key, revision, value } = this.data
    const old = kept.get(key)
    const config = { extensions: this.extensions() }
    if (old?.revision === revision && (old.value === value || old.state.doc === value)) {
      return EditorState.fromJSON(old.state, config, { history: historyField })
    }
    return EditorState.create({ doc: value, ...config })
  }

  extensions() {
    return [
      Prec.highest(keymap.of([
        { key: "Mod-Enter", run: () => this.run(false), preventDefault: true },
        { key: "Mod-Shift-Enter", run: () => this.run(true), preventDefault: true },
        { key: "Shift-Alt-f", run: () => this.format(), preventDefault: true },
      ])),
      lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), highlightSpecialChars(), history(),
      drawSelection(), dropCursor(), rectangularSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
      highlightSelectionMatches(), parameterMarks, search({ top: false }), notice, EditorView.lineWrapping,
      autocompletion({ override: [completionSource(() => this)], icons: true, activateOnTyping: true, interactionDelay: 20 }),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"), ...searchKeymap,
        ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
      sql({ dialect: DIALECT }),
      this.compartments.theme.of(theme(this.dark = isDark(this.root))),
      this.compartments.given.of(this.given()),
      EditorView.updateListener.of((update) => this.updated(update)),
      EditorView.domEventHandlers({ blur: () => { this.sync() } }),
    ]
  }

  given() {
    return [
      placeholder(this.data.placeholder), EditorState.readOnly.of(this.data.read_only),
      EditorView.contentAttributes.of({ "aria-label": this.data.label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    ]
  }

  get parameters() { return this.data.parameters }

  get text() { return this.view.state.doc.toString() }

  readSchema() {
    const found = globalThis.millpondSchemas?.get(this.data.schema)
    if (!found || found === this.schema) return
    this.schema = found
    this.catalog = new Catalog(found.tree)
    this.functions = [...BUILT_IN, ...found.functions.map(functionCompletion)]
  }

  updated(update) {
    if (!update.docChanged) return
    this.changesSinceRun = this.changesSinceRun.compose(update.changes)
    if (this.replacing) return
    this.dirty = true
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.sync(), SYNC_DELAY)
  }

  /* `n` makes each value differ from the last: going back to a text sent before must be heard too. */
  stamp() {
    return { n: ++this.counter, revision: this.data.revision }
  }

  sync() {
    clearTimeout(this.timer)
    if (!this.dirty) return
    this.dirty = false
    this.component.setStateValue("text", { ...this.stamp(), text: this.text })
    holdClicks()
  }

  remember() {
    this.ranText = this.view.state.doc
    this.changesSinceRun = ChangeSet.empty(this.ranText.length)
  }

  /** Send what is to run; the event carries the whole text, so no separate sync is needed. */
  run(all) {
    const whole = this.text
    const { from, to, empty } = this.view.state.selection.main
    const chosen = all ? { from: 0, to: whole.length } : empty ? statementAt(whole, from) : { from, to }
    if (!chosen || !whole.slice(chosen.from, chosen.to).trim()) return true
    clearTimeout(this.timer)
    closeCompletion(this.view)
    this.dirty = false
    this.remember()
    this.component.setTriggerValue("run", {
      ...this.stamp(), whole, sql: whole.slice(chosen.from, chosen.to),
      offset: toPoints(whole, chosen.from), all, selection: !all && !empty })
    return true
  }

  format() {
    const { from, to, empty } = this.view.state.selection.main
    const range = empty ? { from: 0, to: this.view.state.doc.length } : { from, to }
    const before = this.view.state.doc
    import(FORMAT_MODULE).then(({ default: format }) => {
      const old = before.sliceString(range.from, range.to)
      const text = format(old)
      if (this.view.state.doc !== before || text === old || this.view.state.readOnly) return
      this.view.dispatch({ changes: { ...range, insert: text }, userEvent: "format", scrollIntoView: true,
        selection: { anchor: Math.min(this.view.state.selection.main.head, range.from + text.length) } })
    }).catch(() => this.tell("This SQL could not be formatted; the text is unchanged."))
    return true
  }

  tell(text) {
    this.view.dispatch({ effects: setNotice.of(text) })
    clearTimeout(this.noticeTimer)
    this.noticeTimer = setTimeout(() => this.view.dispatch({ effects: setNotice.of(null) }), NOTICE_TIME)
  }

  replace(text) {
    if (text === this.text) return
    this.replacing = true
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, userEvent: "replace" })
    this.replacing = false
    this.dirty = false
    clearTimeout(this.timer)
    this.remember()
  }

  /* Python's offsets are in the text that was run; what was typed since has moved them. */
  diagnose(given) {
    const ran = this.ranText.toString()
    const end = this.view.state.doc.length
    return given.map(({ start, end: stop, message, hint, severity }) => {
      const from = Math.min(this.changesSinceRun.mapPos(toUnits(ran, start), 1), end)
      const to = Math.min(Math.max(this.changesSinceRun.mapPos(toUnits(ran, stop), -1), from + 1), end)
      return { from: Math.min(from, Math.max(0, to - 1)), to, severity, message, renderMessage: () => {
        const dom = Object.assign(document.createElement("div"), { textContent: message })
        if (hint) dom.append(Object.assign(document.createElement("span"), { className: "mp-hint", textContent: hint }))
        return dom
      } }
    })
  }

  /** Take over what a rerun brought; touch only what differs. */
  adjust(component) {
    const { data } = component
    const before = this.data
    this.component = component
    this.data = data
    this.host.style.height = `${data.height}px`
    if (data.revision !== before.revision) this.replace(data.value)
    const effects = []
    const changed = ["placeholder", "read_only", "label"].some((name) => data[name] !== before[name])
    if (changed) effects.push(this.compartments.given.reconfigure(this.given()))
    const dark = isDark(this.root)
    if (dark !== this.dark) effects.push(this.compartments.theme.reconfigure(theme(this.dark = dark)))
    if (effects.length) this.view.dispatch({ effects })
    this.readSchema()
    const shown = JSON.stringify(data.diagnostics)
    if (shown !== this.shown) {
      this.shown = shown
      this.view.dispatch(setDiagnostics(this.view.state, this.diagnose(data.diagnostics)))
    }
  }

  destroy() {
    clearTimeout(this.timer)
    clearTimeout(this.noticeTimer)
    globalThis.removeEventListener("millpond-schema", this.schemaArrived)
    const { key, revision, value } = this.data
    kept.delete(key)
    kept.set(key, { revision, value, state: this.view.state.toJSON({ history: historyField }) })
    if (kept.size > KEPT_MOST) kept.delete(kept.keys().next().value)
    this.view.destroy()
  }
}

/** Show the editor, or adjust the one that is there; return what takes it away. */
export default function mount(component) {
  const root = component.parentElement
  const host = root.querySelector(".mp-host")
  let editor = instances.get(root)
  if (!editor) {
    host.replaceChildren()
    instances.set(root, editor = new SqlEditor(component, host))
    host.dataset.mounts = String(Number(host.dataset.mounts ?? 0) + 1)
  }
  editor.adjust(component)
  return () => {
    if (instances.get(root) === editor) instances.delete(root)
    editor.destroy()
  }
}
