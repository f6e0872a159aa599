/* sql-formatter in a module of its own: 1 of 50 visits formats, so only they load it. */

import { formatDialect, duckdb } from "sql-formatter"

/** Return `text` laid out anew; throws where it cannot be parsed. */
export default function format(text) {
  return formatDialect(text, {
    dialect: duckdb, keywordCase: "preserve", expressionWidth: 80, linesBetweenQueries: 1,
    paramTypes: { named: ["$"] },
  })
}
