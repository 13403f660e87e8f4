import { CodedError, type EndSessionRequest } from '@greenroom/contracts';
import type { EndResult } from '@greenroom/redis-schema';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Answer, Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { boundedText } from '../http/validate.js';
import { askForEnd } from '../sessions/ask-for-end.js';
import { findSession, requireSessionId, sessionEnded } from '../sessions/find-session.js';

const body = Joi.object<EndSessionRequest>({
  sessionId: Joi.string().required(),
  reason: boundedText(500).empty(''),
  immediately: Joi.boolean(),
});

/** POST /api/session/end and /stop: asks for the end and returns; the owner of the process does the rest. */
export function endSession(context: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/session/end', '/api/session/stop'],
    access: 'holder',
    body,
    async handle({ body: { sessionId, reason, immediately }, client }: Call<EndSessionRequest>) {
      requireSessionId(sessionId);
      const isAdmin = client.kind === 'admin';
      if (immediately && !isAdmin) throw new CodedError('forbidden');
      // An agent in the pool is nobody's to end but an admin's. Only these ids can be one.
      if (!isAdmin && sessionId.startsWith('prewarm_')) await findSession(context.redis, sessionId, client);
      const result = await askForEnd(context, {
        sessionId,
        reason: isAdmin ? 'admin_ended' : 'caller_ended',
        by: isAdmin ? 'admin' : 'caller',
        detail: reason,
        atOnce: immediately,
      });
      return answerFor(sessionId, result);
    },
  });
}

function answerFor(sessionId: string, result: EndResult): Answer {
  switch (result.status) {
    case 'ending':
    case 'fenced':
    case 'gone':
      return accepted(sessionId, 'The session is being ended.');
    case 'already_ending':
      return accepted(sessionId, 'The session is being ended already.');
    case 'ended':
      throw sessionEnded(result.ended);
    case 'not_found':
      throw new CodedError('session_not_found');
    case 'refused':
      throw new Error('an end without conditions was refused');
  }
}

function accepted(sessionId: string, message: string): Answer {
  return { status: 202, body: { success: true, sessionId, status: 'ending', message } };
}
