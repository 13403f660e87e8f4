import { createHash } from 'node:crypto';
import { roomNameOf } from '@greenroom/contracts';
import type { SessionRecord, StartResult } from '@greenroom/redis-schema';
import { nanoid } from 'nanoid';
import type { ApiContext } from '../../context.js';
import { roomOf } from '../../sessions/join-room.js';
import { openRoom } from '../../sessions/open-room.js';

export type PhoneSession =
  | { readonly status: 'accepted'; readonly session: SessionRecord }
  | { readonly status: 'rejected'; readonly why: string };

/**
 * A session for a phone call, through the door that every start goes through. The same call gets the same session, however
 * often it asks. A telephone cannot ask for its turn, so it never waits in line; and it has no user: its number is nobody's
 * business here.
 */
export async function startPhoneSession(context: ApiContext, callId: string): Promise<PhoneSession> {
  const { redis, config, livekitBreaker, lineWatch, metrics } = context;
  if (livekitBreaker.isOpen) return rejected(context, 'livekit_unavailable');
  const sessionId = `session_${nanoid(24)}`;
  const result = await redis.sessions.start({
    sessionId,
    roomName: roomNameOf(sessionId),
    profile: config.telnyxProfile,
    anyProfile: false,
    userId: undefined,
    userName: undefined,
    voiceId: undefined,
    metadata: undefined,
    userScope: 'telnyx',
    trusted: true,
    claimedSessionId: undefined,
    idempotency: { scope: 'telnyx', key: hash(callId), bodyHash: 'call' },
    ...(await lineWatch.word()),
    queueMax: 0,
    client: 'telnyx',
    maxPerClient: 0,
    sessionTimeoutMs: config.sessionTimeoutMs,
  });
  if (!isStarted(result)) return rejected(context, result.status);
  metrics.starts.inc({ outcome: result.status });
  prepareRoom(context, result);
  return { status: 'accepted', session: result.session };
}

type Started = Extract<StartResult, { status: 'assigned' | 'created' | 'existing' }>;

function isStarted(result: StartResult): result is Started {
  return result.status === 'assigned' || result.status === 'created' || result.status === 'existing';
}

function rejected({ metrics }: ApiContext, why: string): PhoneSession {
  metrics.starts.inc({ outcome: why });
  return { status: 'rejected', why };
}

/** Only makes things sooner: the spawner does it again, and nobody waits for it. */
function prepareRoom(context: ApiContext, started: Started): void {
  const { redis, rooms, config, logger } = context;
  const { session, status, deployment } = started;
  if (status === 'assigned') void rooms.introduce(roomOf(session, config, deployment));
  else if (session.status !== 'ready') void openRoom(context, session, deployment);
  if (status !== 'created') return;
  redis.doorbell.ring(session.profile, { priority: 'caller' }).catch((error: unknown) => {
    logger.warn('the doorbell did not ring; the spawner finds the launch by itself', { error });
  });
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
