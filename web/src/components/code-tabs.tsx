import { useState } from "preact/hooks";
import { toast } from "./toasts.js";

/** The same thing in several languages, to be copied. */
export function CodeTabs<Language extends string>({
  languages,
  codeOf,
}: {
  languages: readonly Language[];
  codeOf: (language: Language) => string;
}) {
  const [language, setLanguage] = useState(languages[0]);
  const code = codeOf(language);
  const copy = () =>
    navigator.clipboard.writeText(code).then(
      () => toast("Copied"),
      () => toast("The browser does not let this page copy; select the text instead."),
    );
  return (
    <div class="code">
      <div class="row">
        <div class="row" role="tablist" aria-label="As code">
          {languages.map((one) => (
            <button
              key={one}
              type="button"
              role="tab"
              class="plain"
              aria-selected={one === language}
              onClick={() => setLanguage(one)}
            >
              {one}
            </button>
          ))}
        </div>
        <button type="button" class="plain right" onClick={copy}>
          Copy
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and is scrolled by keys */}
      <pre tabIndex={0} role="tabpanel" aria-label={language}>
        {code}
      </pre>
    </div>
  );
}
