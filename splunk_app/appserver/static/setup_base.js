/* Setup page: elements, forms and calls. Whatever comes from a vendor, a log or a person goes in as text, never as HTML. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});
  const REST = "/splunkd/__raw/servicesNS/nobody/tourniquet/";
  const NO_JSON = {
    401: "the session has ended: reload the page and sign in again",
    403: "Splunk Web refused the request: reload the page; if it stays so, a proxy may swallow the header X-Splunk-Form-Key",
    404: "Splunk Web knows no such path: restart Splunk once after the app was installed",
  };
  let ids = 0;

  /* An element. Attributes: text and flags as they are, on… a listener. Children: elements or text. */
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    for (const child of children.flat(3)) {
      if (child === null || child === undefined || child === false) continue;
      made.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return made;
  }

  const table = (heads, rows, caption) =>
    el("div", { class: "tq-scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", {}, el("caption", { class: "tq-hidden" }, caption),
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, at) => el("td", { "data-label": heads[at] }, cell)))))));

  const badge = (kind, text) => el("span", { class: `tq-badge tq-${kind}` }, text);
  const list = (items) => el("ul", {}, items.map((item) => el("li", {}, item)));
  const more = (title, ...children) => el("details", {}, el("summary", {}, title), children);
  const button = (text, press, more_) => el("button", { type: "button", onclick: press, ...(more_ || {}) }, text);

  /* What stands before /app/ in the address: the root of Splunk Web and the locale. */
  function prefix() {
    const found = /^(.*?)\/app\//.exec(window.location.pathname);
    return found ? found[1] : "/en-US";
  }
  const link = (path, text) => el("a", { href: `${prefix()}/app/tourniquet/${path}` }, text);

  /* Splunk Web's CSRF token: in a cookie named by its port, which behind a proxy is not the one in the address. */
  function formKey() {
    const found = new Map();
    for (const pair of document.cookie.split(";")) {
      const at = pair.indexOf("=");
      const name = /^splunkweb_csrf_token_(\d+)$/.exec(pair.slice(0, at).trim());
      if (name) found.set(name[1], decodeURIComponent(pair.slice(at + 1)));
    }
    const config = window.$C || {};
    for (const port of [config.MRSPARKLE_PORT_NUMBER, window.location.port, "8000"]) {
      if (found.has(String(port))) return found.get(String(port));
    }
    return found.size ? found.values().next().value : "";
  }

  /* One request to splunkd. Never throws: {ok, status, body, error, errors: [{place, what, remedy}]}. */
  async function call(method, path, body) {
    const headers = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET") headers["X-Splunk-Form-Key"] = formKey();
    let answer;
    try {
      // Without output_mode splunkd's own refusals are XML.
      answer = await fetch(`${prefix()}${REST}${path}?output_mode=json`, {
        method, headers, credentials: "same-origin", cache: "no-store",
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (_) {
      return { ok: false, status: 0, body: {}, errors: [], error: "Splunk Web does not answer: look at the network, then try again" };
    }
    let found = null;
    try {
      found = await answer.json();
    } catch (_) {
      found = null;
    }
    if (found === null || answer.redirected) {
      const why = NO_JSON[answer.redirected ? 401 : answer.status] || `the answer is no JSON (status ${answer.status}): reload the page and sign in again`;
      return { ok: false, status: answer.status, body: {}, errors: [], error: why };
    }
    if (answer.ok) return { ok: true, status: answer.status, body: found, errors: [], error: "" };
    const said = (found.messages || []).map((message) => message.text).filter(Boolean).join(" ");
    const error = found.error || said || `refused with status ${answer.status}`;
    return { ok: false, status: answer.status, body: found, errors: Array.isArray(found.errors) ? found.errors : [], error };
  }
  const ask = (method, path, body) => call(method, `tourniquet/${path}`, body);

  /* A control with its label, help and place for errors. `kind`: text, password, number, lines, choice, flag, file. */
  function field(about) {
    const id = `tq-${(ids += 1)}`;
    const common = { id, name: about.name, "aria-describedby": `${id}-help ${id}-error`, required: about.needed || false };
    let control;
    if (about.kind === "lines") control = el("textarea", { ...common, rows: about.rows || 4, spellcheck: "false" });
    else if (about.kind === "choice") control = el("select", common, about.options.map(([value, text]) => el("option", { value }, text)));
    else if (about.kind === "flag") control = el("input", { ...common, type: "checkbox" });
    else control = el("input", { ...common, type: about.kind || "text", placeholder: about.example, accept: about.accept, step: about.step, spellcheck: "false" });
    control.setAttribute("autocomplete", about.kind === "password" ? "new-password" : "off");
    if (about.kind === "flag") control.checked = Boolean(about.value);
    else if (about.kind !== "file" && about.value !== undefined && about.value !== null) control.value = about.value;
    const error = el("p", { id: `${id}-error`, class: "tq-error", hidden: true });
    const help = el("p", { id: `${id}-help`, class: "tq-help" }, about.help || "");
    const label = el("label", { for: id }, about.label, about.needed ? el("span", { class: "tq-needed" }, " (needed)") : null);
    const box = el("div", { class: `tq-field tq-${about.kind || "text"}` }, about.kind === "flag" ? [control, label] : [label, control], help, error);
    return {
      name: about.name, box, control, needed: about.needed || false,
      get value() { return about.kind === "flag" ? control.checked : control.value; },
      show(on) { box.hidden = !on; },
      get shown() { return !box.hidden && !box.closest("[hidden]"); },
      fail(text) {
        error.textContent = text;
        error.hidden = !text;
        control.setAttribute("aria-invalid", text ? "true" : "false");
      },
    };
  }

  /* Puts each error at its field: by the longest end of `place` that is a field's name; the rest stands above the buttons. */
  function showErrors(fields, status, reply, aliases) {
    const rest = [];
    const form = status.closest(".tq-form");
    if (form) delete form.dataset.sent;
    for (const one of fields) one.fail("");
    for (const error of reply.errors) {
      const words = String(error.place).split(/[.\s[\]]+/).filter(Boolean);
      let at = null;
      for (let start = 0; start < words.length && !at; start += 1) {
        const name = words.slice(start).join(".");
        at = fields.find((one) => one.shown && (one.name === name || one.name === (aliases || {})[name]));
      }
      const text = sentences(error);
      if (at) {
        for (let part = at.box.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
        at.fail(at.control.getAttribute("aria-invalid") === "true" ? `${at.box.querySelector(".tq-error").textContent} ${text}` : text);
      } else rest.push(`${error.place}: ${text}`);
    }
    if (!reply.errors.length) rest.push(reply.error);
    say(status, "bad", rest.length ? rest : ["Nothing is saved: see what is wrong at the fields."]);
    const first = fields.find((one) => one.shown && one.control.getAttribute("aria-invalid") === "true");
    if (first) first.control.focus();
  }

  const large = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const sentences = (error) => `${large(error.what)}. ${large(error.remedy)}.`;

  /* True when nothing that is needed is empty; else each such field says so, at once and before anything is sent. */
  function whole(fields, status) {
    const empty = fields.filter((one) => one.shown && one.needed && !String(one.value).trim());
    for (const one of fields) one.fail(empty.includes(one) ? "Is missing. Fill it in." : "");
    if (!empty.length) return true;
    say(status, "bad", "Nothing is sent: see what is missing at the fields.");
    empty[0].control.focus();
    return false;
  }

  const status = () => el("div", { class: "tq-status", role: "status", "aria-live": "polite" });
  function say(where, kind, lines) {
    where.className = `tq-status tq-says-${kind}`;
    const texts = [lines].flat();
    where.replaceChildren(...(texts.length > 1 ? [list(texts)] : texts.map((text) => el("p", {}, text))));
  }

  /* Runs while the button can't be pressed again. */
  async function busy(pressed, work) {
    const text = pressed.textContent;
    const form = pressed.closest(".tq-form");
    if (form) form.dataset.sent = "1"; // what was typed there need not be kept, unless it is refused
    pressed.disabled = true;
    pressed.textContent = "Working …";
    try {
      return await work();
    } finally {
      pressed.disabled = false;
      pressed.textContent = text;
    }
  }

  /* A button that wants a second press: what can't be undone. */
  function twice(text, again, press) {
    const made = button(text, async () => {
      if (made.textContent !== again) {
        made.textContent = again;
        setTimeout(() => { if (made.textContent === again) made.textContent = text; }, 6000);
      } else {
        made.textContent = text;
        await press(made);
      }
    }, { class: "tq-danger" });
    return made;
  }

  const words = (text) => text.split(/[\s,]+/).filter(Boolean);

  parts.base = { el, table, badge, list, more, button, link, prefix, call, ask, field, showErrors, large, sentences, whole, status, say, busy, twice, words };
})();
