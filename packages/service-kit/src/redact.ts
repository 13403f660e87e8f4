const REDACTED = '[redacted]';

/** Fields whose value is a secret whatever it looks like. `endReason` or `tokens` are not among them. */
const SECRET_FIELD =
  /^(.*[_-])?(authorization|cookie|password|secret|token|api[_-]?key)$|(Token|Secret|Password|ApiKey)$/i;
const BEARER = /\bBearer\s+[^\s"',;]+/gi;
const JSON_WEB_TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

const MAX_DEPTH = 6;
const MAX_TEXT = 8192;

/**
 * Makes a function that copies a value for the log without secrets: exact `secrets` anywhere in a text, bearer
 * credentials, JSON web tokens, and whatever stands in a field named like a secret. Errors become plain objects.
 */
export function createRedactor(secrets: readonly string[]): (value: unknown) => unknown {
  // Longest first: a secret that contains another is replaced as a whole. Very short ones would blacken every word.
  const exact = [...new Set(secrets)]
    .filter((secret) => secret.length >= 4)
    .sort((a, b) => b.length - a.length);

  const redactText = (text: string): string => {
    let clean = text;
    for (const secret of exact) clean = clean.replaceAll(secret, REDACTED);
    clean = clean.replace(BEARER, `Bearer ${REDACTED}`).replace(JSON_WEB_TOKEN, REDACTED);
    return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}…` : clean;
  };

  const redact = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redactText(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH) return '[deeper]';
    if (value instanceof Error) return redact(describeError(value), depth);
    if (value instanceof Date) return value.toISOString();
    if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => [field, redactField(field, inner, depth)]),
    );
  };

  const redactField = (field: string, value: unknown, depth: number): unknown => {
    const isText = typeof value === 'string' || Array.isArray(value);
    return isText && SECRET_FIELD.test(field) ? REDACTED : redact(value, depth + 1);
  };

  return (value) => redact(value, 0);
}

function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    ...Object.fromEntries(Object.entries(error)),
    name,
    message,
    stack,
    ...(cause !== undefined && { cause }),
  };
}
