/* The names a completion can offer, indexed once per schema revision. A tree of objects, any depth;
   an array is a table, its entries [column, type]. */

const lower = (text) => text.toLowerCase()

/** A tree of names that finds a table by the end of its path, as SQL does. */
export class Catalog {
  constructor(tree) {
    this.tree = tree ?? {}
    this.tables = []
    this.byName = new Map()
    this.#index(this.tree, [])
  }

  #index(node, path) {
    for (const [name, child] of Object.entries(node)) {
      const here = [...path, name]
      if (!Array.isArray(child)) { this.#index(child, here); continue }
      const table = { path: here, columns: child }
      this.tables.push(table)
      const same = this.byName.get(lower(name))
      if (same) same.push(table)
      else this.byName.set(lower(name), [table])
    }
  }

  /** Return the table that `path` names, the shortest path first, or undefined. */
  table(path) {
    const end = path.map(lower)
    return this.byName.get(end.at(-1))
      ?.filter(({ path: full }) => end.every((part, i) => lower(full.at(i - end.length) ?? "") === part))
      .sort((a, b) => a.path.length - b.path.length)[0]
  }

  /** Return what lies under a catalog or schema as [name, child] pairs; [] if `path` is neither. */
  children(path) {
    const walk = (node, parts) => {
      if (!parts.length) return node
      const key = Object.keys(node).find((name) => lower(name) === lower(parts[0]))
      const child = key === undefined ? undefined : node[key]
      return child && !Array.isArray(child) ? walk(child, parts.slice(1)) : undefined
    }
    const roots = [this.tree, ...Object.values(this.tree).filter((child) => !Array.isArray(child))]
    for (const root of roots) {
      const found = walk(root, path)
      if (found) return Object.entries(found)
    }
    return []
  }
}
