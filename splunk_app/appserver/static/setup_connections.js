/* Setup page, section 1: connections to vendors, and what each credential may do. Secrets only go in. */
(function () {
  "use strict";
  const parts = (window.TourniquetSetup = window.TourniquetSetup || {});
  const PEM = "the private key as PEM, from -----BEGIN to -----END";
  /* Which fields a vendor has is what the REST interface takes (docs/splunk_rest.md): sign-in fields by credential. */
  const VENDORS = {
    okta: {
      title: "Okta", url: "https://corp.okta.com", tenant: "The middle part of Okta's account ids in your inventory, as in okta:corp:00u1.",
      credentials: [["private_key", "private key (API services application, recommended)"], ["api_token", "API token (SSWS)"]],
      plain: {
        private_key: [["client_id", "Client id", "of the API services application", true], ["key_id", "Key id", "needed if the application has several keys"],
          ["scopes", "Scopes", "separated by blanks; docs/splunk_setup.md lists what each action needs", true]],
        api_token: [],
      },
      settings: [["quarantine_group", "Quarantine group", "Its id, 00g…: a group whose sign-on policy denies access and admits no push approval."]],
      lack: "Grant these scopes to the application, and write them into its scopes here:",
    },
    entra: {
      title: "Microsoft Entra ID", url: "https://graph.microsoft.com", tenant: "The directory (tenant) id.",
      credentials: [["private_key", "certificate (recommended)"], ["client_secret", "client secret"]],
      plain: {
        private_key: [["client_id", "Application (client) id", "", true], ["thumbprint", "Thumbprint", "SHA-1 of the certificate, hexadecimal", true]],
        client_secret: [["client_id", "Application (client) id", "", true]],
      },
      always: [["login", "Login host", "only in a national cloud; otherwise leave it empty"]],
      settings: [["quarantine_group", "Quarantine group", "Its object id: a group that a Conditional Access policy blocks."]],
      lack: "Add these application permissions of Microsoft Graph to the app registration, then grant admin consent:",
    },
    cyberark: {
      premises: true, title: "CyberArk", url: "https://pvwa.corp.example", tenant: "A name of your own, as in cyberark:pam:12.",
      credentials: [["password", "password"]],
      plain: { password: [["username", "User name", "a user of its own, whose password the CPM does not manage", true], ["method", "Sign-in method", "CyberArk, LDAP or RADIUS; CyberArk if left empty"]] },
      settings: [], lack: "Give the user these authorizations, groups or safe permissions:",
    },
    vault: {
      premises: true, title: "HashiCorp Vault or OpenBao", url: "https://vault.corp.example:8200", tenant: "A name of your own, as in vault:prod:entity-id.",
      credentials: [["secret_id", "AppRole (recommended)"], ["token", "token"]],
      plain: { secret_id: [["role_id", "Role id", "", true], ["approle_mount", "Mount of AppRole", "approle if left empty"]], token: [] },
      settings: [["namespace", "Namespace", "Enterprise only."]],
      lack: "Add these lines to the policy of the responder's role:",
    },
  };
  const SECRETS = { private_key: "secret", api_token: "secret", client_secret: "secret", password: "secret", secret_id: "secret", token: "secret", relay_key: "secret" };

  /* "read, update on identity/entity/id/*" as a line of a Vault policy; anything else as it is. */
  function pasted(vendor, missing) {
    return missing.map((text) => {
      const found = vendor === "vault" ? /^([a-z, ]+) on (\S+)$/.exec(text) : null;
      if (!found) return text;
      const rights = found[1].split(/, */).map((right) => JSON.stringify(right)).join(", ");
      return `path ${JSON.stringify(found[2])} { capabilities = [${rights}] }`;
    }).join(vendor === "okta" ? " " : "\n");
  }

  const yes = (base, value) => base.badge(value === true ? "good" : value === false ? "bad" : "dim", value === true ? "yes" : value === false ? "no" : "unknown");

  function readiness(base, vendor, found, title) {
    const { el } = base;
    const rank = (item) => (item.ready === false ? 0 : item.ready === null ? 1 : 2);
    const used = found.actions.filter((item) => item.in_policy).sort((a, b) => rank(a) - rank(b));
    const others = found.actions.filter((item) => !item.in_policy);
    const missing = [...new Set(used.flatMap((item) => item.missing))];
    const rows = (items) => items.map((item) => [item.name, yes(base, item.ready), item.missing.join("; ") || "–", item.unknown.join("; ") || "–"]);
    const heads = ["Action", "Ready", "Missing", "The vendor does not say"];
    const box = el("textarea", { readonly: true, rows: Math.min(10, missing.length + 1), "aria-label": `${VENDORS[vendor].title}: to paste`, onfocus: (event) => event.target.select() });
    box.value = pasted(vendor, missing);
    return el("div", { class: "tq-readiness" },
      el("h4", {}, title, " ", base.badge(found.ready ? "good" : "bad", found.ready ? "ready" : "not ready")),
      el("p", {}, "Reachable: ", yes(base, found.reachable), "  Signed in: ", yes(base, found.authenticated)),
      found.relay ? el("p", {}, `Relay ${found.relay} asked for work within the last minute: `, found.relay_seen.join(", ") || "no") : null,
      found.problem ? el("p", { class: "tq-error" }, found.problem) : null,
      !used.length ? null : found.ready ? base.more(`Actions of the policy: ${used.length}, none lacks anything`, base.table(heads, rows(used), `${title}: actions of the policy`))
        : base.table(heads, rows(used), `${title}: actions of the policy`),
      missing.length ? [el("p", {}, VENDORS[vendor].lack), box] : null,
      found.notes.length ? [el("p", {}, "Notes"), base.list(found.notes)] : null,
      others.length ? base.more(`Actions that your policy does not use: ${others.length}`, base.table(heads, rows(others), `${title}: other actions`)) : null);
  }

  function credentialFields(base, about, before, place) {
    const from = before || {};
    const choice = base.field({ name: `${place}credential`, label: "Credential", kind: "choice", options: about.credentials, value: from.credential || about.credentials[0][0] });
    choice.show(about.credentials.length > 1);
    const names = new Map();
    for (const list of [...Object.values(about.plain), about.always && !place ? about.always : []]) for (const one of list) names.set(one[0], one);
    const plain = [...names.values()].map(([name, label, help, needed]) => base.field({ name: place + name, label, help, needed, value: from[name] }));
    const kept = from.secret_stored ? "Stored. Leave it empty to keep it; what is stored is never shown." : "Goes into Splunk's credential store and is never shown again.";
    const key = base.field({ name: `${place}secret`, label: "Private key", kind: "lines", secret: true, help: `${PEM}. ${kept}`, needed: !from.secret_stored });
    const one = base.field({ name: `${place}secret`, label: "Secret", kind: "password", help: kept, needed: !from.secret_stored });
    function turn() {
      const list = [...(about.plain[choice.value] || []), ...(about.always && !place ? about.always : [])].map((item) => place + item[0]);
      for (const item of plain) item.show(list.includes(item.name));
      key.show(choice.value === "private_key");
      one.show(choice.value !== "private_key");
      one.box.querySelector("label").firstChild.textContent = (about.credentials.find(([value]) => value === choice.value) || ["", "Secret"])[1].replace(/ \(.*/, "");
    }
    choice.control.addEventListener("change", turn);
    turn();
    return { choice, all: [choice, ...plain, key, one], read() {
      const found = { credential: choice.value };
      for (const item of plain) if (!item.box.hidden) found[item.name.slice(place.length)] = item.value.trim();
      const secret = (key.box.hidden ? one : key).value;
      if (secret) found.secret = secret;
      return found;
    } };
  }

  function form(base, app, vendor, before, done) {
    const { el, field } = base;
    const about = VENDORS[vendor];
    const from = before || { settings: {} };
    const tenant = field({ name: "tenant", label: "Tenant", help: about.tenant, needed: !before, value: from.tenant });
    tenant.control.disabled = Boolean(before);
    const url = field({ name: "url", label: "Address", help: "https only.", example: about.url, needed: true, value: from.url || (vendor === "entra" ? about.url : "") });
    const main = credentialFields(base, about, from.relay ? null : before, ""); // a relay's key is no credential of the vendor
    const settings = about.settings.map(([name, label, help]) => field({ name: `settings.${name}`, label, help, value: from.settings[name] }));
    const ca = field({ name: "ca_pem", label: "Private CA", kind: "lines", help: `PEM certificates, if the vendor's certificate is not from a public CA. ${from.ca_set ? "One is stored: leave it empty to keep it." : ""}` });
    const noCa = field({ name: "no_ca", label: "Forget the stored CA", kind: "flag" });
    noCa.show(Boolean(from.ca_set));
    const proxy = field({ name: "proxy", label: "Proxy", help: "address and port, without a password", value: from.proxy });
    const proxySecret = field({ name: "proxy_secret", label: "Proxy with a password", kind: "password", help: `the whole address with user and password, in place of the field above. ${from.proxy_secret_stored ? "Stored: leave it empty to keep it." : ""}` });
    const second = field({ name: "second", label: "A second credential for privileged identities", kind: "flag", value: Boolean(from.privileged), help: "Recommended: the first one then needs no right over administrators." });
    const other = credentialFields(base, about, from.privileged, "privileged.");
    const box = el("fieldset", {}, el("legend", {}, "Second credential"), other.all.map((item) => item.box));
    const turn = () => { box.hidden = !second.value; };
    second.control.addEventListener("change", turn);
    turn();
    const relay = field({ name: "relay", label: "Through a relay", value: from.relay, help: "The name of a relay in your network, where no search head can reach the vendor. The relay then has the address and the credential; docs/relay.md of the project." });
    const relayKey = field({ name: "secret", label: "Key of the relay", kind: "password", needed: !(from.relay && from.secret_stored), help: from.relay && from.secret_stored ? "Stored. Leave it empty to keep it; another relay wants its key." : "The same key as in the relay's settings." });
    relay.show(Boolean(about.premises));
    const own = [el("div", { class: "tq-grid" }, url.box, main.all.map((item) => item.box)), el("div", {},
      base.more("Private CA and proxy", el("div", { class: "tq-grid" }, ca.box, noCa.box, proxy.box, proxySecret.box)), second.box, box)];
    const through = () => relay.value.trim();
    const turnRelay = () => { for (const part of own) part.hidden = Boolean(through()); relayKey.show(Boolean(through())); };
    relay.control.addEventListener("input", turnRelay);
    turnRelay();
    const off = field({ name: "disabled", label: "Switched off: nothing is contained here", kind: "flag", value: from.disabled });
    const fields = [tenant, relay, relayKey, url, ...main.all, ...settings, ca, noCa, proxy, proxySecret, second, ...other.all, off];
    const status = base.status();
    const result = el("div", {});
    function body() {
      const found = through() ? { relay: through(), credential: "relay_key", disabled: off.value } : { url: url.value.trim(), ...main.read(), disabled: off.value };
      if (!through() && from.relay) found.relay = "";
      if (through() && relayKey.value) found.secret = relayKey.value;
      if (!before) Object.assign(found, { vendor, tenant: tenant.value.trim() });
      const kept = { ...from.settings };
      for (const item of settings) kept[item.name.slice(9)] = item.value.trim();
      if (Object.keys(kept).length) found.settings = kept;
      if (through()) return found;
      if (ca.value.trim()) found.ca_pem = ca.value;
      else if (noCa.value) found.ca_pem = "";
      if (proxy.value.trim() !== (from.proxy || "")) found.proxy = proxy.value.trim();
      if (proxySecret.value) found.proxy_secret = proxySecret.value;
      if (second.value) found.privileged = other.read();
      else if (from.privileged) found.privileged = null;
      return found;
    }
    const aliases = { ...SECRETS, ca: "ca_pem" };
    for (const [name, to] of Object.entries(SECRETS)) aliases[`privileged.${name}`] = `privileged.${to}`;
    async function save(event) {
      event.preventDefault();
      if (!base.whole(fields, status)) return undefined;
      const reply = await base.busy(saves, () => base.ask("POST", before ? `connections/${before.name}` : "connections", body()));
      if (!reply.ok) return base.showErrors(fields, status, reply, aliases);
      delete app.tests[reply.body.connection.name];
      return done(`${reply.body.connection.name} is saved. Test it now.`);
    }
    async function probe() {
      if (!base.whole(fields, status)) return undefined;
      const reply = await base.busy(tries, () => base.ask("POST", "connections/test", { candidate: body() }));
      result.replaceChildren();
      if (!reply.ok) return base.showErrors(fields, status, reply, aliases);
      for (const item of fields) item.fail("");
      base.say(status, reply.body.ready ? "good" : "bad", reply.body.ready ? "Ready. Nothing is saved yet." : "Not ready: see below. Nothing is saved yet.");
      result.replaceChildren(...shown(base, vendor, reply.body));
      return undefined;
    }
    const saves = el("button", { type: "submit", class: "tq-main" }, "Save");
    const tries = base.button("Test before saving", probe);
    return el("form", { class: "tq-form", "aria-label": `${about.title} connection`, onsubmit: save, novalidate: true },
      el("h3", {}, before ? `${about.title}: ${before.name}` : `New connection: ${about.title}`),
      el("div", { class: "tq-grid" }, tenant.box, relay.box, relayKey.box), own[0],
      el("div", { class: "tq-grid" }, settings.map((item) => item.box)), own[1], off.box, status,
      before ? el("p", { class: "tq-help" }, "A change of address, proxy, CA or login host wants the secret again: a stored secret is only sent where it was entered for.") : null,
      el("p", { class: "tq-buttons" }, saves, before ? null : tries, base.button("Cancel", () => done(""))), result);
  }

  function shown(base, vendor, found) {
    return [readiness(base, vendor, found, "First credential"), found.privileged ? readiness(base, vendor, found.privileged, "Second credential, for privileged identities") : null].filter(Boolean);
  }

  function render(base, app) {
    const { el } = base;
    const reply = app.state.connections;
    if (!reply.ok) return [el("p", { class: "tq-error" }, reply.error)];
    const place = app.form || (app.form = el("div", {})); // one that is open stays when the rest is drawn anew
    const open = (vendor, before) => {
      place.replaceChildren(form(base, app, vendor, before, (text) => {
        place.replaceChildren();
        if (text) app.changed("connections", text, ["connections", "setup", "health"]);
      }));
      const first = place.querySelector("input:not([disabled])");
      if (first) first.focus();
    };
    async function test(pressed, one) {
      const found = await base.busy(pressed, () => base.ask("POST", "connections/test", { name: one.name }));
      app.tests[one.name] = found;
      app.changed("connections", found.ok ? `${one.name}: ${found.body.ready ? "ready" : "not ready, see below"}` : found.error, [], found.ok && found.body.ready);
    }
    async function testAll(pressed) {
      const on = reply.body.connections.filter((one) => !one.disabled);
      await base.busy(pressed, () => Promise.all(on.map(async (one) => {
        app.tests[one.name] = await base.ask("POST", "connections/test", { name: one.name });
      })));
      const ready = on.filter((one) => app.tests[one.name].ok && app.tests[one.name].body.ready);
      app.changed("connections", `Ready: ${ready.length} of ${on.length}`, [], ready.length === on.length);
    }
    async function remove(pressed, one) {
      const found = await base.busy(pressed, () => base.ask("POST", `connections/${one.name}/delete`, {}));
      delete app.tests[one.name];
      app.changed("connections", found.ok ? `${one.name} is deleted, and its secrets with it` : found.error, ["connections", "setup", "health"], found.ok);
    }
    const state = (one) => {
      const found = app.tests[one.name];
      if (one.disabled) return base.badge("dim", "switched off");
      if (!one.secret_stored) return base.badge("bad", "no secret");
      if (!found) return base.badge("dim", "not tested on this page yet");
      return base.badge(found.ok && found.body.ready ? "good" : "bad", found.ok && found.body.ready ? "ready" : "not ready");
    };
    const cards = reply.body.connections.map((one) => {
      const found = app.tests[one.name];
      const facts = [(VENDORS[one.vendor] || { title: one.vendor }).title, `tenant ${one.tenant}`, one.relay ? `through relay ${one.relay}` : one.url,
        one.relay ? "credentials are the relay's" : one.privileged ? "a second credential for privileged identities" : "one credential for everybody"];
      return el("div", { class: "tq-card" },
        el("h3", {}, one.name, " ", state(one)), el("p", {}, facts.join(" · ")),
        el("p", { class: "tq-buttons" },
          base.button("Test connection", (event) => test(event.target, one), { "aria-label": `Test connection ${one.name}` }),
          base.button("Edit", () => open(one.vendor, one), { "aria-label": `Edit ${one.name}` }),
          base.twice(`Delete ${one.name}`, `Delete ${one.name} and its secrets for good?`, (pressed) => remove(pressed, one))),
        !found ? null : found.ok ? shown(base, one.vendor, found.body)
          : [el("p", { class: "tq-error" }, found.error), base.list(found.errors.map((error) => `${error.place}: ${base.sentences(error)}`))]);
    });
    const hourly = app.state.setup.ok ? app.state.setup.body.vendor_check : null;
    async function turn(pressed) {
      const found = await base.busy(pressed, () => base.ask("POST", "setup", { vendor_check: !hourly }));
      app.changed("connections", found.ok ? `The check of the vendors is switched ${hourly ? "off" : "on"}` : found.error, ["setup"], found.ok);
    }
    return [
      cards.length ? cards : el("p", {}, "No vendor is connected yet. One is enough to begin with: accounts elsewhere are named as open."),
      cards.length > 1 ? el("p", { class: "tq-buttons" }, base.button("Test all connections", (event) => testAll(event.target))) : null,
      el("p", { class: "tq-buttons" }, Object.entries(VENDORS).map(([vendor, about]) => base.button(`Connect ${about.title}`, () => open(vendor, null)))),
      place,
      cards.length ? [el("p", {}, base.badge(hourly ? "good" : "bad", hourly ? "checked each hour" : "not checked by itself"),
        " The input tourniquet_check asks each vendor as Test connection does. What both find is shown by the dashboard ", base.link("readiness", "Readiness"), ". On a search head cluster switch it on at every member."),
        el("p", { class: "tq-buttons" }, base.button(hourly ? "Switch the hourly check off" : "Switch the hourly check on", (event) => turn(event.target)))] : null];
  }

  parts.connections = { render };
})();
