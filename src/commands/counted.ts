/** `1 row`, `2 rows`: a number with its noun. */
export const counted = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
