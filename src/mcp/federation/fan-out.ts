/** How many targets are asked at the same time for one request of a client. */
const MAX_AT_ONCE = 16;

/** Asks all of them, so many at a time; the answers stand in the order of the items. */
export async function fanOut<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) answers[index] = await ask(item);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, items.length) }, worker));
  return answers;
}
