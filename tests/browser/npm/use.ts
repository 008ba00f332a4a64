// A small program of somebody who uses the package: it only has to pass the type checker.
import "related-papers-widget";
import type { RelatedPapersElement, RelatedPapersPlace } from "related-papers-widget";

const element: RelatedPapersElement = document.createElement("related-papers");
element.paperId = "arXiv:1706.03762";
element.endpoint = "https://papers.example.org";
element.limit = 3;
element.consent = true;
element.labels = { why: "Pourquoi ?", co_citation: "Cités ensemble" };
element.addEventListener("related-papers-click", (event) => {
  event.preventDefault();
  const { paper, rank }: RelatedPapersPlace = event.detail;
  console.log(rank, paper.title?.toUpperCase() ?? paper.id);
});
element.addEventListener("related-papers-error", ({ detail }) => console.log(detail.error.code));
element.addEventListener("pointerdown", (event) => event.pressure.toFixed());
document.querySelector("related-papers")?.reload();

// @ts-expect-error: a paper id is text
element.paperId = 5;
// @ts-expect-error: there is no such event
element.addEventListener("related-papers-clack", (event) => event.detail);
