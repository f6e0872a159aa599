/* Colours of the editor. Streamlit's variables for surfaces; our own for tokens, each at least 4.5:1
   on both of Streamlit's grounds (white and #f0f2f6; #0e1117 and #262730). */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import { EditorView } from "@codemirror/view"
import { tags } from "@lezer/highlight"

const LIGHT = { keyword: "#7a2fb5", string: "#0b6b46", number: "#9a3d00", comment: "#5c6570",
  type: "#00617f", name: "#1f4fc4", parameter: "#a5195c", selection: "#bcd4fb", match: "#ffe08a",
  error: "#c02626", warning: "#8f5a00", bracket: "#cfe3d4" }
const DARK = { keyword: "#c8a8ff", string: "#8fd8a6", number: "#f3b783", comment: "#9ba6b4",
  type: "#7fd0e2", name: "#93b8ff", parameter: "#ff9fc0", selection: "#2f4a78", match: "#6d5613",
  error: "#ff8a80", warning: "#f0c060", bracket: "#3c5a48" }

const highlight = (color) => syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: color.keyword, fontWeight: "500" },
  { tag: [tags.string, tags.special(tags.string)], color: color.string },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: color.number },
  { tag: tags.comment, color: color.comment, fontStyle: "italic" },
  { tag: tags.typeName, color: color.type },
  { tag: tags.standard(tags.name), color: color.name },
  { tag: tags.special(tags.name), color: color.parameter },
]))

const shades = ["text-color", "background-color"]
const mix = (percent) => `color-mix(in srgb, var(--st-${shades[0]}) ${percent}%, var(--st-${shades[1]}))`

const look = (color, dark) => EditorView.theme({
  "&": { color: "var(--st-text-color)", backgroundColor: "var(--st-background-color)", height: "100%",
    fontSize: "var(--st-code-font-size, 13.5px)", borderRadius: "var(--st-base-radius, 6px)",
    border: `1px solid ${mix(18)}` },
  "&.cm-focused": { outline: "2px solid var(--st-primary-color)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--st-code-font, ui-monospace, monospace)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--st-text-color)" },
  ".cm-cursor": { borderLeftColor: "var(--st-text-color)", borderLeftWidth: "2px" },
  ".cm-placeholder": { color: mix(72) },
  ".cm-gutters": { backgroundColor: "transparent", color: mix(68), border: "none", paddingLeft: "4px" },
  ".cm-activeLine": { backgroundColor: mix(4) },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--st-text-color)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: color.selection },
  ".mp-parameter": { color: color.parameter },
  ".cm-selectionMatch": { backgroundColor: mix(12) },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: color.bracket },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", outline: `1px solid ${color.error}` },
  ".cm-searchMatch": { backgroundColor: color.match },
  ".cm-searchMatch-selected": { outline: "2px solid var(--st-primary-color)" },
  ".cm-tooltip": { backgroundColor: "var(--st-background-color)", color: "var(--st-text-color)",
    border: `1px solid ${mix(22)}`, borderRadius: "6px", boxShadow: "0 6px 24px rgb(0 0 0 / .18)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--st-code-font, ui-monospace, monospace)",
    fontSize: "12.5px", maxHeight: "15em", minWidth: "min(280px, 80vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { display: "flex", gap: "8px", alignItems: "baseline", padding: "2px 8px", lineHeight: "1.6" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: mix(13), color: "inherit" },
  ".cm-completionLabel": { flex: "none" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: mix(72), fontStyle: "normal", marginLeft: "auto", maxWidth: "22em",
    overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionIcon": { width: "1.1em", opacity: ".8", paddingRight: "0" },
  ".cm-completionIcon-property::after": { content: "'▫'" },
  ".cm-completionIcon-class::after": { content: "'▦'" },
  ".cm-completionIcon-namespace::after": { content: "'▤'" },
  ".cm-completionIcon-variable::after": { content: "'$'" },
  ".cm-completionIcon-keyword::after": { content: "'·'" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: `underline wavy ${color.error} 1.5px`, textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: `underline wavy ${color.warning} 1.5px`, textUnderlineOffset: "3px" },
  ".cm-diagnostic": { padding: "6px 10px", whiteSpace: "pre-wrap", maxWidth: "60ch" },
  ".cm-diagnostic-error": { borderLeft: `3px solid ${color.error}` },
  ".cm-diagnostic-warning": { borderLeft: `3px solid ${color.warning}` },
  ".mp-hint": { display: "block", color: mix(75), marginTop: "2px" },
  ".mp-notice": { padding: "4px 10px", fontSize: "12.5px", color: mix(80) },
  ".cm-panels": { backgroundColor: "var(--st-secondary-background-color)", color: "var(--st-text-color)", fontFamily: "var(--st-font)" },
  ".cm-panels-bottom": { borderTop: `1px solid ${mix(15)}` },
  ".cm-panel.cm-search": { padding: "6px 28px 6px 8px", display: "flex", flexWrap: "wrap", gap: "4px 6px", alignItems: "center", fontSize: "12.5px" },
  ".cm-panel.cm-search br": { flexBasis: "100%", content: "''" },
  ".cm-panel.cm-search label": { display: "inline-flex", gap: "4px", alignItems: "center", fontSize: "12px", margin: "0" },
  ".cm-textfield": { backgroundColor: "var(--st-background-color)", color: "inherit", border: `1px solid ${mix(45)}`,
    borderRadius: "5px", padding: "3px 7px", font: "12.5px var(--st-font)", margin: "0" },
  ".cm-textfield:focus-visible, .cm-button:focus-visible": { outline: "2px solid var(--st-primary-color)", outlineOffset: "-1px" },
  ".cm-textfield::placeholder": { color: mix(74) },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--st-background-color)", color: "inherit",
    border: `1px solid ${mix(30)}`, borderRadius: "5px", padding: "3px 9px", font: "12.5px var(--st-font)", margin: "0", cursor: "pointer" },
  ".cm-button:hover": { borderColor: "var(--st-primary-color)" },
  ".cm-panel.cm-search [name=close]": { color: "inherit", fontSize: "18px", padding: "0 8px", cursor: "pointer" },
}, { dark })

/** Return the extensions that dress the editor for a light or dark page. */
export const theme = (dark) => [look(dark ? DARK : LIGHT, dark), highlight(dark ? DARK : LIGHT)]
