import { CodedError } from '@greenroom/contracts';
import { TelnyxWebhook } from 'telnyx/lib/webhooks';

const NOT_SIGNED =
  'The body does not bear the signature of our Telnyx account, or is more than 300 seconds old. TELNYX_PUBLIC_KEY must be ' +
  "the public key of the account whose webhooks come here, and this machine's clock must be right.";

export interface SignatureHeaders {
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
}

/**
 * Whether Telnyx has sent these very bytes within the last 300 s: Ed25519 over `timestamp|body`, which its own library
 * verifies. Nothing of the body is read before.
 * @throws CodedError `unauthorized`
 */
export async function verifySignature(
  publicKey: string,
  body: Buffer,
  { signature, timestamp }: SignatureHeaders,
): Promise<void> {
  try {
    // Bytes that are no UTF-8 become others by this, and so never fit a signature.
    await new TelnyxWebhook(publicKey).verify(body.toString('utf8'), {
      'telnyx-signature-ed25519': signature ?? '',
      'telnyx-timestamp': timestamp ?? '',
    });
  } catch (error) {
    throw new CodedError('unauthorized', { detail: NOT_SIGNED, cause: error });
  }
}
