import { CodedError, type ListenResponse } from '@greenroom/contracts';
import { RedisUnavailableError, type SessionRecord } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { giveTime } from '../http/time-limit.js';
import { mintListenerToken, newListenerIdentity } from '../listen-in/listener-token.js';
import { TELL_LIMIT_MS, tellCaller } from '../listen-in/tell-caller.js';
import { isAway } from '../livekit/livekit-breaker.js';
import { findSession, sessionEnded } from '../sessions/find-session.js';

/**
 * POST /api/session/:id/listen: an operator may hear a call, where the deployment allows it and only when its caller was told.
 * First it is said, then it is noted, then there is a token.
 */
export function listenIn(context: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/session/:id/listen'],
    access: 'admin',
    async handle({ id, client, requestId, response }: Call) {
      const { config, redis, logger } = context;
      if (config.listenIn === 'off') throw new CodedError('listen_in_off');
      const session = await findSession(redis, id, client);
      if (session.status !== 'ready') throw notTold(session);
      giveTime(response, TELL_LIMIT_MS);
      await announce(session, context);
      // Whoever asked has left, or was told that it took too long, and will not listen.
      if (response.headersSent || response.closed) return undefined;
      const identity = newListenerIdentity();
      const { id: sessionId, roomName } = await note(session.id, identity, redis);
      logger.info('an operator listens in', { requestId, identity });
      const token = await mintListenerToken(config, { identity, roomName });
      const url = config.livekitPublicUrl;
      const body: ListenResponse = {
        success: true,
        sessionId,
        identity,
        server_url: url,
        participant_token: token,
        serverUrl: url,
        participantToken: token,
      };
      return { status: 201, body };
    },
  });
}

function notTold({ status }: SessionRecord): CodedError {
  return new CodedError('caller_not_told', {
    detail: `Only a call whose agent is ready can be listened to, since it tells the caller; this session is ${status}.`,
  });
}

async function announce(session: SessionRecord, context: ApiContext): Promise<void> {
  const { redis, config, agentMessages, livekitBreaker } = context;
  try {
    await tellCaller(session, { redis, messages: agentMessages, text: config.listenInAnnouncement });
  } catch (error) {
    if (error instanceof CodedError || error instanceof RedisUnavailableError) throw error;
    if (!isAway(error)) throw new CodedError('caller_not_told', { cause: error });
    livekitBreaker.suspect();
    throw new CodedError('livekit_unavailable', { detail: AWAY, cause: error });
  }
}

const AWAY = 'LiveKit does not answer right now, so the caller cannot be told. Try again shortly.';

async function note(id: string, identity: string, redis: ApiContext['redis']): Promise<SessionRecord> {
  const noted = await redis.rooms.noteListener(id, identity);
  switch (noted.status) {
    case 'ok':
      return noted.session;
    case 'refused':
      throw notTold(noted.session);
    case 'ended':
      throw sessionEnded(noted.ended);
    case 'not_found':
      throw new CodedError('session_not_found');
  }
}
