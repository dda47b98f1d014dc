import type { Ref } from "preact";

/** Any words: Enter adds (a comma too, and a pasted list at once), Backspace removes the last. */
export function LabelChips({
  labels,
  onChange,
  inputRef,
}: {
  labels: readonly string[];
  onChange: (labels: readonly string[]) => void;
  inputRef?: Ref<HTMLInputElement>;
}) {
  const add = (text: string) => {
    const typed = text.split(/[,\n]/).map((label) => label.trim());
    const added = typed.filter((label) => label !== "" && !labels.includes(label));
    if (added.length > 0) onChange([...labels, ...new Set(added)]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const input = event.currentTarget as HTMLInputElement;
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      add(input.value);
      input.value = "";
    } else if (event.key === "Backspace" && input.value === "") {
      onChange(labels.slice(0, -1));
    } else if (event.key === "Escape") {
      input.blur();
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!/[,\n]/.test(text)) return;
    event.preventDefault();
    add(text);
  };
  const onBlur = ({ currentTarget }: Event) => {
    const input = currentTarget as HTMLInputElement;
    add(input.value);
    input.value = "";
  };
  return (
    <div class="chips">
      {labels.map((label) => (
        <span class="chip" key={label}>
          {label}
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${label}`}
            onClick={() => onChange(labels.filter((other) => other !== label))}
          >
            ×
          </button>
        </span>
      ))}
      <input
        ref={inputRef}
        aria-label="Add a label"
        placeholder="add a label"
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        onBlur={onBlur}
        enterkeyhint="done"
      />
    </div>
  );
}
