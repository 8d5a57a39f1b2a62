/* Setup page, section 2: where each source's events are. Macros hold it; the REST interface takes names only. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});

  /* Sources that share an index macro are one form: their values are the same. */
  function groups(sources) {
    const found = new Map();
    for (const source of sources) {
      if (!found.has(source.index_macro)) found.set(source.index_macro, []);
      found.get(source.index_macro).push(source);
    }
    return [...found.values()];
  }
  const unset = (macros, source) => (macros[source.index_macro] || {}).set === false;

  function where(base, macro) {
    if (macro.set === false) return base.badge("dim", "no index yet: not read");
    return macro.values.includes("*") ? base.badge("some", "searches every index") : base.badge("good", macro.values.join(", ") || "by hand");
  }

  function ago(seconds) {
    const past = Math.max(0, Date.now() / 1000 - seconds);
    if (past < 120) return `${Math.round(past)} s ago`;
    if (past < 7200) return `${Math.round(past / 60)} min ago`;
    return past < 172800 ? `${Math.round(past / 3600)} h ago` : `${Math.round(past / 86400)} days ago`;
  }

  /* What the source-health searches wrote last; they run once they are switched on (section 5, upkeep). */
  function measured(base, app, source) {
    const rows = app.state.measured.ok && Array.isArray(app.state.measured.body) ? app.state.measured.body : [];
    const row = rows.find((one) => one.tq_source === source.source);
    if (!row || !Number(row.last_event)) return base.badge("dim", "no event measured yet");
    const late = Number(row.lag_p95);
    return base.badge(Date.now() / 1000 - Number(row.last_event) < 3600 ? "good" : "bad",
      `last event ${ago(Number(row.last_event))}${Number.isFinite(late) ? `, 95 % within ${Math.round(late)} s` : ""}`);
  }

  function group(base, app, sources) {
    const { el, field } = base;
    const macros = app.state.settings.body.macros;
    const names = [...new Map(sources.flatMap((source) => [
      [source.index_macro, "Index"],
      ...source.sourcetype_macros.map((name) => [name, "Sourcetype"]),
      ...(source.tenant_macro ? [[source.tenant_macro, "Tenant"]] : []),
    ])).entries()].filter(([name]) => macros[name]);
    const many = names.filter(([, kind]) => kind === "Sourcetype").length > 1;
    const HELP = { Index: "one or several, with blanks between; * searches all, which is slow", Sourcetype: "one or several", Tenant: "as in the connection and the inventory" };
    const fields = names.map(([name, kind]) => {
      const about = macros[name];
      const own = about.values.length ? "" : about.set === false ? ". Until it is named, nothing of this log is read." : `. Written by hand: ${about.definition} – leave it empty to keep it.`;
      const label = many && kind === "Sourcetype" ? `Sourcetype, ${name.replace(/^tourniquet_|_sourcetype$/g, "")}` : kind;
      return field({ name: `macros.${name}`, label, help: `${HELP[kind]}${own}`, value: about.values.join(" ") });
    });
    const status = base.status();
    const save = el("button", { type: "submit" }, "Save");
    async function send(event) {
      event.preventDefault();
      const changed = {};
      for (const one of fields) {
        const name = one.name.slice(7);
        const now = base.words(one.value);
        if (now.length && now.join(" ") !== macros[name].values.join(" ")) changed[name] = macros[name].kind === "tenant" ? now[0] : now;
      }
      if (!Object.keys(changed).length) return base.say(status, "dim", "Nothing changed.");
      const reply = await base.busy(save, () => base.ask("POST", "settings", { macros: changed }));
      if (!reply.ok) return base.showErrors(fields, status, reply);
      return app.changed("sources", `Saved: ${sources.map((source) => source.title).join(", ")}`, ["settings", "searches", "health"]);
    }
    const title = sources.map((source) => source.title).join(", ");
    return el("details", { class: "tq-source" },
      el("summary", {}, title, " ", where(base, macros[sources[0].index_macro])),
      base.list(sources.map((source) => [source.title, ": ", measured(base, app, source), ` ${source.detections.length} detections read it.`])),
      el("form", { class: "tq-form", onsubmit: send, "aria-label": title, novalidate: true },
        el("div", { class: "tq-grid" }, fields.map((one) => one.box)), status, el("p", { class: "tq-buttons" }, save)));
  }

  function render(base, app) {
    const reply = app.state.settings;
    if (!reply.ok) return [base.el("p", { class: "tq-error" }, reply.error)];
    return [
      base.el("p", {}, "Name the index of each source that you have. Of the others nothing is read, and their detections can't be switched on. How each one does shows the dashboard ",
        base.link("sources", "Source health"), "; what to switch on at each vendor, ", base.link("logging", "Log settings"), "."),
      groups(reply.body.sources).map((sources) => group(base, app, sources))];
  }

  parts.sources = { render, groups, unset };
})();
