import type { ProcessSurvey } from '@greenroom/contracts';
import { surveyAgent } from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';

/** Answers the debug endpoint's question: what runs of this session on this host right now. */
export async function surveySession(context: SpawnerContext, sessionId: string): Promise<ProcessSurvey> {
  const session_data = await context.redis.sessions.readRaw(sessionId);
  const identity = context.runs.get(sessionId)?.identity;
  if (identity === undefined) {
    return {
      session_id: sessionId,
      pid: null,
      pgid: null,
      is_group_leader: false,
      is_process_alive: false,
      is_group_alive: false,
      child_processes: [],
      session_data,
      errors: ['this host runs no process for the session'],
    };
  }
  const survey = await surveyAgent(identity);
  return {
    ...survey,
    session_id: sessionId,
    child_processes: [...survey.child_processes],
    session_data,
    errors: [...survey.errors],
  };
}
