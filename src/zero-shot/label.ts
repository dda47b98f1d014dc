/** A label as a request or a label set offers it. */
export interface Label {
  label: string;
  /** Sentences of its own in place of the templates; a `{}` in one stands for the label. */
  prompts?: readonly string[];
  /** Only scores of at least this count, in place of the request's. */
  threshold?: number;
}
