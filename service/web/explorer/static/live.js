// Lists that follow their controls in place: a form with data-live="NAME", or a link to another page
// of a list, renews the element with data-live-name="NAME" from the very page that it leads to.

let asking = new AbortController();

function region(name, within = document) {
  return within.querySelector(`[data-live-name="${CSS.escape(name)}"]`);
}

/** Where a form leads, without what was left empty. */
function destination(form) {
  const address = new URL(form.action);
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(filled).toString();
  return address.href;
}

function failed(target, address, sentence) {
  const note = document.createElement("p");
  note.className = "note";
  note.setAttribute("role", "alert");
  const again = document.createElement("a");
  again.href = address;
  again.textContent = "Try again";
  note.append(`${sentence} `, again);
  target.querySelector(":scope > .note")?.remove();
  target.prepend(note);
}

/** Renew a region from the page at an address. keep: whether the address becomes a step back. */
async function renew(name, address, { keep, focus }) {
  const target = region(name);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  target.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { signal, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = region(name, page);
    if (!fresh) {
      failed(target, address, page.querySelector("[data-error]")?.textContent ?? "No answer.");
      return;
    }
    target.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    history.replaceState({ live: true }, "");
    history[keep ? "pushState" : "replaceState"]({ live: true }, "", address);
    if (focus) {
      target.tabIndex = -1;
      target.focus({ preventScroll: true });
      target.scrollIntoView({ block: "start" });
    }
  } catch (error) {
    if (error.name !== "AbortError") failed(target, address, "The service does not answer.");
  } finally {
    if (!signal.aborted) target.removeAttribute("aria-busy");
  }
}

/** Watch the forms and lists of a page. */
export function follow(page) {
  page.addEventListener("submit", (event) => {
    const name = event.target.dataset.live;
    if (!name) return;
    event.preventDefault();
    renew(name, destination(event.target), { keep: true });
  });
  page.addEventListener("change", (event) => {
    const form = event.target.form;
    // What is typed is sent with Enter; what is chosen at once.
    if (!form?.dataset.live || event.target.type !== "range") return;
    renew(form.dataset.live, destination(form), { keep: false });
  });
  page.addEventListener("click", (event) => {
    const link = event.target.closest("[data-live-name] .pager a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { liveName } = link.closest("[data-live-name]").dataset;
    renew(liveName, link.href, { keep: true, focus: true });
  });
  addEventListener("popstate", (event) => {
    if (event.state?.live) location.reload();
  });
}
