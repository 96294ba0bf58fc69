/** A body without what differs in each answer: ids of events are sealed, and may hold any letters and digits by chance. */
export function withoutEventIds(text: string): string {
  return text.replace(/^id: .*$/gm, 'id: X');
}
