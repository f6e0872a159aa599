"""Where the components' built JavaScript lies, and the few lines that load it in a page.

Streamlit sends inline JavaScript again for each component on a page, so only a loader is inline;
the modules are files named by their hash, served by app.py from `/assets` and cached for ever.
Nothing is built here: `npm ci && node build.mjs` in `frontend/` is, and its output is committed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"

# The folder that holds Streamlit's own script is the application's root, behind any proxy and on
# any page; the document's address, which changes with the page, is only the second best witness.
# With `server.baseUrlPath` Streamlit moves its own routes and not ours: they stay at the root.
_LOADER = """
const script = performance.getEntriesByType("resource")
  .find(({name}) => /\\/static\\/js\\/index\\b/.test(name));
const root = script ? script.name.replace(/static\\/js\\/.*$/, "")
  : new URL(".", document.baseURI).href;
export default function (component) {
  const host = component.parentElement.querySelector(".mp-host");
  host.style.height = component.data.height + "px";
  let gone = false, leave = null;
  const load = (from) => import(from + "assets/%(file)s").then((module) => [module, from]);
  load(root).catch(() => load(location.origin + "/")).then(
    ([module, from]) => { if (!gone) leave = module.default(component, from); },
    () => { host.textContent = "This part of the page could not be loaded. Reload the page."; });
  return () => { gone = true; if (leave) leave(); };
}
"""


@cache
def modules() -> dict[str, str]:
    """Return the file name of each built module: `editor`, `format`, `grid`."""
    manifest = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    return dict(manifest["modules"])


def loader(name: str) -> str:
    """Return the inline JavaScript that loads module `name`; KeyError if there is none."""
    return _LOADER % {"file": modules()[name]}
