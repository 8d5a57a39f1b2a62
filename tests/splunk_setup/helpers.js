// Finds things as a person does: by what they are called, and only while they are seen.
window.T = {
  seen: (e) => e.checkVisibility({ visibilityProperty: true }),
  words: (e) => e.textContent.replace(/\s+/g, " ").trim(),
  all: (what, where) => [...document.querySelector(where || "body").querySelectorAll(what)].filter(T.seen),
  press: (name, where) => {
    const found = T.all("button, summary, a", where).find((e) => e.getAttribute("aria-label") === name || T.words(e) === name)
      || T.all("summary", where).find((e) => T.words(e).startsWith(name));
    if (!found) throw new Error(`no button ${name}; there are ` + T.all("button, summary", where).map(T.words).join(" | "));
    if (found.disabled) throw new Error(`${name} can't be pressed`);
    found.click();
  },
  open: (name, where) => {
    const found = T.all("summary", where).find((e) => T.words(e).startsWith(name));
    if (!found) throw new Error(`no part ${name}`);
    if (!found.parentNode.open) found.click();
  },
  field: (name, where) => {
    const label = T.all("label", where).find((e) => T.words(e).replace(/ \(needed\)$/, "") === name);
    if (!label) throw new Error(`no field ${name}; there are ` + T.all("label", where).map(T.words).join(" | "));
    return document.getElementById(label.htmlFor);
  },
  fill: (name, value, where) => {
    const found = T.field(name, where);
    if (typeof value === "boolean") { if (found.checked !== value) found.click(); return; }
    found.focus();
    found.value = value;
    found.dispatchEvent(new Event("input", { bubbles: true }));
    found.dispatchEvent(new Event("change", { bubbles: true }));
  },
  wrong: (name, where) => T.words(document.getElementById(T.field(name, where).id + "-error")),
  until: (check, seconds) => new Promise((good, bad) => {
    const end = performance.now() + seconds * 1000;
    const look = () => {
      let found = false;
      try { found = check(); } catch (_) { found = false; }
      if (found) good(found === true ? true : String(found));
      else if (performance.now() > end) bad(new Error("never so: " + check + " in " + document.body.innerText.slice(0, 2500)));
      else setTimeout(look, 40);
    };
    look();
  }),
};
