/**
 * Takes every step in turn, whatever becomes of the ones before.
 * @throws what the one step that failed threw, or an AggregateError of several.
 */
export async function closeAll(...steps: (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "Several parts could not be closed");
}
