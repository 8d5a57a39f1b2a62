/* The app's setup page: reads what there is, shows what is missing, and puts the sections together (setup_*.js).
   Plain JavaScript, calls to this Splunk only. Files may arrive in any order: it starts when all are there. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});
  const PARTS = ["base", "connections", "sources", "journal", "policy", "searches", "running"];
  const ROLES = { tourniquet_configure: "tourniquet_admin", tourniquet_edit_policy: "tourniquet_policy_editor", tourniquet_restore: "tourniquet_restorer", tourniquet_view_journal: "tourniquet_viewer" };
  const SECTIONS = [
    ["connections", "1. Vendor connections", "tourniquet_configure"], ["sources", "2. Sources", "tourniquet_configure"],
    ["journal", "3. Journal and escalation", "tourniquet_configure"], ["policy", "4. Policy", "tourniquet_view_journal"],
    ["searches", "5. Searches", "tourniquet_configure"], ["running", "6. Halt and health", "tourniquet_view_journal"],
  ];
  const READS = {
    setup: "setup", connections: "connections", settings: "settings", policy: "policy", searches: "searches", health: "health", halt: "halt",
  };
  /* Which sections show what was read. */
  const SHOWN = { setup: ["connections", "policy", "searches", "running"], connections: ["connections"], settings: ["sources", "journal"], policy: ["policy"], searches: ["searches"], health: ["running"], halt: ["running"], measured: ["sources"] };

  function start(host) {
    const { base } = parts;
    const { el } = base;
    const app = { state: {}, tests: {} };
    const said = {};
    const bodies = {};
    const top = el("div", { class: "tq-top" });

    app.may = (capability) => app.state.setup.ok && app.state.setup.body.capabilities.includes(capability);
    app.lacks = (capability, what) => el("p", { class: "tq-lacks" }, base.badge("dim", "not yours"),
      ` ${what} you need the capability ${capability}, which the role ${ROLES[capability]} has. Ask an administrator of this Splunk.`);
    app.person = (what) => {
      const found = app.state.setup.body;
      return found.identity ? el("p", { class: "tq-help" }, `You are ${found.identity} of the inventory.`)
        : el("p", { class: "tq-lacks" }, base.badge("bad", "mind"), ` ${what} you must be a person of the inventory. ${base.large(found.problem)}.`);
    };
    /* After something was done: what to say in its section, and what to read anew. */
    app.changed = async (section, text, names, good) => {
      said[section] = { text, kind: good === false ? "bad" : "good" };
      await read(names);
      const sections = new Set([section, ...names.flatMap((name) => SHOWN[name])]);
      draw([...sections]);
      const place = bodies[section].querySelector(".tq-status");
      if (place) place.focus();
    };

    async function read(names) {
      await Promise.all(names.map(async (name) => {
        app.state[name] = name === "measured"
          ? await base.call("GET", "storage/collections/data/tourniquet_sources") : await base.ask("GET", READS[name]);
      }));
    }

    function items() {
      const { setup, settings, connections, searches, health } = app.state;
      const unknown = (text) => [text, null, ""];
      const found = [];
      if (settings.ok) {
        const body = settings.body;
        const own = (body.macros.tourniquet_own_index || { values: [] }).values.join(" ");
        found.push(["The journal has its key", body.journal_key, "journal"]);
        found.push([`The app's events have an index of their own (${body.general.index})`, body.general.index !== "main" && own === body.general.index, "journal"]);
        found.push(["Somebody is told: an escalation channel", body.escalation.length > 0, "journal"]);
        const named = parts.sources.groups(body.sources).filter((one) => !parts.sources.unset(body.macros, one[0]));
        found.push([`Sources with an index of their own: ${named.filter((one) => one[0].index_macro !== "tourniquet_own_index").length}`, named.some((one) => one[0].index_macro !== "tourniquet_own_index"), "sources"]);
        if (connections.ok) {
          const wrong = connections.body.connections.filter((one) => !one.disabled).filter((one) => {
            const macro = body.macros[`tourniquet_${one.vendor}_tenant`];
            return macro && macro.values.length && macro.values[0] !== one.tenant;
          });
          found.push([wrong.length ? `Tenant of connection and source differ: ${wrong.map((one) => `${one.name} says ${one.tenant}`).join(", ")}` : "Connections and sources name the same tenants", !wrong.length, "sources"]);
        }
      } else found.push(unknown("Journal, sources, channels: not yours to see"));
      if (connections.ok) {
        const on = connections.body.connections.filter((one) => !one.disabled);
        const tested = on.filter((one) => app.tests[one.name] && app.tests[one.name].ok && app.tests[one.name].body.ready);
        found.push([`Vendors are connected: ${on.length}`, on.length > 0, "connections"]);
        found.push([`Connections tested here and ready: ${tested.length} of ${on.length}`, on.length > 0 && tested.length === on.length, "connections"]);
      }
      if (setup.ok) {
        const body = setup.body;
        found.push(["The inventory is uploaded (docs/inventory.md: tourniquet splunk inventory)", body.accounts, ""]);
        found.push([`People who may restore: ${body.restorers === null ? "unknown" : body.restorers} (two are needed for a privileged identity)`, body.restorers === null ? null : body.restorers > 1, ""]);
        found.push(["Due work is done each minute", body.due_input, "searches"]);
        found.push(["Vendors are checked each hour", body.vendor_check, "connections"]);
      }
      if (searches.ok) {
        const all = parts.searches.detections(searches.body.searches);
        const on = all.filter((one) => one.enabled).length;
        const others = parts.searches.upkeep(searches.body.searches);
        found.push([`Detections that run: ${on} of ${all.length}`, on > 0, "searches"]);
        found.push(["Upkeep searches run", others.every((one) => one.enabled), "searches"]);
      }
      if (health.ok) found.push([health.body.problems.length ? `Health, problems: ${health.body.problems.length}` : "Health: no problems", !health.body.problems.length, "running"]);
      if (app.state.halt.ok) found.push([app.state.halt.body.halted ? "Automation is halted" : "Automation is not halted", !app.state.halt.body.halted, "running"]);
      return found;
    }

    function checklist() {
      const found = items();
      const done = found.filter((one) => one[1] === true).length;
      const lines = found.map(([text, state, section]) => el("li", { class: state === true ? "tq-done" : state === false ? "tq-missing" : "tq-unknown" },
        el("span", { class: "tq-mark" }, state === true ? "done" : state === false ? "missing" : "unknown"), " ",
        section ? el("a", { href: `#tq-section-${section}` }, text) : text));
      const status = base.status();
      const finish = base.button("Mark the set-up as complete", async () => {
        const reply = await base.busy(finish, () => base.ask("POST", "setup", { configured: true }));
        if (!reply.ok) return base.showErrors([], status, reply);
        await read(["setup"]);
        return draw([]);
      }, { class: "tq-main" });
      const configured = app.state.setup.ok && app.state.setup.body.configured;
      top.replaceChildren(...[
        el("h2", {}, `What is done: ${done} of ${found.length}`),
        el("progress", { max: found.length, value: done, "aria-label": "Progress of the set-up" }),
        el("ul", { class: "tq-list" }, lines),
        configured ? el("p", {}, base.badge("good", "complete"), " The set-up was marked as complete; everything can still be changed here.")
          : app.may("tourniquet_configure") ? el("div", {}, el("p", {}, "Until it is marked as complete, Splunk leads to this page instead of the overview."), status, el("p", { class: "tq-buttons" }, finish)) : null,
      ].filter(Boolean));
    }

    /* What was typed and not sent survives when a section is drawn anew: by form and field. */
    const key = (control) => `${(control.closest(".tq-form") || control).getAttribute("aria-label")}|${control.name}`;
    const controls = (place) => [...place.querySelectorAll("input:not([type=file]), select, textarea")];
    function typed(place) {
      return new Map(controls(place).filter((one) => one.dataset.typed && !one.closest("[data-sent]"))
        .map((one) => [key(one), one.type === "checkbox" ? one.checked : one.value]));
    }
    function restore(place, kept) {
      for (const one of controls(place)) {
        if (one.dataset.typed || !kept.has(key(one))) continue;
        if (one.type === "checkbox") one.checked = kept.get(key(one));
        else one.value = kept.get(key(one));
        one.dataset.typed = "1";
      }
    }

    function draw(names) {
      checklist();
      for (const name of names) {
        const [, , capability] = SECTIONS.find((one) => one[0] === name);
        const place = bodies[name];
        const open = new Set([...place.querySelectorAll("details[open] > summary")].map((one) => one.firstChild.textContent));
        const inner = app.may(capability) || name === "policy" && app.may("tourniquet_edit_policy") ? parts[name].render(base, app) : app.lacks(capability, "To see this section");
        const kept = typed(place);
        const status = base.status();
        status.tabIndex = -1;
        if (said[name]) base.say(status, said[name].kind, said[name].text);
        delete said[name];
        place.replaceChildren(status, ...[inner].flat(3).filter(Boolean));
        restore(place, kept);
        for (const one of place.querySelectorAll("details > summary")) if (open.has(one.firstChild.textContent)) one.parentNode.open = true;
      }
    }

    async function first() {
      host.replaceChildren(el("p", { role: "status" }, "Reading the app's settings …"));
      await read(["setup"]);
      if (!app.state.setup.ok) {
        const mine = app.state.setup.status === 403
          ? "Setting up Tourniquet needs the capability tourniquet_configure, which the roles tourniquet_admin, admin and sc_admin have. Ask an administrator of this Splunk."
          : "Reload the page when that is done.";
        host.replaceChildren(el("h2", {}, "This page can't be shown"), el("p", { class: "tq-error", role: "alert" }, app.state.setup.error), el("p", {}, mine));
        return;
      }
      await read(["connections", "settings", "policy", "searches", "health", "halt", "measured"]);
      host.replaceChildren(el("p", { class: "tq-help" }, `You are ${app.state.setup.body.user}. Nothing you enter leaves this Splunk but to the vendors you name.`), top,
        ...SECTIONS.map(([name, title, capability]) => {
          bodies[name] = el("div", { class: "tq-body" });
          return el("section", { id: `tq-section-${name}`, "aria-labelledby": `tq-title-${name}` },
            el("h2", { id: `tq-title-${name}` }, title), el("p", { class: "tq-help" }, `Role ${ROLES[capability]}, capability ${capability}.`), bodies[name]);
        }));
      draw(SECTIONS.map((one) => one[0]));
    }

    /* Splunk's dark theme: told by what is behind the page, since its markup differs between versions. */
    function dark() {
      for (let at = host; at; at = at.parentElement) {
        const found = /^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/.exec(getComputedStyle(at).backgroundColor);
        if (found && found[4] !== "0") return (0.299 * found[1] + 0.587 * found[2] + 0.114 * found[3]) < 128;
      }
      return false;
    }
    host.addEventListener("input", (event) => { event.target.dataset.typed = "1"; });
    host.classList.toggle("tq-dark", dark());
    first();
  }

  const waits = setInterval(() => {
    const host = document.getElementById("tourniquet-setup");
    if (!host || PARTS.some((name) => !parts[name])) return;
    clearInterval(waits);
    start(host);
  }, 50);
})();
