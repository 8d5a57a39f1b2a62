/* Setup page, section 3: the journal's key, the index of our events, whom to tell, times. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});
  const TIMING = [
    ["deadline", "Deadline", "seconds in which a containment tries before the rest stays due"],
    ["tell_after", "Tell after", "seconds until people hear of a containment that is not over yet"],
    ["confirm_patience", "Patience of a proof", "seconds to wait until a change shows"],
    ["federation_wait", "Wait for the identity provider", "seconds"],
    ["claim", "Claim", "seconds after which another search head may take over"],
    ["retry_due", "Try again", "seconds between tries of what is due"],
    ["rechecks", "Rechecks", "seconds after a containment, several"],
  ];

  function key(base, app) {
    const { el } = base;
    if (app.state.settings.body.journal_key) return el("p", {}, base.badge("good", "key made"), " Back up passwords.conf with etc/auth/splunk.secret: without the key all of the journal would look forged.");
    const status = base.status();
    const make = base.button("Create the journal's key", async () => {
      const reply = await base.busy(make, () => base.ask("POST", "settings", { journal_key: "create" }));
      if (!reply.ok) return base.showErrors([], status, reply);
      return app.changed("journal", "The key is made. It is never shown and never replaced.", ["settings", "setup", "health", "policy", "halt"]);
    }, { class: "tq-main" });
    return el("div", {}, el("p", {}, base.badge("bad", "no key"), " The journal can't be written, and nobody is contained. On a search head cluster press this on one member only."), status, el("p", { class: "tq-buttons" }, make));
  }

  function general(base, app) {
    const { el, field } = base;
    const found = app.state.settings.body;
    const own = (found.macros.tourniquet_own_index || { values: [] }).values.join(" ");
    const index = field({ name: "index", label: "Index for the app's own events", needed: true, value: found.general.index, help: "Make it first (Settings, Indexes). The macro tourniquet_own_index is set to the same." });
    const events = field({ name: "journal_events", label: "Copy every journal entry into this index", kind: "flag", value: found.general.journal_events !== "0", help: "The dashboards read these events; the journal itself is in the KV store." });
    const tenant = field({ name: "splunk_tenant", label: "Name of this Splunk", value: found.general.splunk_tenant, help: "The middle part of splunk:NAME:USER, by which the inventory knows Splunk users." });
    const ingest = field({ name: "unauthenticated_ingest", label: "Detections whose events anybody could send", kind: "lines", rows: 2, value: base.words(found.general.unauthenticated_ingest || "").join("\n"), help: "Ids such as okta/push_bombing_then_success, one a line. They restrict at most, until the vendor's own log confirms the event." });
    const times = TIMING.map(([name, label, help]) => field({ name, label, help, value: found.timing[name] }));
    const fields = [index, events, tenant, ingest, ...times];
    const status = base.status();
    const save = el("button", { type: "submit", class: "tq-main" }, "Save");
    async function send(event) {
      event.preventDefault();
      const timing = {};
      for (const one of times) {
        if (one.value.trim() === String(found.timing[one.name] || "")) continue;
        const numbers = base.words(one.value).map((word) => (word.trim() !== "" && Number.isFinite(Number(word)) ? Number(word) : word));
        timing[one.name] = one.name === "rechecks" ? numbers : numbers.length === 1 ? numbers[0] : one.value;
      }
      const body = { general: { index: index.value.trim(), journal_events: events.value, splunk_tenant: tenant.value.trim(), unauthenticated_ingest: base.words(ingest.value) } };
      if (Object.keys(timing).length) body.timing = timing;
      if (index.value.trim() && own !== index.value.trim()) body.macros = { tourniquet_own_index: index.value.trim() };
      const reply = await base.busy(save, () => base.ask("POST", "settings", body));
      if (!reply.ok) return base.showErrors(fields, status, reply, { tourniquet_own_index: "index" });
      return app.changed("journal", "Saved.", ["settings", "health"]);
    }
    return el("form", { class: "tq-form", onsubmit: send, "aria-label": "Journal and times", novalidate: true },
      el("div", { class: "tq-grid" }, index.box, tenant.box), events.box,
      base.more("Forged evidence", ingest.box), base.more("Times", el("div", { class: "tq-grid" }, times.map((one) => one.box))),
      status, el("p", { class: "tq-buttons" }, save));
  }

  function channels(base, app) {
    const { el, field } = base;
    const told = base.status();
    async function test(pressed, one) {
      const reply = await base.busy(pressed, () => base.ask("POST", "settings/test_escalation", { name: one.name }));
      if (!reply.ok) return base.say(told, "bad", reply.error);
      return base.say(told, reply.body.sent ? "good" : "bad", reply.body.sent ? `${one.name}: the test message was taken.` : `${one.name}: ${reply.body.failed.join(" ")}`);
    }
    async function remove(pressed, one) {
      const reply = await base.busy(pressed, () => base.ask("POST", "settings", { escalation: [{ name: one.name, remove: true }] }));
      app.changed("journal", reply.ok ? `${one.name} is removed` : reply.error, ["settings"], reply.ok);
    }
    const rows = app.state.settings.body.escalation.map((one) => [
      one.name, one.type, one.url_stored ? base.badge("good", "stored") : base.badge("bad", "no address"),
      el("span", { class: "tq-buttons" }, base.button("Send a test message", (event) => test(event.target, one), { "aria-label": `Send a test message to ${one.name}` }), base.twice("Remove", "Remove for good?", (pressed) => remove(pressed, one)))]);
    const name = field({ name: "name", label: "Name", needed: true, help: "letters, digits, blanks, - and _" });
    const type = field({ name: "type", label: "Kind", kind: "choice", options: [["slack", "Slack"], ["webhook", "Webhook (JSON)"]] });
    const url = field({ name: "url", label: "Address", kind: "password", needed: true, help: "https; kept as a secret, for whoever knows it may post" });
    const ca = field({ name: "ca_pem", label: "Private CA", kind: "lines", help: "PEM, if it is needed" });
    const fields = [name, type, url, ca];
    const status = base.status();
    const save = el("button", { type: "submit" }, "Add channel");
    async function send(event) {
      event.preventDefault();
      if (!base.whole(fields, status)) return undefined;
      const one = { name: name.value.trim(), type: type.value, url: url.value.trim() };
      if (ca.value.trim()) one.ca_pem = ca.value;
      const reply = await base.busy(save, () => base.ask("POST", "settings", { escalation: [one] }));
      if (!reply.ok) return base.showErrors(fields, status, reply);
      return app.changed("journal", `${one.name} is stored. Send a test message.`, ["settings", "health"]);
    }
    return [el("h3", {}, "Whom to tell"),
      rows.length ? base.table(["Name", "Kind", "Address", "Do"], rows, "Escalation channels") : el("p", {}, base.badge("bad", "no channel"), " Nobody would hear of a containment."), told,
      base.more("Add a channel", el("form", { class: "tq-form", onsubmit: send, "aria-label": "New escalation channel", novalidate: true },
        el("div", { class: "tq-grid" }, fields.map((one) => one.box)), status, el("p", { class: "tq-buttons" }, save)))];
  }

  function render(base, app) {
    if (!app.state.settings.ok) return [base.el("p", { class: "tq-error" }, app.state.settings.error)];
    return [base.el("h3", {}, "Journal"), key(base, app), general(base, app), channels(base, app)];
  }

  parts.journal = { render };
})();
