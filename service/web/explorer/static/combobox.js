// Completion of what is typed into a search box: the combobox pattern of WAI-ARIA, with a list of
// papers. It asks the service itself; where that fails or is slow, the box is a plain search box.

const METHOD = "/relatedpapers.v1.RecommendationService/SearchPapers";
const COUNT = 7;
const PAUSE_MS = 120; // between the last key and the question

/** The papers that begin as the text does. Throws where there is no answer. */
async function search(query, signal) {
  const message = JSON.stringify({ query, prefix: true, pageSize: COUNT });
  const asked = new URLSearchParams({ connect: "v1", encoding: "json", message });
  const response = await fetch(`${METHOD}?${asked}`, { signal, credentials: "same-origin" });
  if (!response.ok) throw new Error(`search: ${response.status}`);
  return (await response.json()).results ?? [];
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children); // texts, never HTML
  return made;
}

function spans(pieces, otherwise) {
  if (!pieces?.length) return [otherwise];
  return pieces.map((piece) =>
    piece.highlighted ? element("mark", {}, piece.text) : piece.text);
}

function about(paper) {
  const [first, ...others] = paper.authors ?? [];
  const names = first && (others.length ? `${first} and ${others.length} more` : first);
  return [names, paper.venue, paper.year].filter(Boolean).join(" · ");
}

/**
 * Complete what is typed into an input of a form.
 * data-complete="take" puts the id of the chosen paper in the input and sends the form; else the
 * paper's page opens.
 */
export function complete(input) {
  const list = element("ul", { id: `${input.id}-options`, class: "options", role: "listbox", hidden: "",
    "aria-label": "Papers" });
  const said = element("span", { class: "hidden", role: "status" });
  input.after(list, said);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list",
    "aria-controls": list.id, "aria-expanded": "false" })) input.setAttribute(name, value);

  let active = -1;
  let timer = 0;
  let asking = new AbortController();

  const stop = () => {
    clearTimeout(timer);
    asking.abort();
  };

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  };

  const activate = (index) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.children[active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };

  const choose = (option) => {
    stop();
    close();
    if (input.dataset.complete === "take") {
      input.value = option.dataset.paper;
      input.form.requestSubmit();
    } else {
      location.assign(`/papers?${new URLSearchParams({ id: option.dataset.paper })}`);
    }
  };

  const show = (results) => {
    active = -1;
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...results.map((result, index) => element("li",
      { id: `${list.id}-${index}`, class: "option", role: "option", "aria-selected": "false",
        "data-paper": result.paper.id },
      element("span", { class: "option__title", dir: "auto" },
        ...spans(result.title, result.paper.id)),
      element("span", { class: "option__about", dir: "auto" }, about(result.paper)))));
    list.hidden = !results.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = results.length ? `${results.length} papers, arrow keys to choose` : "";
  };

  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const results = await search(input.value, signal);
      if (!signal.aborted && document.activeElement === input) show(results);
    } catch {
      if (!signal.aborted) close(); // the box goes on as a plain one
    }
  };

  input.addEventListener("input", (event) => {
    stop();
    if (!input.value.trim()) return close();
    if (!event.isComposing) timer = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("compositionend", () => {
    stop();
    timer = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = list.children.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.hidden && count && input.value.trim()) {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }
    if (list.hidden) return;
    if (step) {
      event.preventDefault();
      stop(); // an answer yet to come would take the list away from whoever chooses from it
      // Beyond either end comes the input itself, with no option chosen.
      activate(((active + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(list.children[active]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      stop();
      close();
    }
  });
  input.addEventListener("blur", () => {
    stop();
    close();
  });
  input.form.addEventListener("submit", () => {
    stop();
    close();
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the focus stays
    stop();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
}
