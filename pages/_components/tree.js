const element = (tag, className, text) => Object.assign(
  document.createElement(tag), {className, textContent: text ?? ""});
const short = (rows) => rows >= 1e6 ? (rows / 1e6).toFixed(1) + " M" : rows.toLocaleString("en");
const open = new Map();

function table(leaf, setTriggerValue, expanded) {
  const box = element("details", "");
  const head = element("summary", "");
  head.title = leaf.reference;
  head.append(element("span", "name", leaf.name));
  if (leaf.rows) head.append(element("span", "note", short(leaf.rows)));
  box.append(head);
  const fill = () => {
    if (box.childElementCount > 1) return;
    for (const [name, type] of leaf.columns) {
      const row = element("div", "column");
      row.append(element("span", "name", name), element("span", "type", type.toLowerCase()));
      row.title = name + "  " + type;
      box.append(row);
    }
  };
  box.ontoggle = () => { if (box.open) fill(); open.set(leaf.reference, box.open); };
  if (expanded || open.get(leaf.reference)) { fill(); box.open = true; }
  // Beside the summary, not in it: a button inside a button is lost to screen readers.
  const query = element("button", "", "Query");
  query.type = "button";
  query.setAttribute("aria-label", "Query " + leaf.reference);
  query.onclick = () => setTriggerValue("open", {reference: leaf.reference, n: Date.now()});
  const row = element("div", "table");
  row.append(box, query);
  return row;
}

export default function ({data, parentElement, setTriggerValue}) {
  const search = parentElement.querySelector("input");
  const tree = parentElement.querySelector(".tree");
  const draw = () => {
    const wanted = search.value.trim().toLowerCase();
    tree.replaceChildren();
    for (const {name, reason} of data.broken)
      tree.append(element("div", "broken", name + " is broken: " + reason));
    let found = 0;
    for (const branch of data.branches) {
      const leaves = branch.tables.filter((leaf) => !wanted
        || leaf.reference.toLowerCase().includes(wanted)
        || leaf.columns.some(([name]) => name.toLowerCase().includes(wanted)));
      found += leaves.length;
      if (!leaves.length) continue;
      const box = element("details", "");
      box.open = open.get(":" + branch.name) ?? true;
      box.ontoggle = () => open.set(":" + branch.name, box.open);
      const head = element("summary", "");
      head.append(element("strong", "name", branch.name), element("span", "note", leaves.length));
      box.append(head);
      const shown = leaves.slice(0, 500);
      for (const leaf of shown) box.append(table(leaf, setTriggerValue, wanted && leaves.length < 4));
      if (leaves.length > shown.length)
        box.append(element("div", "empty", `${leaves.length - shown.length} more: search for them`));
      tree.append(box);
    }
    if (!found) tree.append(element("div", "empty",
      wanted ? "Nothing has such a name." : "No sources yet. Add files on the Sources page."));
  };
  search.oninput = draw;
  draw();
}
