/* Setup page, section 4: the policy in use, a new one checked and proposed, a proposed one activated by somebody else. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});
  const LIMITS = [
    ["revokes", "Revokes an hour", ""], ["restricts", "Restricts an hour", ""],
    ["population_share", "Share of the population an hour", "0.005 is half a per cent; the smaller of both counts"],
    ["never_under", "But never under", ""], ["guarded", "Privileged and production services an hour", ""],
    ["detection_share", "Most that one detection may use", "0.4 is 40 %"], ["kept_for_clicks", "Kept for analysts' clicks", "0.3 is 30 %"],
    ["kept_for_automation", "Kept for automation", "0.3 is 30 %: a stolen session must not use all of it"],
  ];
  const MOST = 4 * 1024 * 1024;

  const BUILD = "Splunk takes a policy as JSON: run tourniquet policy build FILE.yaml where the command line is, and choose the FILE.json that it writes";
  const CASES = "Splunk takes cases as JSON; those in YAML run with tourniquet policy test";
  const BACKTEST = "Run tourniquet policy backtest ALERTS --policy FILE --record RECORD with the policy's file over past alerts, and choose the RECORD that it writes";

  async function json(file, remedy) {
    if (file.size > MOST) throw new Error(`${file.name} has more than 4 MB`);
    try {
      return JSON.parse(await file.text());
    } catch (error) {
      throw new Error(/\.ya?ml$/i.test(file.name) ? `${file.name} is YAML. ${remedy}.` : `${file.name} is no JSON: ${error.message}. ${remedy}.`);
    }
  }

  function outcome(base, body) {
    const { el } = base;
    const failed = body.cases.filter((one) => !one.passed);
    return [
      el("h4", {}, body.diff.length ? `Differences from the policy in use: ${body.diff.length}` : "Nothing differs from the policy in use"),
      body.diff.length ? base.list(body.diff) : null,
      body.cases.length ? [el("h4", {}, `${body.cases.length - failed.length} of ${body.cases.length} cases decide as they expect`),
        base.table(["Case", "Passed", "Difference"], body.cases.map((one) => [one.name, base.badge(one.passed ? "good" : "bad", one.passed ? "yes" : "no"), one.difference || "–"]), "Cases")] : el("p", {}, "No cases were given: nothing says what it should decide.")];
  }

  function errors(base, reply) {
    if (!reply.errors.length) return [base.el("p", { class: "tq-error" }, reply.error)];
    return [base.el("h4", {}, `Errors: ${reply.errors.length}`),
      base.table(["Place", "What", "Remedy"], reply.errors.map((one) => [one.place, one.what, one.remedy]), "Errors of the policy")];
  }

  /* Check and propose, for a file or for changed limits: `read` gives {policy, cases}, or throws a sentence. */
  function proposal(base, app, title, inner, read) {
    const { el, field } = base;
    const why = field({ name: "why", label: "Why", help: "Who activates it reads this." });
    const status = base.status();
    const shown = el("div", {});
    async function go(pressed, dry) {
      why.fail("");
      shown.replaceChildren();
      let given;
      try {
        given = await read();
      } catch (error) {
        return base.say(status, "bad", error.message);
      }
      if (!dry && !why.value.trim()) {
        why.fail("is missing. Say why");
        return why.control.focus();
      }
      const reply = await base.busy(pressed, () => base.ask("POST", "policy", { ...given, why: why.value.trim(), dry_run: dry }));
      if (!reply.ok) {
        base.say(status, "bad", reply.errors.length ? "Refused. Nothing is stored." : reply.error);
        return shown.replaceChildren(...(reply.errors.length ? errors(base, reply) : []).filter(Boolean));
      }
      if (!dry) return app.changed("policy", `Stored as ${reply.body.version}. Another person must activate it.`, ["policy"]);
      base.say(status, "good", "Checked: it can be proposed. Nothing is stored yet.");
      return shown.replaceChildren(...outcome(base, reply.body).flat().filter(Boolean));
    }
    const check = base.button("Check", () => go(check, true));
    const propose = base.button("Propose", () => go(propose, false), { class: "tq-main" });
    return base.more(title, el("div", { class: "tq-form", role: "group", "aria-label": title }, inner, why.box, status, el("p", { class: "tq-buttons" }, check, propose), shown));
  }

  function upload(base, app) {
    const policy = base.field({ name: "file", label: "Policy", kind: "file", accept: ".json,application/json", help: "JSON: what tourniquet policy build makes of your YAML, or the one in use, saved above and changed" });
    const cases = base.field({ name: "cases", label: "Cases", kind: "file", accept: ".json,application/json", help: 'JSON, a list or {"cases": […]}; those in YAML run with tourniquet policy test. A proposal with a case that decides otherwise is not stored.' });
    return proposal(base, app, "Propose a policy from a file", base.el("div", { class: "tq-grid" }, policy.box, cases.box), async () => {
      const file = policy.control.files[0];
      if (!file) throw new Error("Choose a file with the policy.");
      const found = await json(file, BUILD);
      const given = found && typeof found === "object" && found.policy ? found : { policy: found };
      const body = { policy: given.policy, cases: Array.isArray(given.cases) ? given.cases : [] };
      if (cases.control.files[0]) {
        const more = await json(cases.control.files[0], CASES);
        body.cases = Array.isArray(more) ? more : (more && more.cases) || [];
      }
      return body;
    });
  }

  function limits(base, app) {
    const now = app.state.policy.body.policy;
    const told = new Map(LIMITS.map((one) => [one[0], one]));
    const names = [...told.keys(), ...Object.keys(now.limits).filter((name) => !told.has(name))].filter((name) => typeof now.limits[name] === "number");
    const fields = names.map((name) => {
      const [, label, help] = told.get(name) || [name, name, "see docs/policy.md"];
      return base.field({ name: `limits.${name}`, label, help, kind: "number", step: "any", value: now.limits[name] });
    });
    return proposal(base, app, "Change blast limits", [base.el("p", {}, "How much may be contained in an hour. A new version of the policy, in all else the same."),
      base.el("div", { class: "tq-grid" }, fields.map((one) => one.box))], () => {
      const policy = JSON.parse(JSON.stringify(now));
      for (const one of fields) {
        if (one.value === "" || !Number.isFinite(Number(one.value))) throw new Error(`${one.box.querySelector("label").textContent}: give a number`);
        policy.limits[one.name.slice(7)] = Number(one.value);
      }
      return { policy, cases: [] };
    });
  }

  function versions(base, app) {
    const { el, field } = base;
    const found = app.state.policy.body;
    const needed = found.versions.some((one) => one.backtest && !one.used);
    const why = field({ name: "activate_why", label: "Why it is activated" });
    const record = field({ name: "record", label: "Record of its backtest", kind: "file", accept: ".json,application/json", help: `For a version that says it is needed: over past alerts, of exactly this version, at most 7 days old. ${BACKTEST}.` });
    record.show(needed);
    const fields = [why, record];
    const status = base.status();
    async function activate(pressed, one) {
      for (const each of fields) each.fail("");
      const body = { version: one.version, why: why.value.trim() };
      if (!body.why) {
        why.fail("is missing. Say why");
        return why.control.focus();
      }
      if (one.backtest) {
        const file = record.control.files[0];
        try {
          if (!file) throw new Error(`Is missing. ${BACKTEST}.`);
          body.record = await json(file, BACKTEST);
        } catch (error) {
          record.fail(error.message);
          base.say(status, "bad", `Nothing is sent: ${one.version} is activated only with the record of its backtest.`);
          return record.control.focus();
        }
      }
      const reply = await base.busy(pressed, () => base.ask("POST", "policy/activate", body));
      if (!reply.ok) return base.showErrors(fields, status, reply);
      return app.changed("policy", `In use: ${one.version || "the default"}`, ["policy", "health"]);
    }
    const all = [...found.versions, { version: "", by: "–", at: "–", why: "the default that ships", used: !found.used, backtest: false }];
    return base.more(`Versions (${found.versions.length})`, el("div", { class: "tq-form" },
      base.table(["Version", "By", "At", "Why", "Backtest", "In use", "Do"], all.map((one) => [
        one.version || "default", one.by, one.at, one.why, one.backtest ? "needed" : "–", one.used ? base.badge("good", "in use") : "–",
        one.used ? "" : base.button("Activate", (event) => activate(event.target, one), { "aria-label": `Activate ${one.version || "the default"}` })]), "Versions of the policy"),
      el("div", { class: "tq-grid" }, why.box, record.box), status));
  }

  function render(base, app) {
    const { el } = base;
    const reply = app.state.policy;
    if (!reply.ok) return [el("p", { class: "tq-error" }, reply.error)];
    const save = base.button("Save the policy in use as a file", () => {
      const url = URL.createObjectURL(new Blob([`${JSON.stringify(reply.body.policy, null, 1)}\n`], { type: "application/json" }));
      el("a", { href: url, download: `tourniquet-policy-${reply.body.used || "default"}.json` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    const may = app.may("tourniquet_edit_policy");
    const human = (reply.body.policy.thresholds || {}).human || {};
    return [
      el("p", {}, "In use: ", el("strong", {}, reply.body.used || "the default that ships"), ` – a human is restricted from ${human.restrict}, revoked from ${human.revoke}; at most ${reply.body.policy.limits.revokes} revokes and ${reply.body.policy.limits.restricts} restricts an hour.`),
      el("p", { class: "tq-buttons" }, save),
      may ? [el("p", {}, "One person proposes, another one activates. Both must be people of the inventory."), app.person("To propose or activate"), upload(base, app), limits(base, app), versions(base, app)]
        : app.lacks("tourniquet_edit_policy", "To propose or activate a policy")];
  }

  parts.policy = { render };
})();
