/* <related-papers paper-id="..." endpoint="https://...">: the papers related to one, and why.
   README.md beside this file documents it. One file without imports, so that one integrity hash
   names all of it. Apache-2.0. */

const CSS = `
:host {
  display: block; container-type: inline-size; text-align: start; line-height: 1.45;
  --_accent: var(--related-papers-accent, #0b6570);
  --_against: var(--related-papers-against, #a6402a);
  --_soft: var(--related-papers-soft, color-mix(in srgb, currentcolor 74%, transparent));
  --_line: var(--related-papers-line, color-mix(in srgb, currentcolor 16%, transparent));
  --_fill: color-mix(in srgb, currentcolor 9%, transparent);
  --_gap: var(--related-papers-gap, 0.875em);
  --_radius: var(--related-papers-radius, 0.375em);
}
@supports (color: light-dark(red, red)) {
  :host {
    --_accent: var(--related-papers-accent, light-dark(#0b6570, #7fcad2));
    --_against: var(--related-papers-against, light-dark(#a6402a, #eda184));
  }
}
:host([hidden]) { display: none; }
.section { overflow-wrap: anywhere; }
.section:focus { outline: none; }
.section *, .section *::before { box-sizing: border-box; margin: 0; padding: 0; }
.section a, .toggle, .retry { outline-offset: 3px; border-radius: 2px; }
.section :focus-visible { outline: 2px solid var(--_accent); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.heading { font-family: var(--related-papers-heading-font, inherit); font-size: 1.25em; font-weight: 600; line-height: 1.3; padding-block-end: 0.4em; }
.list, .bars, .terms, .papers { list-style: none; }
.paper { padding-block: var(--_gap); border-block-start: 1px solid var(--_line); }
.title {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden;
  font-family: var(--related-papers-title-font, inherit); font-weight: var(--related-papers-title-weight, 600);
  line-height: 1.35; text-wrap: pretty; color: inherit; text-decoration: none;
}
.section:dir(ltr) :is(.heading, .title, .byline, .message) { text-align: left; }
.section:dir(rtl) :is(.heading, .title, .byline, .message) { text-align: right; }
a.title { padding-block: 0.12em; }
a.title:hover { color: var(--_accent); text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 0.18em; }
.byline { color: var(--_soft); font-size: 0.875em; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.why { font-size: 0.875em; }
.toggle {
  display: inline-flex; align-items: center; gap: 0.4em; min-block-size: 1.75em; padding-inline-end: 0.5em;
  cursor: pointer; list-style: none; color: var(--_accent);
}
.toggle::-webkit-details-marker { display: none; }
.toggle::before {
  content: ""; inline-size: 0.42em; block-size: 0.42em; margin-inline: 0.1em 0.15em;
  border: solid currentcolor; border-width: 0 1.5px 1.5px 0; rotate: -45deg;
}
.toggle:dir(rtl)::before { rotate: 135deg; }
.why[open] > .toggle::before { rotate: 45deg; translate: 0 -0.12em; }
.toggle:hover { text-decoration: underline; text-underline-offset: 0.18em; }
.evidence { display: grid; gap: 0.9em; margin-block: 0.35em 0.25em; padding-inline-start: 0.9em; border-inline-start: 2px solid var(--_line); }
.label { font-weight: 600; padding-block-end: 0.25em; }
.bars { display: grid; gap: 0.2em; }
.bar { display: grid; grid-template-columns: minmax(8em, 15.5em) minmax(3em, 14em) 3em; gap: 0.75em; align-items: center; }
.track { display: block; inline-size: 100%; block-size: 0.5em; border-radius: 1em; background: var(--_fill); overflow: hidden; }
.track:dir(rtl) { scale: -1 1; }
.for { fill: var(--_accent); }
.against { fill: var(--_against); }
.value { font-variant-numeric: tabular-nums; text-align: end; direction: ltr; color: var(--_soft); }
@container (max-width: 23rem) {
  .bar { grid-template-columns: 1fr 3em; row-gap: 0; padding-block-end: 0.2em; }
  .track { grid-area: 2 / 1 / 3 / -1; }
}
.terms { display: flex; flex-wrap: wrap; gap: 0.35em; }
.term { padding: 0.05em 0.6em; border-radius: 1em; background: var(--_fill); }
.papers { display: grid; gap: 0.35em; }
.papers a { color: inherit; text-decoration-color: var(--_line); text-underline-offset: 0.18em; }
.papers a:hover { color: var(--_accent); text-decoration-color: currentcolor; }
.papers .title { font: inherit; -webkit-line-clamp: 2; }
.message { color: var(--_soft); padding-block: 0.5em; }
.message:empty { display: none; }
.retry {
  font: inherit; color: inherit; cursor: pointer; padding: 0.35em 0.9em; margin-block-end: 0.5em;
  border: 1px solid var(--_soft); border-radius: var(--_radius); background: transparent;
}
.retry:hover { background: var(--_fill); }
.bone { block-size: 0.8em; border-radius: var(--_radius); background: var(--_fill); margin-block: 0.6em; }
.bone + .bone { inline-size: 55%; block-size: 0.65em; }
.bone + .bone + .bone { inline-size: 3em; }
@media (prefers-reduced-motion: no-preference) {
  .bone { animation: breathe 1.6s ease-in-out infinite alternate; }
  .toggle::before { transition: rotate 0.15s; }
}
@keyframes breathe { to { opacity: 0.45; } }
@media (forced-colors: active) { .for { fill: Highlight; } .against { fill: GrayText; } .track { border: 1px solid; } }
`;

