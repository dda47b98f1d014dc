/**
 * Chromium may keep the old styles of what `moveBefore` moves and another rule matches by then
 * (https://issues.chromium.org/issues/417426569): pictures of a reordered list stay faint. Preact
 * moves with `insertBefore` where there is no `moveBefore`.
 */
delete (Element.prototype as { moveBefore?: unknown }).moveBefore;
