/** A paper as a list shows it. */
export interface RelatedPaper {
  /** The corpus's own id. */
  id: string;
  title?: string;
  authors?: string[];
  year?: number;
  venue?: string;
}

/** One result of a list. */
export interface RelatedPapersResult {
  paper: RelatedPaper;
  source: "RESULT_SOURCE_MODEL" | "RESULT_SOURCE_TEXT_FALLBACK" | "RESULT_SOURCE_POPULAR_FALLBACK";
  /** In (0, 1): the logistic function of `bias` and all `contributions`. Absent for a fallback. */
  score?: number;
  bias?: number;
  /** What each term of the model adds to the logit, by its name. */
  contributions?: Record<string, number>;
  evidence?: RelatedPapersEvidence;
}

/** What connects a result to the paper. */
export interface RelatedPapersEvidence {
  seedPaperId?: string;
  sharedTerms?: { term: string; weight: number }[];
  citingPapers?: RelatedPaper[];
}

/** The list that is shown, as the service answered. */
export interface RelatedPapersList {
  results: RelatedPapersResult[];
  modelVersion: string;
  attributionToken: string;
  nextPageToken?: string;
}

/** A paper that was clicked, or seen. */
export interface RelatedPapersPlace {
  paper: RelatedPaper;
  /** Its place in the list, from 1. */
  rank: number;
  modelVersion: string;
  attributionToken: string;
}

/** What the element says and shows; by the names of the model's terms also what they are called. */
export interface RelatedPapersLabels {
  heading?: string;
  loading?: string;
  empty?: string;
  unknown?: string;
  error?: string;
  retry?: string;
  others?: string;
  why?: string;
  contributions?: string;
  terms?: string;
  citing?: string;
  evidenceLoading?: string;
  evidenceError?: string;
  [term: string]: string | undefined;
}

/** The events that the element dispatches; they bubble, and leave shadow trees. */
export interface RelatedPapersEventMap {
  "related-papers-load": CustomEvent<RelatedPapersList>;
  "related-papers-error": CustomEvent<{ error: Error & { code?: string } }>;
  /** Cancelable: after `preventDefault` the link is not followed. */
  "related-papers-click": CustomEvent<RelatedPapersPlace>;
  /** Only with consent. */
  "related-papers-impression": CustomEvent<RelatedPapersPlace>;
  "related-papers-why": CustomEvent<RelatedPapersResult>;
}

/** `<related-papers>`. Where there is no DOM, importing this defines nothing, and does not fail. */
export class RelatedPapersElement extends HTMLElement {
  /** The attribute `paper-id`. */
  paperId: string;
  /** The attribute `endpoint`. */
  endpoint: string;
  /** The attribute `limit`: 1 to 100; 5 unless it says otherwise. */
  get limit(): number;
  set limit(value: number | string);
  /** The attribute `reader-id`. */
  readerId: string;
  /** The attribute `consent`: whether the reader agreed to feedback. */
  consent: boolean;
  /** All labels; those that are set replace the English ones. */
  get labels(): RelatedPapersLabels;
  set labels(value: RelatedPapersLabels | undefined);

  /** Ask anew, as soon as the element is near the window. */
  reload(): void;

  addEventListener<K extends keyof RelatedPapersEventMap>(
    type: K,
    listener: (this: RelatedPapersElement, event: RelatedPapersEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: RelatedPapersElement, event: HTMLElementEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "related-papers": RelatedPapersElement;
  }
}