const LABELS = {
  heading: "Related papers",
  loading: "Loading related papers…",
  empty: "No related papers were found.",
  unknown: "This paper is not in the collection.",
  error: "The related papers could not be loaded.",
  retry: "Try again",
  others: "and others",
  why: "Why?",
  contributions: "What speaks for and against it",
  terms: "Words in common",
  citing: "Cited together by",
  evidenceLoading: "Looking for more…",
  evidenceError: "The words in common could not be loaded. Close and open this to try again.",
  RESULT_SOURCE_TEXT_FALLBACK: "The model has no score for it. It shares words, and nothing more.",
  RESULT_SOURCE_POPULAR_FALLBACK: "Nothing related is left. It is recent and much cited.",
  text: "Shared words",
  latent: "Similar subject",
  smoothed_text: "Subject around it",
  text_neighborhood: "Neighbours' words",
  neighborhood: "Citations in common",
  co_citation: "Cited together",
  shared_neighbors: "Neighbours in common",
  coupling: "References in common",
  authors: "Authors in common",
  co_readers: "Readers in common",
  als: "Readers alike",
  citations: "Citations in all",
  citation_rate: "Citations a year",
  recent_citations: "Recent citations",
  age: "Age",
  seed: "The seed's citations",
};

const API = "/relatedpapers.v1.";
const JSON_TYPE = { "content-type": "application/json" };
const REFUSES_GET = [405, 414, 415, 501];
const MAY_PASS = [408, 429, 500, 502, 503, 504];
const TIMEOUT_MS = 8000;
const IMPRESSION_MS = 1000;
const BATCH_MS = 250;
const BATCH_EVENTS = 50; // a keepalive request may have 64 KiB
const RETRY_MS = [1000, 5000, 25000];
const AUTHORS = 3;

/** Made by hand where the page came over plain HTTP: `randomUUID` is absent there. */
const uuid = () =>
  crypto.randomUUID?.() ??
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const ANONYMOUS = `page-view-${uuid()}`; // as long as the page is open, and nowhere stored

function make(name, part, ...children) {
  const node = document.createElement(name);
  if (part) node.className = part;
  if (part && part !== "hidden") node.setAttribute("part", part);
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

function text(name, part, value) {
  const node = make(name, part, value);
  node.dir = "auto";
  return node;
}

/** A title, or the id where there is none that one could see. */
const named = ({ id, title }) => (/[\p{L}\p{N}\p{P}\p{S}]/u.test(title) ? title : id);

/** An address that is safe to follow, or undefined: a paper's id is anybody's text. */
function web(address) {
  try {
    const url = new URL(address, document.baseURI);
    return ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Ask for a list, by a GET that caches may answer; by a POST where something refuses the GET. */
async function list(endpoint, message, signal) {
  const url = `${endpoint}${API}RecommendationService/ListRelatedPapers`;
  const body = JSON.stringify(message);
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: body });
  let response = await fetch(`${url}?${query}`, { credentials: "omit", signal });
  if (REFUSES_GET.includes(response.status))
    response = await fetch(url, { method: "POST", headers: JSON_TYPE, body, credentials: "omit", signal });
  if (response.ok) return response.json();
  const { code, message: reason } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(reason ?? `The service answered ${response.status}.`), { code });
}

/** Sends events until it is closed. An event keeps its id, so sent twice it counts once. */
class Feedback {
  #endpoint;
  #events = [];
  #timer;
  #retries = new Set();
  #abort = new AbortController();

  constructor(endpoint) {
    this.#endpoint = endpoint;
  }

  add(event, now) {
    this.#events.push({ id: uuid(), ...event });
    if (now) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#events.length) this.#send(this.#events.splice(0, BATCH_EVENTS));
  }

