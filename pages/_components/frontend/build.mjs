/* Bundle src/ into ../assets: one ES module per component, named by its own SHA-256, a manifest that
   says from which sources they were made, and the licences of what is inside. No watch mode, no CDN.
   Same sources and lock file, same bytes: `npm ci && node build.mjs`. */

import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const HERE = dirname(fileURLToPath(import.meta.url))
const OUT = join(HERE, "..", "assets")
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex")

const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)])

/** One hash over everything the output depends on; tests/pages/test_components.py repeats it. */
function hashOfSources() {
  const files = [...filesUnder(join(HERE, "src")),
    ...["build.mjs", "package.json", "package-lock.json"].map((name) => join(HERE, name))]
  const lines = files
    .map((file) => `${sha256(readFileSync(file))}  ${relative(HERE, file).split(sep).join("/")}\n`)
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
  return sha256(lines.join(""))
}

const packagesUsed = new Set()

/** Bundle one entry and write it as <name>-<hash>.js; return that file name. */
async function bundle(name, define = {}) {
  const result = await build({
    entryPoints: [join(HERE, "src", `${name}.js`)],
    absWorkingDir: HERE, bundle: true, minify: true, format: "esm", target: "es2022",
    charset: "utf8", legalComments: "none", write: false, metafile: true,
    loader: { ".css": "text" }, external: ["./format-*.js"], define,
  })
  for (const input of Object.keys(result.metafile.inputs)) {
    const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)
    if (found) packagesUsed.add(found[1])
  }
  const bytes = result.outputFiles[0].contents
  const file = `${name}-${sha256(bytes).slice(0, 12)}.js`
  writeFileSync(join(OUT, file), bytes)
  return file
}

function licences() {
  const parts = [...packagesUsed].sort().map((name) => {
    const folder = join(HERE, "node_modules", name)
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry))
    const text = file ? readFileSync(join(folder, file), "utf8").replace(/\r\n/g, "\n").trim() : license
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return `Parts of these files are other people's work, under these licences.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`
}

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const format = await bundle("format")
const modules = {
  editor: await bundle("editor", { FORMAT_MODULE: JSON.stringify(`./${format}`) }),
  format,
  grid: await bundle("grid"),
}
writeFileSync(join(OUT, "THIRD_PARTY_LICENSES.txt"), licences())
writeFileSync(join(OUT, "manifest.json"),
  JSON.stringify({ modules, sources: hashOfSources() }, null, 2) + "\n")
console.log(modules)
