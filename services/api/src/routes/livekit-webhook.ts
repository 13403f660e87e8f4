import { CodedError, readRoomMark, roomNameOf } from '@greenroom/contracts';
import { type Room, type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { isLeftBehind } from '../sessions/open-room.js';

/** After which of LiveKit's events somebody may have come or gone. The others are taken and not used. */
const OF_INTEREST: ReadonlySet<string> = new Set([
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  'room_finished',
]);

const ROOM_MADE = 'room_started';

const NOT_SIGNED =
  'The body does not bear the signature of our LiveKit. Its webhook.api_key must be the LIVEKIT_API_KEY of this api.';

/**
 * POST /api/webhooks/livekit: something happened in a room. Only the host that owns the session is told to look there, and
 * LiveKit's own list decides; so an event that is old, doubled, late or lost makes no difference but in time. The room of a
 * session that is over is closed at once.
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

type Outcome = 'woken' | 'closed' | 'ignored';

async function pass(context: ApiContext, { event, room }: WebhookEvent): Promise<Outcome> {
  if (room === undefined) return 'ignored';
  const mark = readRoomMark(room.metadata);
  if (mark === undefined || room.name !== roomNameOf(mark.sessionId)) return 'ignored';
  if (event === ROOM_MADE) return closeIfLeftBehind(context, mark.sessionId, room);
  if (!OF_INTEREST.has(event)) return 'ignored';
  return (await context.redis.rooms.wakeOwner(mark.sessionId)) === 'woken' ? 'woken' : 'ignored';
}

/**
 * A LiveKit that deletes a room while somebody is joining it makes it anew from their token, also with `auto_create: false`
 * (`getOrCreateRoom` of livekit-server 1.13). A session that nobody knows may be another deployment's.
 */
async function closeIfLeftBehind(
  { redis, rooms }: ApiContext,
  sessionId: string,
  { name, sid }: Pick<Room, 'name' | 'sid'>,
): Promise<Outcome> {
  const found = await redis.sessions.read(sessionId);
  const isWanted =
    found.status === 'not_found' || (found.status === 'live' && !isLeftBehind(found.session, sid));
  if (isWanted) return 'ignored';
  await rooms.close(name);
  return 'closed';
}