  /** Nothing is sent again. */
  close() {
    clearTimeout(this.#timer);
    for (const retry of this.#retries) clearTimeout(retry);
    this.#retries = undefined;
  }

  /** Consent was withdrawn: what is under way or waits is forgotten. */
  forget() {
    this.#events = [];
    this.close();
    this.#abort.abort();
  }

  async #send(events, attempt = 0) {
    try {
      const response = await fetch(`${this.#endpoint}${API}FeedbackService/WriteFeedback`, {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify({ events }),
        credentials: "omit",
        keepalive: true, // it outlives the page that a click leaves
        signal: this.#abort.signal,
      });
      if (!MAY_PASS.includes(response.status)) return;
    } catch {
      // the network is away: as below
    }
    if (attempt < RETRY_MS.length && this.#retries) {
      const retry = setTimeout(() => {
        this.#retries.delete(retry);
        this.#send(events, attempt + 1);
      }, RETRY_MS[attempt]);
      this.#retries.add(retry);
    }
  }
}

const ASKS = ["paper-id", "endpoint", "limit", "popularity", "diversity", "timeout"];
const SHOWS = ["heading", "heading-level", "labels", "link-template"];
const REPORTS = ["consent", "reader-id", "surface"];

export class RelatedPapersElement extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = [...ASKS, ...SHOWS, ...REPORTS];

