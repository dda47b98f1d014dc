import type { LabelSet } from "./request.js";
import { changeSet } from "./state.js";

/** A label's own sentences instead of the prompt: "a tabby", "a kitten" for a cat. */
export function LabelPrompts({ set }: { set: LabelSet }) {
  const { id, labels, prompts, prompt } = set;
  if (labels.length === 0) return null;
  const withPrompts = labels.filter((label) => (prompts[label] ?? "").trim() !== "");
  return (
    <details class="label-prompts">
      <summary>
        Own words for a label{" "}
        <span class="quiet">
          {withPrompts.length === 0
            ? "— say what you mean by it, in several ways"
            : `— ${withPrompts.join(", ")}`}
        </span>
      </summary>
      <dl>
        {labels.map((label) => (
          <div key={label}>
            <dt title={label}>{label}</dt>
            <dd>
              <textarea
                rows={1}
                aria-label={`Words for ${label}`}
                value={prompts[label] ?? ""}
                placeholder={
                  prompt.split("\n")[0].replaceAll("{}", label) || "as the prompt has it"
                }
                onInput={({ currentTarget }) =>
                  changeSet(id, { prompts: { ...prompts, [label]: currentTarget.value } })
                }
              />
            </dd>
          </div>
        ))}
      </dl>
      <p class="sentence">One per line, averaged; they replace the prompt for this label only.</p>
    </details>
  );
}
