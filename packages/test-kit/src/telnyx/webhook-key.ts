import { generateKeyPairSync, sign } from 'node:crypto';

/** The key pair with which webhooks are signed, as Telnyx does: Ed25519 over `timestamp|body`. */
export interface WebhookKey {
  /** Base64 of the 32 raw bytes: what Telnyx's portal shows, and TELNYX_PUBLIC_KEY takes. */
  readonly publicKey: string;
  /** @param atMs when it is signed; the header has whole seconds */
  headersFor(body: string, atMs?: number): Record<string, string>;
}

export function makeWebhookKey(): WebhookKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    publicKey: raw.toString('base64'),
    headersFor(body, atMs = Date.now()) {
      const timestamp = String(Math.floor(atMs / 1000));
      const signature = sign(null, Buffer.from(`${timestamp}|${body}`), privateKey);
      return {
        'content-type': 'application/json',
        'telnyx-timestamp': timestamp,
        'telnyx-signature-ed25519': signature.toString('base64'),
      };
    },
  };
}