  #section = make("section", "section");
  #labels;
  #answer; // the list that is shown
  #evidence; // the promise of it, as soon as one "why?" was unfolded
  #failure;
  #life; // of the list: aborted when it is not wanted any more
  #nearby; // sees the element come near the window
  #shown; // sees papers in it
  #timers = new Map();
  #counted = new Set();
  #feedback;
  #visibility = () => {
    if (document.visibilityState === "hidden") this.#feedback?.flush();
    this.#report();
  };

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#section);
    this.#section.tabIndex = -1; // where the focus goes when "try again" is gone
    for (const name of ["click", "auxclick"])
      this.#section.addEventListener(name, (event) => this.#click(event));
  }

  connectedCallback() {
    for (const name of ["consent", "labels", "paperId", "endpoint", "limit", "readerId"])
      if (Object.hasOwn(this, name)) {
        const value = this[name]; // set before the element was defined
        delete this[name];
        this[name] = value;
      }
    document.addEventListener("visibilitychange", this.#visibility);
    this.reload();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#visibility);
    this.#stop();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (ASKS.includes(name)) this.reload();
    else if (SHOWS.includes(name)) this.#draw();
    else this.#report();
  }

  get paperId() { return this.getAttribute("paper-id") ?? ""; }
  set paperId(value) { this.setAttribute("paper-id", value); }
  get endpoint() { return this.getAttribute("endpoint") ?? ""; }
  set endpoint(value) { this.setAttribute("endpoint", value); }
  get limit() { return Math.min(100, Math.max(1, Math.trunc(this.getAttribute("limit")) || 5)); }
  set limit(value) { this.setAttribute("limit", value); }
  get readerId() { return this.getAttribute("reader-id") ?? ""; }
  set readerId(value) { this.setAttribute("reader-id", value); }

  /** Whether the reader agreed to feedback. Any other word, such as `false`, is a no. */
  get consent() { return ["", "true", "granted"].includes(this.getAttribute("consent")); }
  set consent(value) { this.toggleAttribute("consent", Boolean(value)); }

  get labels() {
    let given = {};
    try {
      given = JSON.parse(this.getAttribute("labels") ?? "{}");
    } catch (error) {
      console.warn("related-papers: the attribute `labels` is no JSON object.", error);
    }
    return { ...LABELS, ...given, ...this.#labels };
  }
  set labels(value) {
    this.#labels = value;
    if (this.isConnected) this.#draw();
  }

  /** Ask anew, as soon as the element is near the window. */
  reload() {
    this.#stop();
    this.#answer = this.#evidence = this.#failure = undefined;
    this.#counted.clear();
    this.#draw();
    this.#nearby = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.#load(),
      { rootMargin: "200px" },
    );
    this.#nearby.observe(this);
  }

  #stop() {
    this.#life?.abort();
    this.#life = undefined;
    this.#nearby?.disconnect();
    this.#unwatch();
    this.#feedback?.flush();
    this.#feedback?.close();
    this.#feedback = undefined;
  }

  async #load() {
    this.#nearby.disconnect();
    const life = (this.#life = new AbortController());
    try {
      const answer = await this.#ask({});
      if (life.signal.aborted) return;
      this.#answer = answer;
      answer.results ??= [];
    } catch (error) {
      if (life.signal.aborted) return; // nobody waits for it any more
      this.#failure = error;
    }
    this.#draw();
    if (this.#failure) this.#tell("error", { error: this.#failure });
    else this.#tell("load", this.#answer);
  }

  async #ask(more) {
    if (!this.paperId) throw new Error("The attribute `paper-id` is missing.");
    const base = this.#base();
    if (!base) throw new Error("The attribute `endpoint` must be an address of the web.");
    const message = { paperIds: [this.paperId], pageSize: this.limit, ...more };
    for (const name of ["popularity", "diversity"])
      if (this.hasAttribute(name)) message[name] = Number(this.getAttribute(name));
    const patience = AbortSignal.timeout(Number(this.getAttribute("timeout")) || TIMEOUT_MS);
    return list(base, message, AbortSignal.any([this.#life.signal, patience]));
  }

  #base() {
    return this.endpoint && web(this.endpoint)?.replace(/[?#].*/, "").replace(/\/+$/, "");
  }

  #link(id) {
    const page = /^\.{0,2}$/.test(id) ? "/papers?id={id}" : "/papers/{+id}"; // a path loses dots
    const template = this.getAttribute("link-template") ?? this.#base() + page;
    const whole = encodeURIComponent(id);
    // In a path, "a//b" and "../b" mean something else: there the slashes stay encoded.
    const plain = /(^|\/)\.{0,2}(\/|$)/.test(id) ? /%(3A|40|2C|3B)/g : /%(3A|40|2C|3B|2F)/g;
    const readable = whole.replace(plain, decodeURIComponent);
    return web(template.replaceAll("{id}", () => whole).replaceAll("{+id}", () => readable));
  }

  #tell(name, detail, cancelable = false) {
    return this.dispatchEvent(
      new CustomEvent(`related-papers-${name}`, { detail, cancelable, bubbles: true, composed: true }),
    );
  }

  /* What it shows */

  #draw() {
    const labels = this.labels;
    const heading = this.getAttribute("heading") ?? labels.heading;
    this.#section.ariaLabel = heading || labels.heading;
    this.#section.ariaBusy = String(!this.#answer && !this.#failure);
    const level = Math.min(6, Math.max(1, Math.trunc(this.getAttribute("heading-level")) || 2));
    this.#section.replaceChildren(
      ...(heading ? [text(`h${level}`, "heading", heading)] : []),
      ...this.#body(labels),
    );
    this.#report();
  }

  #body(labels) {
    if (this.#failure) {
      const unknown = this.#failure.code === "not_found";
      const message = text("p", "message", unknown ? labels.unknown : labels.error);
      message.role = "status";
      if (unknown) return [message];
      const retry = make("button", "retry", labels.retry);
      retry.type = "button";
      retry.addEventListener("click", () => {
        this.#section.focus();
        this.reload();
      });
      return [message, retry];
    }
    if (!this.#answer) return this.#skeleton(labels);
    if (!this.#answer.results.length) return [text("p", "message", labels.empty)];
    const items = this.#answer.results.map((result, index) => this.#item(result, index, labels));
    return [listed("ol", "list", items)];
  }

  #skeleton(labels) {
    const bones = () => [1, 2, 3].map(() => make("div", "bone"));
    const rows = Array.from({ length: this.limit }, () => make("div", "paper", ...bones()));
    const skeleton = make("div", "skeleton", ...rows);
    skeleton.ariaHidden = "true";
    return [make("p", "hidden", labels.loading), skeleton];
  }

  #item(result, index, labels) {
    const { authors = [], venue, year } = result.paper;
    const link = this.#title(result.paper);
    const names = authors.slice(0, AUTHORS).join(", ");
    const others = authors.length > AUTHORS ? `${names} ${labels.others}` : names;
    const byline = [others, venue, year].filter(Boolean).join(" · ");
    const head = make("div", "", link, byline ? text("p", "byline", byline) : undefined);
    head.dataset.index = index;
    const toggle = make("summary", "toggle", make("bdi", "", labels.why), make("span", "hidden", ` ${named(result.paper)}`));
    const why = make("details", "why", toggle);
    why.addEventListener("toggle", () => this.#unfold(why, result, labels));
    return make("li", "paper", head, why);
  }

  #title(paper) {
    const href = this.#link(paper.id);
    const node = text(href ? "a" : "span", "title", named(paper));
    if (href) node.href = href;
    return node;
  }

  /* Why */

  async #unfold(why, result, labels) {
    if (!why.open || why.dataset.state === "done") return;
    why.dataset.state = "done";
    why.querySelector(".evidence")?.remove();
    const message = make("p", "message", labels.evidenceLoading);
    message.role = "status";
    const evidence = make("div", "evidence", ...this.#contributions(result, labels), message);
    why.append(evidence);
    const life = this.#life;
    try {
      this.#evidence ??= this.#ask({ includeEvidence: true });
      const { results = [] } = await this.#evidence;
      const found = results.find((each) => each.paper.id === result.paper.id)?.evidence ?? {};
      message.remove();
      evidence.append(...this.#grounds(found, labels));
      if (!life.signal.aborted) this.#tell("why", { ...result, evidence: found });
    } catch {
      if (life.signal.aborted) return;
      this.#evidence = undefined;
      why.dataset.state = "";
      message.textContent = labels.evidenceError;
    }
  }

  #contributions({ contributions = {}, source }, labels) {
    if (labels[source]) return [make("p", "", labels[source])];
    const all = Object.entries(contributions).sort((one, other) => other[1] - one[1]);
    const largest = Math.max(...this.#answer.results.flatMap((each) => Object.values(each.contributions ?? {}).map(Math.abs)));
    const bars = all.map(([term, value]) => {
      const name = make("span", "name", labels[term] ?? term.replaceAll("_", " "));
      const number = make("span", "value", `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`);
      return make("li", "bar", name, bar(value / largest), number);
    });
    return bars.length ? [part(labels.contributions, listed("ul", "bars", bars))] : [];
  }

  #grounds({ sharedTerms = [], citingPapers = [] }, labels) {
    const terms = sharedTerms.map(({ term }) => text("li", "term", term));
    const papers = citingPapers.map((paper) => make("li", "", this.#title(paper)));
    return [
      ...(terms.length ? [part(labels.terms, listed("ul", "terms", terms))] : []),
      ...(papers.length ? [part(labels.citing, listed("ul", "papers", papers))] : []),
    ];
  }

  /* What it reports, and only with consent */

  #report() {
    this.#unwatch();
    if (!this.consent) {
      this.#feedback?.forget();
      this.#feedback = undefined;
      return;
    }
    if (!this.#answer) return;
    this.#feedback ??= new Feedback(this.#base());
    if (document.visibilityState === "hidden") return;
    this.#shown = new IntersectionObserver((entries) => entries.forEach((entry) => this.#watch(entry)), { threshold: 0.5 });
    for (const node of this.#section.querySelectorAll("[data-index]"))
      if (!this.#counted.has(Number(node.dataset.index))) this.#shown.observe(node);
  }

  #watch({ target, intersectionRatio }) {
    clearTimeout(this.#timers.get(target));
    this.#timers.delete(target);
    if (intersectionRatio < 0.5) return;
    const shown = this.#shown;
    const count = () => {
      const index = Number(target.dataset.index);
      shown.unobserve(target);
      this.#timers.delete(target);
      this.#counted.add(index);
      this.#write("impression", index);
      this.#tell("impression", this.#detail(index));
    };
    this.#timers.set(target, setTimeout(count, IMPRESSION_MS));
  }

  #unwatch() {
    this.#shown?.disconnect();
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
  }

  #click(event) {
    const node = event.target.closest?.("a.title")?.closest("[data-index]");
    if (!node || event.button > 1) return; // the right button opens a menu
    const index = Number(node.dataset.index);
    if (this.consent) this.#write("click", index);
    if (!this.#tell("click", this.#detail(index), true)) event.preventDefault();
  }

  #detail(index) {
    const { modelVersion, attributionToken, results } = this.#answer;
    return { paper: results[index].paper, rank: index + 1, modelVersion, attributionToken };
  }

  #write(type, index) {
    const { paper, rank, attributionToken } = this.#detail(index);
    const surface = this.getAttribute("surface") ?? "widget";
    const readerId = this.readerId || ANONYMOUS;
    this.#feedback?.add({ readerId, paperId: paper.id, type, attributionToken, surface, rank }, type === "click");
  }
}

/** Safari takes a list without bullets for none, so it says itself that it is one. */
function listed(name, part, items) {
  const node = make(name, part, ...items);
  node.role = "list";
  return node;
}

function part(label, content) {
  return make("div", "", make("p", "label", label), content);
}

/** An SVG, whose sizes are attributes: a content security policy may forbid inline styles. */
function bar(share) {
  const make = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const svg = make("svg", { class: "track", part: "track", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const width = Math.abs(share) * 100;
  const sign = share < 0 ? "against" : "for";
  svg.append(make("rect", { class: sign, part: sign, width, height: 1 }));
  return svg;
}

if (globalThis.customElements && !customElements.get("related-papers"))
  customElements.define("related-papers", RelatedPapersElement);
