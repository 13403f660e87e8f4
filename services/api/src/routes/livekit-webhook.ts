import { CodedError, readRoomMark, roomNameOf } from '@greenroom/contracts';
import { type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';

/** After which of LiveKit's events somebody may have come or gone. The others are taken and not used. */
const OF_INTEREST: ReadonlySet<string> = new Set([
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  'room_finished',
]);

const NOT_SIGNED =
  'The body does not bear the signature of our LiveKit. Its webhook.api_key must be the LIVEKIT_API_KEY of this api.';

/**
 * POST /api/webhooks/livekit: something happened in a room. Only the host that owns the session is told to look there, and
 * LiveKit's own list decides; so an event that is old, doubled, late or lost makes no difference but in time.
 */
export function livekitWebhook(context: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/webhooks/livekit'],
    access: 'signed',
    takesRawBody: true,
    async handle({ request }) {
      const event = await verify(context, request.body, request.get('Authorization'));
      const outcome = await pass(context, event);
      context.metrics.livekitEvents.inc({ outcome });
      return { status: 200, body: { success: true, outcome } };
    },
  });
}

async function verify(
  { config, metrics }: ApiContext,
  body: unknown,
  authorization: string | undefined,
): Promise<WebhookEvent> {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  // Bound to the key at each request: a route needs its context only when it is asked.
  const receiver = new WebhookReceiver(config.livekitApiKey, config.livekitApiSecret);
  try {
    return await receiver.receive(text, authorization);
  } catch (error) {
    metrics.livekitEvents.inc({ outcome: 'refused' });
    throw new CodedError('unauthorized', { detail: NOT_SIGNED, cause: error });
  }
}

async function pass({ redis }: ApiContext, { event, room }: WebhookEvent): Promise<'woken' | 'ignored'> {
  if (!OF_INTEREST.has(event) || room === undefined) return 'ignored';
  const mark = readRoomMark(room.metadata);
  if (mark === undefined || room.name !== roomNameOf(mark.sessionId)) return 'ignored';
  return (await redis.rooms.wakeOwner(mark.sessionId)) === 'woken' ? 'woken' : 'ignored';
}
