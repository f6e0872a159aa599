/* The rows of one result as the grid needs them: blocks of 200, fetched when they come into view, a
   few kept, requests for what went out of view given up. Knows nothing of the screen. */

const BLOCK = 200
const KEPT = 60
const POLL = 500
const JUMP_DELAY = 90
const AT_ONCE = 4

/** Turn problem+json, or what a broken server sends instead, into an Error with a title. */
async function problem(response) {
  const told = await response.json().catch(() => ({}))
  const error = new Error(told.detail || told.title || "The rows could not be loaded.")
  error.title = told.title && told.title !== error.message ? told.title : ""
  return error
}

export class Rows {
  constructor(url, data, heard) {
    this.url = url
    this.heard = heard
    this.sort = []
    this.filter = []
    this.blocks = new Map([[0, data.rows]])
    this.requests = new Map()
    this.matching = null
    this.wanted = [0, 0]
    this.update(data)
    this.seen = data.rows.length
  }

  get filtered() { return this.filter.length > 0 }

  /** How many rows the grid shows: what is known, and a block to scroll into where more may come. */
  get length() {
    const known = this.filtered ? this.matching : this.total
    return known ?? this.seen + (this.arriving && this.seen ? BLOCK : 0)
  }

  row(index) {
    const block = this.blocks.get(Math.floor(index / BLOCK))
    return block?.[index % BLOCK]
  }

  /** Take total and completeness from a rerun of the page, which may know less than was polled. */
  update({ total, complete }) {
    this.total = total === null || total < (this.total ?? 0) ? this.total ?? null : total
    this.arriving = !complete
    clearTimeout(this.poller)
    if (this.arriving) this.poller = setTimeout(() => this.poll(), POLL)
  }

  query(more) {
    const query = new URLSearchParams(more)
    if (this.sort.length) query.set("sort", this.sort.map(({ column, order }) => `${column}:${order}`).join(","))
    if (this.filtered) query.set("filter", JSON.stringify(this.filter))
    return query.toString()
  }

  /** Show other rows. What is shown stays until the first of them are there; on an error it
      stays for good, and so do the old sort and filter. */
  async change({ sort = this.sort, filter = this.filter }) {
    const old = { sort: this.sort, filter: this.filter }
    Object.assign(this, { sort, filter })
    for (const request of this.requests.values()) request.abort()
    this.requests.clear()
    this.changing = true
    try {
      const request = new AbortController()
      this.requests.set(0, request)
      const answer = await this.get({ offset: 0, limit: BLOCK }, request.signal)
      this.forget()
      Object.assign(this, { changing: false, matching: null, seen: 0, wanted: [0, 0] })
      this.keep(0, answer.rows)
      this.count(answer, answer.rows.length)
      this.heard({ changed: true })
    } catch (error) {
      if (error.name === "AbortError" || this.closed) return
      Object.assign(this, old, { changing: false })
      this.requests.clear()
      this.heard({ changed: true, error })
    }
  }

  forget() {
    this.blocks.clear()
    for (const request of this.requests.values()) request.abort()
    this.requests.clear()
  }

  /** Say which rows are on screen. A jump of the scroll bar waits until it rests. */
  want(top, bottom) {
    const [first, last] = [Math.floor(Math.max(0, top) / BLOCK), Math.floor(Math.max(0, bottom) / BLOCK)]
    const jumped = Math.abs(first - this.wanted[0]) > 2
    if (this.changing) return
    this.wanted = [first, last]
    for (const [block, request] of this.requests) {
      if (block >= first - 1 && block <= last + 1) continue
      request.abort()
      this.requests.delete(block)
    }
    clearTimeout(this.jump)
    const ask = () => { for (let block = first; block <= last; block++) if (this.lacks(block)) this.fetchBlock(block) }
    if (jumped) this.jump = setTimeout(ask, JUMP_DELAY)
    else ask()
  }

  lacks(block) {
    if (this.requests.has(block) || block * BLOCK >= this.length) return false
    const have = this.blocks.get(block)
    return !have || have.length < Math.min(BLOCK, this.length - block * BLOCK)
  }

  async get(more, signal) {
    const response = await fetch(`${this.url}?${this.query(more)}`, { signal, headers: { Accept: "application/json" } })
    if (!response.ok) throw await problem(response)
    return response.json()
  }

  async fetchBlock(block) {
    const request = new AbortController()
    this.requests.set(block, request)
    try {
      const answer = await this.get({ offset: block * BLOCK, limit: BLOCK }, request.signal)
      if (this.requests.get(block) !== request) return
      this.requests.delete(block)
      this.keep(block, answer.rows)
      this.count(answer, block * BLOCK + answer.rows.length)
      this.heard({ from: block * BLOCK, to: block * BLOCK + answer.rows.length })
    } catch (error) {
      if (request.signal.aborted) return
      this.requests.delete(block)
      this.heard({ error })
    }
  }

  keep(block, rows) {
    this.blocks.delete(block)
    this.blocks.set(block, rows)
    for (const old of this.blocks.keys()) {
      if (this.blocks.size <= KEPT) break
      if (old < this.wanted[0] - 1 || old > this.wanted[1] + 1) this.blocks.delete(old)
    }
  }

  count({ total, matching, arriving }, seen) {
    const ended = this.arriving && !arriving
    this.total = total ?? this.total
    this.matching = matching ?? this.matching
    this.seen = Math.max(this.seen, seen)
    this.arriving = arriving
    clearTimeout(this.poller)
    if (arriving) this.poller = setTimeout(() => this.poll(), POLL)
    // Rows that came later may belong before those shown, once sorted or filtered.
    else if (ended && (this.sort.length || this.filtered)) { this.forget(); this.want(...this.wanted.map((n) => n * BLOCK)) }
  }

  async poll() {
    if (document.hidden) { this.poller = setTimeout(() => this.poll(), POLL); return }
    const { sort, filter } = this
    try {
      const answer = await this.get({ offset: 0, limit: 1 })
      if (this.closed || sort !== this.sort || filter !== this.filter) return
      this.count(answer, 0)
      this.heard({ counted: true })
    } catch (error) {
      if (!this.closed) this.heard({ error })
    }
  }

  /** Return rows from..to (exclusive) for copying, fetching those that are missing. */
  async slice(from, to) {
    const [first, end] = [Math.floor(from / BLOCK), Math.ceil(to / BLOCK)]
    const found = new Array(Math.max(0, end - first))
    let next = first
    const fetchSome = async () => {
      for (let block = next++; block < end; block = next++) {
        const have = this.requests.has(block) || this.lacks(block) ? undefined : this.blocks.get(block)
        const rows = have ?? (await this.get({ offset: block * BLOCK, limit: BLOCK })).rows
        found[block - first] = rows.slice(Math.max(0, from - block * BLOCK), to - block * BLOCK)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, fetchSome))
    return found.flat()
  }

  /** The range around the screen that is loaded without a gap. */
  loaded() {
    let [first, last] = this.wanted
    if (!this.blocks.has(first)) return [0, 0]
    while (this.blocks.has(first - 1)) first--
    while (this.blocks.has(last + 1)) last++
    return [first * BLOCK, Math.min(this.length, (last + 1) * BLOCK)]
  }

  close() {
    this.closed = true
    clearTimeout(this.poller)
    clearTimeout(this.jump)
    this.forget()
  }
}
