/** `1 row`, `2 rows`: a number and what there are so many of. */
export const counted = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
