/* Runs in each page before its own scripts: tells when a text is on the screen, counted from the
   last Ctrl-Enter. Watches the document, every shadow root, and texts drawn on a canvas (that is
   where Streamlit's own table draws its header). Nothing polls from outside. */

(() => {
  const roots = []
  let wanted = null
  let pressed = null

  /* Mutations and drawings come before the frame is painted: the message after the next frame's
     callbacks comes behind it. */
  function found() {
    const { resolve } = wanted
    wanted = null
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => resolve(performance.now() - pressed)
      channel.port2.postMessage(null)
    })
  }

  function look() {
    if (wanted === null || pressed === null) return
    for (const root of roots) {
      for (const node of root.querySelectorAll(wanted.selector)) {
        if (node.textContent.includes(wanted.text)) return found()
      }
    }
  }

  function watch(root) {
    roots.push(root)
    new MutationObserver(look).observe(root, { childList: true, subtree: true, characterData: true })
  }

  const attachShadow = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options)
    watch(root)
    return root
  }

  const fillText = CanvasRenderingContext2D.prototype.fillText
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    if (wanted !== null && pressed !== null && text === wanted.text) found()
    return fillText.call(this, text, ...rest)
  }

  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) pressed = event.timeStamp
  }, true)

  watch(document)

  /** Expect a text in what fits a selector; `painted.taken` becomes ms from key to screen. */
  globalThis.painted = (selector, text) => {
    pressed = null
    globalThis.painted.taken = new Promise((resolve, reject) => {
      wanted = { selector, text, resolve }
      setTimeout(() => reject(new Error(`${text} was not painted within 120 s`)), 120_000)
    })
    globalThis.painted.taken.catch(() => {})
  }

  /** Press Ctrl-Enter at a time of the wall clock, in whatever has the focus. */
  globalThis.painted.pressAt = (time) => setTimeout(() => {
    let target = document.activeElement
    while (target.shadowRoot?.activeElement) target = target.shadowRoot.activeElement
    target.dispatchEvent(new KeyboardEvent("keydown", {
      key: "Enter", code: "Enter", keyCode: 13, ctrlKey: true,
      bubbles: true, cancelable: true, composed: true }))
  }, time - Date.now())
})()
