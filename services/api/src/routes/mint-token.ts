import { CodedError, roomNameOf, sessionIdOfRoom } from '@greenroom/contracts';
import type { SessionRecord } from '@greenroom/redis-schema';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { boundedText } from '../http/validate.js';
import { findSession } from '../sessions/find-session.js';
import { joinDetails } from '../sessions/join-room.js';
import { openRoom } from '../sessions/open-room.js';

/** Ours, or the body of LiveKit's standard token endpoint, or both. */
interface TokenRequest {
  sessionId?: string;
  userName?: string;
  room_name?: string;
  participant_name?: string;
  participant_identity?: string;
  participant_metadata?: string;
  participant_attributes?: Record<string, string>;
  room_config?: object;
}

const body = Joi.object<TokenRequest>({
  sessionId: Joi.string(),
  userName: boundedText(100).empty(''),
  room_name: Joi.string().max(256).empty(''),
  participant_name: boundedText(100).empty(''),
  /** Taken and not used: who counts as a caller is ours to say. */
  participant_identity: Joi.string().max(256).allow(''),
  participant_metadata: boundedText(2048).empty(''),
  participant_attributes: Joi.object().pattern(Joi.string().max(64), boundedText(512).allow('')).max(32),
  /** Taken and not used: it could dispatch another agent, or change how long the room lives. */
  room_config: Joi.object().unknown(),
});

const query = Joi.object<{ sessionId?: string }>({ sessionId: Joi.string() });

/** POST /api/token: a token for a session's own room. Pages ask for one when they load: it never starts an agent. */
export function mintToken(context: ApiContext): Route {
  const { redis, config } = context;
  return defineRoute({
    method: 'post',
    paths: ['/api/token'],
    access: 'holder',
    body,
    query,
    limit: 'token',
    async handle({ body, query, client }: Call<TokenRequest, { sessionId?: string }>) {
      const session = await findSession(redis, sessionIdOf(body, query), client);
      if (body.room_name !== undefined && !isRoomOf(body.room_name, session)) {
        throw new CodedError('forbidden', { detail: 'That room is not the room of this session.' });
      }
      // Its turn came a moment ago, and the spawner may not have made the room yet.
      if (session.queuedAt !== undefined && session.status === 'starting') {
        await openRoom(context, session, await redis.sessions.deployment());
      }
      const { token, livekitUrl } = await joinDetails(session, config, {
        userName: body.userName ?? body.participant_name,
        metadata: body.participant_metadata,
        attributes: withoutReserved(body.participant_attributes),
      });
      return {
        status: 201,
        body: {
          server_url: livekitUrl,
          participant_token: token,
          serverUrl: livekitUrl,
          participantToken: token,
        },
      };
    },
  });
}

/** The session that is asked for. */
function sessionIdOf(body: TokenRequest, query: { sessionId?: string }): string {
  const given = body.sessionId ?? query.sessionId;
  if (given !== undefined) return given;
  if (body.room_name === undefined) {
    throw new CodedError('invalid_request', {
      detail: 'Send the sessionId, or the room_name of the session.',
    });
  }
  const ofRoom = sessionIdOfRoom(body.room_name);
  if (ofRoom === undefined)
    throw new CodedError('session_not_found', { detail: 'No session has this room.' });
  return ofRoom;
}

/** Several names for a session must mean the same one; the id from the line and that of the agent that came do. */
function isRoomOf(roomName: string, { id, queuedAs }: SessionRecord): boolean {
  return roomName === roomNameOf(id) || (queuedAs !== undefined && roomName === roomNameOf(queuedAs));
}

/** `lk.` belongs to LiveKit: an agent's state is told in `lk.agent.state`, and no caller may play one. `greenroom.` is ours. */
function withoutReserved(attributes: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!attributes) return undefined;
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name]) => !name.startsWith('lk.') && !name.startsWith('greenroom.') && !OURS.has(name),
    ),
  );
}

const OURS: ReadonlySet<string> = new Set(['userId', 'userName', 'voiceId']);
