// Keeps the parts of a page marked `data-live` up to date: the service says that something changed, the page is fetched
// anew, and its parts take the place of ours. Without this script the page is the same, until it is loaded again.

const part = document.querySelector("[data-live]");
const shown = document.getElementById("live");
const LONGEST_WAIT = 30000;
let wait = 1000;
let mark = part ? part.dataset.mark : "";
let fetching = false;
let again = false;

function say(text, name) {
  if (!shown || shown.textContent === text) return;
  shown.textContent = text;
  shown.className = `live ${name}`;
}

/** What has the focus, in words that find it in the new part. */
function focused() {
  const held = document.activeElement;
  return held && part.parentNode && held.closest("[data-live], [data-live-also]") ? held.id : "";
}

function busy() {
  const held = document.activeElement;
  return held && held.closest("[data-live] form") && held.matches("input, select, textarea");
}

function take(found) {
  const open = new Set([...document.querySelectorAll("details[open]")].map((item) => item.id).filter(Boolean));
  const id = focused();
  for (const name of ["[data-live]", "[data-live-also]"]) {
    const old = document.querySelector(name);
    const fresh = found.querySelector(name);
    if (old && fresh) old.replaceChildren(...fresh.childNodes);
  }
  const banner = document.querySelector("main > .note[role=alert]");
  const newBanner = found.querySelector("main > .note[role=alert]");
  if (banner) banner.remove();
  if (newBanner) document.getElementById("main").prepend(newBanner);
  for (const name of open) {
    const item = document.getElementById(name);
    if (item) item.open = true;
  }
  const held = id && document.getElementById(id);
  if (held) held.focus({ preventScroll: true });
}

async function refresh() {
  if (fetching || busy()) {
    again = true;
    return;
  }
  fetching = true;
  again = false;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect") {
      location.reload();
      return;
    }
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    again = true;
  } finally {
    fetching = false;
  }
}

function listen() {
  const source = new EventSource("/console/live");
  source.addEventListener("open", () => {
    wait = 1000;
    say("Live", "on");
  });
  source.addEventListener("changed", (event) => {
    if (event.data !== mark) {
      mark = event.data;
      refresh();
    }
  });
  source.addEventListener("error", () => {
    // A browser tries again by itself only while it holds the stream for interrupted, not after a refusal.
    say("Not live: trying again", "off");
    if (source.readyState !== EventSource.CLOSED) return;
    refresh(); // a session that ended leads to the sign-in
    setTimeout(listen, wait);
    wait = Math.min(LONGEST_WAIT, wait * 2);
  });
  addEventListener("pagehide", () => source.close());
}

if (part) {
  document.addEventListener("focusout", () => setTimeout(() => again && refresh(), 200));
  listen();
}
