import { CodedError, type ProcessSurvey } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { findSession } from '../sessions/find-session.js';

const ANSWER_LIMIT_MS = 2_000;

/** GET /api/debug/session/:id/processes: what the owner of the processes sees right now. */
export function debugProcesses({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/debug/session/:id/processes'],
    access: 'admin',
    async handle({ id, client }) {
      const { id: sessionId, host, agentPid } = await findSession(redis, id, client);
      if (host === undefined || agentPid === undefined) {
        return { status: 200, body: noProcess(sessionId, await redis.sessions.readRaw(sessionId)) };
      }
      const survey = await redis.hosts.askProcesses(host, sessionId, ANSWER_LIMIT_MS);
      if (!survey) throw new CodedError('host_unreachable');
      return { status: 200, body: survey };
    },
  });
}

function noProcess(sessionId: string, sessionData: Record<string, string>): ProcessSurvey {
  return {
    session_id: sessionId,
    pid: null,
    pgid: null,
    is_group_leader: false,
    is_process_alive: false,
    is_group_alive: false,
    child_processes: [],
    session_data: sessionData,
    errors: [],
  };
}
