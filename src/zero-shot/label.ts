/** A label of a request or a label set. */
export interface Label {
  label: string;
  /** Its own sentences instead of the templates; `{}` in one is replaced by the label. */
  prompts?: readonly string[];
  /** Only scores of at least this count, instead of the request's. */
  threshold?: number;
}
