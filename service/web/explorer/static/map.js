// The map: the arrow keys move over it, and what the pointer or the focus is at explains itself.
// Without this it is a drawing of links, with a list below.

const drawing = document.getElementById("drawing");
const card = document.getElementById("card");
const nodes = drawing ? [...drawing.querySelectorAll(".node")] : [];
const edges = drawing ? [...drawing.querySelectorAll(".edge")] : [];

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM = 1.25;
const LARGEST = 3;

// The nearest node that lies more in this direction than to its side.
function next(from, [dx, dy]) {
  let best = null;
  let least = Infinity;
  for (const node of nodes) {
    const x = node.dataset.x - from.dataset.x;
    const y = node.dataset.y - from.dataset.y;
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    const cost = ahead + 2 * aside;
    if (node !== from && ahead > 0 && ahead >= aside && cost < least) {
      best = node;
      least = cost;
    }
  }
  return best;
}

function show(node) {
  const { number } = node.dataset;
  const near = new Set([number]);
  for (const edge of edges) {
    const joined = edge.dataset.one === number || edge.dataset.other === number;
    edge.toggleAttribute("data-near", joined);
    if (joined) near.add(edge.dataset.one).add(edge.dataset.other);
  }
  for (const each of nodes) each.toggleAttribute("data-near", near.has(each.dataset.number));
  drawing.dataset.at = number;
  card.replaceChildren(...document.getElementById(`about-${number}`).cloneNode(true).children);
  card.hidden = false;
}

function rest() {
  delete drawing.dataset.at;
}

function dismiss() {
  rest();
  card.hidden = true;
}

// Where the map is wider than its window, the paper that it is about comes first.
function centre() {
  const view = drawing.parentElement;
  const share = nodes[0].dataset.x / drawing.viewBox.baseVal.width;
  view.scrollLeft = share * drawing.getBoundingClientRect().width - view.clientWidth / 2;
}

function zoom(factor) {
  const view = drawing.parentElement;
  const [least, wide] = [view.clientWidth, drawing.getBoundingClientRect().width];
  const wanted = Math.min(Math.max(wide * factor, least), least * LARGEST);
  const share = (view.scrollLeft + view.clientWidth / 2) / wide;
  drawing.style.minWidth = "0";
  drawing.style.width = `${wanted}px`;
  view.scrollLeft = share * wanted - view.clientWidth / 2;
}

if (drawing) {
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => show(node));
    node.addEventListener("focus", () => show(node));
    node.addEventListener("blur", rest);
  }
  drawing.addEventListener("pointerleave", rest);
  drawing.addEventListener("keydown", (event) => {
    const from = event.target.closest(".node");
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    const direction = DIRECTIONS[event.key];
    const to = event.key === "Home" ? nodes[0] : direction && next(from, direction);
    if (direction || to) event.preventDefault(); // the page would scroll
    if (to) to.focus();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && dismiss());
  for (const button of document.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () => zoom(button.dataset.zoom === "in" ? ZOOM : 1 / ZOOM));
  centre();
  addEventListener("hashchange", centre); // on a phone it shows when one goes to it
  document.getElementById("zoom").hidden = false;
  document.querySelector(".map__hint-keys").hidden = false;
}
