import { status } from "../status.js";

/** While the server is away, in every view. */
export function NoAnswer() {
  const { state, why } = status.value;
  if (state !== "unreachable") return null;
  return (
    <p class="no-answer" role="alert">
      {why} This page goes on by itself when the server is back.
    </p>
  );
}
