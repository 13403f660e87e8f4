/**
 * LiveKit names by it whatever it sends as text, and browsers keep it from pages that are not from https or localhost: nothing
 * could be typed there, where there is no microphone either. A UUID of version 4, as in RFC 9562.
 */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Leaves a browser's own alone. */
export function provideRandomUuid(): void {
  if (!('randomUUID' in crypto)) Object.assign(crypto, { randomUUID: randomUuid });
}
