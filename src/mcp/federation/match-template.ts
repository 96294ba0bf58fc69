/** Longest template that is compared; others match nothing. */
const MAX_TEMPLATE_LENGTH = 2048;

/**
 * Whether a URI could have been made from a URI template (RFC 6570): the text between its expressions stands in it,
 * in order, and something that may be empty in each expression's place. Takes a time that grows with the URI alone.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  if (template.length > MAX_TEMPLATE_LENGTH) return false;
  const literals = template.split(/\{[^{}]*\}/);
  const first = literals.shift() ?? '';
  const last = literals.pop();
  if (last === undefined) return template === uri;
  if (uri.length < first.length + last.length) return false;
  if (!uri.startsWith(first) || !uri.endsWith(last)) return false;
  const end = uri.length - last.length;
  let at = first.length;
  for (const literal of literals) {
    const found = uri.indexOf(literal, at);
    if (found < 0 || found + literal.length > end) return false;
    at = found + literal.length;
  }
  return at <= end;
}
