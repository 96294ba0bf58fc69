/** One variable, and an operator that puts nothing but a character in front of its value. */
const EXPRESSION = /\{([+#./]?)([A-Za-z0-9_.%]{1,64})\}/g;
/** Longer templates are not expanded. */
const MAX_TEMPLATE_LENGTH = 2048;

/**
 * Makes a URI of a URI template (RFC 6570): of simple expressions and those of the operators `+`, `#`, `.` and `/`,
 * with one variable each. Values are encoded as the clients of the official SDKs do it.
 *
 * @param valueOf the value of a variable, `undefined` where it has none
 * @returns `null` where the template has other expressions, or a variable has no value, or none that is text
 */
export function expandTemplate(
  template: string,
  valueOf: (variable: string) => string | undefined,
): string | null {
  if (template.length > MAX_TEMPLATE_LENGTH) return null;
  let missing = 0;
  const uri = template.replace(EXPRESSION, (_, operator: string, variable: string) => {
    const encoded = encode(valueOf(variable), operator === '+' || operator === '#');
    if (encoded === null) missing += 1;
    return (operator === '+' ? '' : operator) + (encoded ?? '');
  });
  return missing === 0 && !/[{}]/.test(uri) ? uri : null;
}

function encode(value: string | undefined, keepsReserved: boolean): string | null {
  if (value === undefined) return null;
  try {
    return keepsReserved ? encodeURI(value) : encodeURIComponent(value);
  } catch {
    // Half of a surrogate pair.
    return null;
  }
}
