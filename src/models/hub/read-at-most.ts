/** The whole body, or undefined as soon as it is longer than `maxBytes`: the rest is not read. */
export async function readAtMost(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) return undefined; // which destroys the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
