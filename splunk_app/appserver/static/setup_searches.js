/* Setup page, sections 5 and 6: which searches run, the due input; halt, resume, health. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});

  /* A detection and its late twin are one: they are switched together. */
  function detections(searches) {
    const found = new Map();
    for (const one of searches.filter((item) => item.detection)) {
      const seen = found.get(one.detection) || { id: one.detection, name: one.name.replace(/ - late$/, ""), source: one.source, tier: one.tier, unread: one.unread, enabled: true };
      seen.enabled = seen.enabled && one.enabled;
      found.set(one.detection, seen);
    }
    return [...found.values()];
  }
  const upkeep = (searches) => searches.filter((one) => !one.detection && one.scheduled);

  async function turn(base, app, pressed, what, enable, said) {
    const reply = await base.busy(pressed, () => base.ask("POST", "searches", { ...what, enable }));
    const count = reply.ok ? (reply.body.enabled || reply.body.disabled).length : 0;
    const left = Object.values(reply.ok ? reply.body.unread : {});
    const rest = left.length ? `. Detections that stay off: ${left.length}, for no index is named for ${[...new Set(left.flat())].sort().join(", ")} (section 2)` : "";
    app.changed("searches", reply.ok ? `${said}: ${count} searches ${enable ? "switched on" : "switched off"}${rest}` : base.large(reply.error), ["searches", "health"], reply.ok);
  }

  function bySource(base, app, all) {
    const { el } = base;
    const sources = [...new Set(all.map((one) => one.source))].sort();
    return sources.map((source) => {
      const mine = all.filter((one) => one.source === source);
      const on = mine.filter((one) => one.enabled).length;
      const state = base.badge(on === mine.length ? "good" : on ? "some" : "dim", `${on} of ${mine.length} on`);
      const how = (one) => base.badge(one.unread.length ? one.enabled ? "bad" : "dim" : one.enabled ? "good" : "dim", `${one.enabled ? "on" : "off"}${one.unread.length ? ": no index" : ""}`);
      return el("details", { class: "tq-source" }, el("summary", {}, source, " ", state),
        el("p", { class: "tq-buttons" },
          base.button("Switch all on", (event) => turn(base, app, event.target, { source }, true, source), { "aria-label": `Switch on all of ${source}` }),
          base.button("Switch all off", (event) => turn(base, app, event.target, { source }, false, source), { "aria-label": `Switch off all of ${source}` })),
        base.table(["Detection", "Highest tier", "State", "Do"], mine.map((one) => [one.name.replace(/^Tourniquet - /, ""), one.tier || "–", how(one),
          base.button(one.enabled ? "Switch off" : "Switch on", (event) => turn(base, app, event.target, { detections: [one.id] }, !one.enabled, one.id), { "aria-label": `${one.enabled ? "Switch off" : "Switch on"} ${one.id}` })]), `Detections of ${source}`));
    });
  }

  function tiers(base, app) {
    const tier = base.field({ name: "tier", label: "All whose highest tier is", kind: "choice", options: [["observe", "observe"], ["restrict", "restrict"], ["revoke", "revoke"]] });
    return base.el("div", { class: "tq-line" }, tier.box,
      base.button("Switch these on", (event) => turn(base, app, event.target, { tier: tier.value }, true, tier.value)),
      base.button("Switch these off", (event) => turn(base, app, event.target, { tier: tier.value }, false, tier.value)));
  }

  function render(base, app) {
    const { el } = base;
    const reply = app.state.searches;
    if (!reply.ok) return [el("p", { class: "tq-error" }, reply.error)];
    const others = upkeep(reply.body.searches);
    const on = others.filter((one) => one.enabled).length;
    const seeds = reply.body.searches.filter((one) => / - seed /.test(one.name));
    const due = app.state.setup.ok ? app.state.setup.body.due_input : null;
    async function input(event, value) {
      const found = await base.busy(event.target, () => base.ask("POST", "setup", { due_input: value }));
      app.changed("searches", found.ok ? `The input is switched ${value ? "on" : "off"}` : found.error, ["setup"], found.ok);
    }
    return [
      el("h3", {}, "Upkeep"),
      el("p", {}, base.badge(on === others.length ? "good" : "bad", `${on} of ${others.length} on`), " The watch list, baselines and source health. Without them correlations find nothing; they are switched on with the first detection."),
      el("p", { class: "tq-buttons" }, base.button("Switch upkeep on", (event) => turn(base, app, event.target, { upkeep: true }, true, "upkeep")), base.button("Switch upkeep off", (event) => turn(base, app, event.target, { upkeep: true }, false, "upkeep"))),
      el("p", {}, base.badge(due ? "good" : "bad", due ? "due work is done" : "due work waits"), " The input tourniquet_due makes the rechecks after a minute, 35 minutes and a day, and finishes what was interrupted. On a search head cluster switch it on at every member: inputs are not replicated."),
      el("p", { class: "tq-buttons" }, base.button(due ? "Switch the input off" : "Switch the input on", (event) => input(event, !due))),
      el("h3", {}, "Detections"),
      el("p", {}, "Begin with one source, whose index you named in section 2. Halt first (section 6) if you only want to see what would be done: alerts are then judged, journaled and told, and nothing is changed."),
      tiers(base, app), bySource(base, app, detections(reply.body.searches)),
      el("h3", {}, "Baselines"),
      el("p", {}, "Detections that ask whether something is new add no points until their baseline holds 14 days. Before you switch them on, run each of these once by hand, as administrator (role admin or sc_admin: it writes the baseline). It looks as far back as it needs:"),
      base.more(`${seeds.length} searches that seed`, base.list(seeds.map((one) => base.link(`report?s=${encodeURIComponent(`/servicesNS/nobody/tourniquet/saved/searches/${encodeURIComponent(one.name)}`)}`, one.name))))];
  }

  function running(base, app) {
    const { el, field } = base;
    const health = app.state.health;
    const halted = app.state.halt.ok ? app.state.halt.body.halted : "";
    const reason = field({ name: "reason", label: "Reason", needed: true, help: "It goes into the journal and to the escalation channels." });
    const status = base.status();
    async function send(event) {
      event.preventDefault();
      if (!base.whole([reason], status)) return undefined;
      const reply = await base.busy(press, () => base.ask("POST", "halt", { halt: !halted, reason: reason.value.trim() }));
      if (!reply.ok) return base.showErrors([reason], status, reply);
      return app.changed("running", halted ? "Automation runs again" : "Halted", ["halt", "health"]);
    }
    const press = el("button", { type: "submit", class: halted ? "tq-main" : "tq-danger" }, halted ? "Resume" : "Halt all automatic writes");
    const found = health.ok ? health.body : {};
    const facts = health.ok ? base.list([
      `Version ${found.version}, KV store ${found.kvstore || "?"}`,
      found.due ? `${found.due.overdue} things are overdue${found.due.oldest ? `, the oldest since ${found.due.oldest}` : ""}` : "What is due can't be read",
      found.searches ? `${found.searches.enabled} of ${found.searches.total} searches are on` : "Searches can't be read",
    ]) : el("p", { class: "tq-error" }, health.error);
    return [
      el("p", {}, app.state.halt.ok ? base.badge(halted ? "bad" : "good", halted ? "halted" : "running") : base.badge("dim", "unknown"), halted ? ` ${halted}` : app.state.halt.ok ? "" : ` ${app.state.halt.error}`),
      app.may("tourniquet_restore") ? [app.person("To halt or resume"), halted ? el("p", {}, base.badge("bad", "mind"), " What was raised meanwhile is carried out when you resume. To end a trial, empty the journal instead (docs/splunk_setup.md).") : null,
        el("form", { class: "tq-form", onsubmit: send, "aria-label": "Halt or resume", novalidate: true }, reason.box, status, el("p", { class: "tq-buttons" }, press))]
        : app.lacks("tourniquet_restore", "To halt or resume"),
      el("h3", {}, "Health"), facts,
      (found.problems || []).length ? [el("p", {}, base.badge("bad", `problems: ${found.problems.length}`)), base.list(found.problems)] : null];
  }

  parts.searches = { render, detections, upkeep };
  parts.running = { render: running };
})();
