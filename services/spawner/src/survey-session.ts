import type { ProcessSurvey } from '@greenroom/contracts';
import type { AgentRun } from './agent-run.js';
import { keepersOf, surveyAgent } from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';

/** Answers the debug endpoint's question: what runs of this session on this host right now. */
export async function surveySession(context: SpawnerContext, sessionId: string): Promise<ProcessSurvey> {
  const session_data = await context.redis.sessions.readRaw(sessionId);
  const run = context.runs.get(sessionId);
  if (run?.identity === undefined) {
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
  const survey = await surveyAgent(run.identity);
  return {
    ...survey,
    session_id: sessionId,
    child_processes: [...survey.child_processes],
    session_data,
    limits: limitsOf(run),
    errors: [...survey.errors],
  };
}

function limitsOf({ cgroup, profile }: AgentRun): NonNullable<ProcessSurvey['limits']> {
  const keepers = keepersOf(cgroup, profile.limits);
  return {
    memory_bytes: profile.limits.memoryBytes ?? null,
    memory_by: keepers.memory,
    processes: profile.limits.processes ?? null,
    processes_by: keepers.processes,
  };
}
