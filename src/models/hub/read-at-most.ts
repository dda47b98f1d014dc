/** The whole body, or undefined as soon as it is longer than `mostBytes`: the rest is not read. */
export async function readAtMost(
  body: AsyncIterable<Buffer>,
  mostBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) return undefined; // which destroys the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
