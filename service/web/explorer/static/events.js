// Save and hide in place: a form with data-event is sent without leaving the page, and every region
// with a data-live-name is renewed from the page that the form would have led to.
// Without this the same forms lead there.

const SETTLED_MS = 400; // the second half of a double click must not hit what came in its place

let busy = false;

function regions(page) {
  return new Map([...page.querySelectorAll("[data-live-name]")].map((each) => [each.dataset.liveName, each]));
}

/** Where the focus is: the form's item, its place among the items of its list, what it does. */
function placeOf(form) {
  const item = form.closest("[data-key]");
  const list = item?.parentElement;
  return {
    region: form.closest("[data-live-name]")?.dataset.liveName,
    list: list && [...document.querySelectorAll(`.${CSS.escape(list.classList[0])}`)].indexOf(list),
    listClass: list?.classList[0],
    at: list ? [...list.children].indexOf(item) : 0,
    key: item?.dataset.key,
    event: form.dataset.event,
  };
}

/** The button that took the place of the one pressed: of the same paper, else of the next one. */
function successor(place) {
  if (place.region === "done") return null;
  const lists = document.querySelectorAll(`.${CSS.escape(place.listClass ?? "items")}`);
  const list = lists[place.list] ?? lists[0];
  if (!list) return null;
  const items = [...list.children];
  const same = items.find((each) => each.dataset.key === place.key);
  const item = same ?? items[Math.min(place.at, items.length - 1)];
  return item?.querySelector(`[data-event="${place.event}"] button`) ?? item?.querySelector("[data-event] button");
}

function renewed(fresh) {
  const found = regions(fresh);
  for (const [name, region] of regions(document)) {
    const open = new Set([...region.querySelectorAll("details[open]")].map((each) => each.closest("[data-key]")?.dataset.key));
    region.replaceChildren(...(found.get(name)?.childNodes ?? []));
    for (const details of region.querySelectorAll("[data-key] details"))
      details.open = open.has(details.closest("[data-key]").dataset.key);
  }
}

function failed(sentence) {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = sentence;
  regions(document).get("done")?.replaceChildren(note);
}

async function send(form) {
  busy = true;
  const place = placeOf(form);
  form.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok) {
      failed(page.querySelector("[data-error]")?.textContent ?? "The service did not take it.");
      return;
    }
    document.documentElement.toggleAttribute("data-settling", true);
    setTimeout(() => document.documentElement.removeAttribute("data-settling"), SETTLED_MS);
    renewed(page);
    const button = successor(place) ?? document.querySelector("[data-live-name='done'] button");
    (button ?? document.querySelector("main")).focus({ preventScroll: true });
  } catch {
    failed("The service does not answer. Press again: it counts once.");
  } finally {
    form.removeAttribute("aria-busy");
    busy = false;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.event) return;
  event.preventDefault();
  if (!busy) send(event.target);
});

// A page that the browser kept shows what was so then, and its forms were sent already.
addEventListener("pageshow", (event) => event.persisted && location.reload());
