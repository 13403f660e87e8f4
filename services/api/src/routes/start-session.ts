import { createHash } from 'node:crypto';
import {
  CodedError,
  formatDuration,
  type JoinDetails,
  roomNameOf,
  SESSION_ID_MAX_LENGTH,
  SESSION_ID_PATTERN,
  type StartedCold,
  type StartedQueued,
  type StartedReady,
  type StartRequest,
} from '@greenroom/contracts';
import type { InLine, SessionRecord, StartArguments, StartResult } from '@greenroom/redis-schema';
import Joi from 'joi';
import { nanoid } from 'nanoid';
import type { ApiContext } from '../context.js';
import type { Answer, Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { boundedText, keyPart, profileName } from '../http/validate.js';
import { joinDetails, roomOf } from '../sessions/join-room.js';
import type { WordOnMaxSessions } from '../sessions/line-watch.js';
import { openRoom } from '../sessions/open-room.js';
import { viewPlace } from '../sessions/session-view.js';

const METADATA_MAX_BYTES = 8192;

const body = Joi.object<StartRequest>({
  userId: keyPart(128),
  userName: boundedText(100).empty(''),
  voiceId: boundedText(128).empty(''),
  profile: profileName,
  metadata: Joi.object().unknown().custom(limitMetadata),
  sessionId: Joi.string()
    .max(SESSION_ID_MAX_LENGTH)
    .pattern(SESSION_ID_PATTERN)
    .messages({ 'string.pattern.base': '{#label} is no session id' }),
});

function limitMetadata(value: object, helpers: Joi.CustomHelpers) {
  if (Buffer.byteLength(JSON.stringify(value)) <= METADATA_MAX_BYTES) return value;
  return helpers.message({ custom: `{#label} must be at most ${METADATA_MAX_BYTES} bytes of JSON` });
}

/** POST /api/session/start: a warm agent at once, or a launch that the caller may already join. */
export function startSession(context: ApiContext): Route {
  const { redis, config, metrics, livekitBreaker, lineWatch } = context;
  return defineRoute({
    method: 'post',
    paths: ['/api/session/start'],
    access: 'client',
    body,
    limit: 'start',
    async handle(call: Call<StartRequest>) {
      if (livekitBreaker.isOpen) metrics.starts.inc({ outcome: 'livekit_unavailable' });
      livekitBreaker.admit();
      const result = await redis.sessions.start(startArguments(call, config, await lineWatch.word()));
      metrics.starts.inc({ outcome: result.status });
      return answerFor(result, call, context);
    },
  });
}

function startArguments(
  call: Call<StartRequest>,
  config: ApiContext['config'],
  word: WordOnMaxSessions,
): StartArguments {
  const { userId, userName, voiceId, profile = 'default', metadata, sessionId: claimedSessionId } = call.body;
  const sessionId = `session_${nanoid(24)}`;
  return {
    sessionId,
    roomName: roomNameOf(sessionId),
    profile,
    anyProfile: call.body.profile === undefined,
    userId,
    userName,
    voiceId,
    metadata: metadata && JSON.stringify(metadata),
    userScope: call.client.scope,
    trusted: call.client.kind !== 'open',
    claimedSessionId,
    idempotency: readIdempotency(call),
    ...word,
    queueMax: config.queueMax,
    client: clientOf(call),
    maxPerClient: call.client.kind === 'admin' ? 0 : config.maxSessionsPerClient,
    sessionTimeoutMs: config.sessionTimeoutMs,
  };
}

/** Who is served in turn with others: a key stands for all its users, an open client is its address. */
function clientOf({ client, address }: Call): string {
  return client.kind === 'open' ? `open-${hash(address).slice(0, 16)}` : client.scope;
}

/** Hashed, so that neither an address nor a client's own key makes odd Redis keys. */
function readIdempotency({
  request,
  client,
  address,
  body,
}: Call<StartRequest>): StartArguments['idempotency'] {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new CodedError('invalid_request', {
      detail: 'Idempotency-Key must be 1 to 255 printable ASCII characters.',
    });
  }
  return { scope: client.scope || hash(address), key: hash(key), bodyHash: hash(canonicalJson(body)) };
}

async function answerFor(
  result: StartResult,
  call: Call<StartRequest>,
  context: ApiContext,
): Promise<Answer> {
  switch (result.status) {
    case 'assigned':
    case 'created':
    case 'existing':
      return answerStarted(result, call, context);
    case 'queued':
      return { status: 202, body: queuedBody(result) };
    case 'client_limit':
    case 'at_capacity':
      throw new CodedError(result.status, { retryAfterSeconds: result.retryAfterMs / 1000 });
    case 'profile_failing':
      throw new CodedError('profile_failing', {
        detail: `Agents of this profile fail to start. The last one: ${result.reason}`,
        retryAfterSeconds: result.retryAfterMs / 1000,
      });
    case 'no_host':
      throw new CodedError('no_host', { retryAfterSeconds: 5 });
    case 'user_busy':
    case 'unknown_profile':
    case 'idempotency_mismatch':
    case 'session_ended':
      throw new CodedError(result.status);
  }
}

type Started = Extract<StartResult, { status: 'assigned' | 'created' | 'existing' }>;

async function answerStarted(
  started: Started,
  call: Call<StartRequest>,
  context: ApiContext,
): Promise<Answer> {
  const { session, deployment } = started;
  const room = roomOf(session, context.config, deployment);
  if (started.status === 'created') ringDoorbell(session, call, context);
  if (started.status === 'assigned') void context.rooms.introduce(room);
  const isReady = session.status === 'ready';
  const [join] = await Promise.all([
    joinDetails(session, context.config, { room }),
    // A caller may join before any spawner has looked. Of starts at the same time, each makes sure.
    isReady ? undefined : openRoom(context, session, deployment),
  ]);
  return isReady
    ? { status: 200, body: readyBody(session, join, call) }
    : { status: 202, body: coldBody(session, join, started.estimatedWaitMs) };
}

function readyBody(session: SessionRecord, join: JoinDetails, call: Call<StartRequest>): StartedReady {
  return {
    success: true,
    sessionId: session.id,
    status: 'ready',
    prewarmed: session.prewarmed,
    message: 'Your agent is in the room. Join it.',
    latency: formatDuration(performance.now() - call.arrivedAtMs),
    ...join,
  };
}

function coldBody(session: SessionRecord, join: JoinDetails, estimatedWaitMs: number): StartedCold {
  return {
    success: true,
    sessionId: session.id,
    status: session.status === 'restarting' ? 'restarting' : 'starting',
    prewarmed: session.prewarmed,
    taskId: session.id,
    estimatedWait: formatDuration(estimatedWaitMs),
    estimatedWaitMs: Math.round(estimatedWaitMs),
    message: 'Your agent is being started. Join the room now; it will be there in a moment.',
    ...join,
  };
}

function queuedBody(place: InLine): StartedQueued {
  return {
    success: true,
    sessionId: place.session.id,
    status: 'queued',
    prewarmed: false,
    ...viewPlace(place),
    message: 'All places are taken; you are in line. Ask for this session at least every 30 seconds.',
  };
}

/** Only makes a spawner look sooner: that the launch is wanted stands in spawn:pending already. */
function ringDoorbell(session: SessionRecord, { requestId }: Call, { redis, logger }: ApiContext): void {
  redis.doorbell.ring(session.profile, { priority: 'caller' }).catch((error: unknown) => {
    logger.warn('the doorbell did not ring; the spawner finds the launch by itself', { requestId, error });
  });
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The same for equal bodies, whatever the order of their fields. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
