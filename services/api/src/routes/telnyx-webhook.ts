import { CodedError } from '@greenroom/contracts';
import { PhoneCalls } from '../calls/telnyx/phone-calls.js';
import { parsePhoneEvent } from '../calls/telnyx/phone-event.js';
import { verifySignature } from '../calls/telnyx/signature.js';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';

const NO_TELEPHONE =
  'This deployment takes no phone calls: TELNYX_API_KEY and TELNYX_PUBLIC_KEY are not set.';

/**
 * POST /api/webhooks/telnyx: something happened in a phone call. Nothing of it is read before its signature is verified, and
 * any instance may get it, late, doubled or before what came first.
 */
export function telnyxWebhook(context: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/webhooks/telnyx'],
    access: 'signed',
    takesRawBody: true,
    async handle({ request }) {
      const { config, metrics } = context;
      if (config.telnyxPublicKey === undefined) throw new CodedError('not_found', { detail: NO_TELEPHONE });
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const headers = {
        signature: request.get('telnyx-signature-ed25519'),
        timestamp: request.get('telnyx-timestamp'),
      };
      await verifySignature(config.telnyxPublicKey, body, headers).catch((error: unknown) => {
        metrics.telnyxEvents.inc({ outcome: 'refused' });
        throw error;
      });
      const event = parsePhoneEvent(body.toString('utf8'));
      const outcome = event ? await new PhoneCalls(context).take(event) : 'ignored';
      metrics.telnyxEvents.inc({ outcome });
      return { status: 200, body: { success: true, outcome } };
    },
  });
}
