/* Colour for `$name`: the SQL grammar reads `$` as the beginning of a dollar quote and gives up on it. */

import { syntaxTree } from "@codemirror/language"
import { Decoration, MatchDecorator, ViewPlugin } from "@codemirror/view"

const mark = Decoration.mark({ class: "mp-parameter" })

const matcher = new MatchDecorator({
  regexp: /\$[\p{L}\p{N}_]+(?![\p{L}\p{N}_$])/gu,
  decoration: (match, view, at) =>
    /String|Comment/.test(syntaxTree(view.state).resolveInner(at, 1).name) ? null : mark,
})

export const parameterMarks = ViewPlugin.fromClass(class {
  constructor(view) { this.decorations = matcher.createDeco(view) }
  update(update) { this.decorations = matcher.updateDeco(update, this.decorations) }
}, { decorations: ({ decorations }) => decorations })
