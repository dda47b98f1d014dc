/** The key goes to a field that is being edited. */
export const isTextField = ({ target }: KeyboardEvent) =>
  (target as HTMLElement).matches(
    "input:not([type=checkbox]), textarea, select, [contenteditable]",
  );

/** The key belongs to the field being edited, or to the browser. */
export const isTyping = (event: KeyboardEvent) =>
  event.ctrlKey || event.metaKey || event.altKey || isTextField(event);
