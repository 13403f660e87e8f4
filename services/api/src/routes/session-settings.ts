import { CodedError, type DeadAirSettings } from '@greenroom/contracts';
import { begin, callReducer } from '@greenroom/dead-air';
import type { CallRecord, RedisSchema, ReduceCall, SessionRecord } from '@greenroom/redis-schema';
import { type DeadAirPatch, deadAirPatchSchema } from '@greenroom/service-kit';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { profileSettings, viewDeadAir } from '../sessions/dead-air-view.js';
import { findSession } from '../sessions/find-session.js';

/** PATCH /api/session/:id/settings: how silence is treated in one live session. */
export function sessionSettings({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'patch',
    paths: ['/api/session/:id/settings'],
    access: 'admin',
    body: deadAirPatchSchema.min(1),
    async handle({ id, body, client, requestId }: Call<DeadAirPatch>) {
      const session = await findSession(redis, id, client);
      const profile = await profileSettings(redis, session.profile);
      const call = await callOf(redis, session, profile);
      const changed = Object.keys(body);
      const result = await redis.calls.setSettings(
        call.callId,
        withProfile(body, profile),
        noteChange(changed, redis.clock.now()),
      );
      if (!('call' in result)) {
        await findSession(redis, id, client);
        throw new CodedError('no_dead_air');
      }
      logger.info('dead-air settings of a session changed', { requestId, by: client.kind, changed });
      const deadAir = viewDeadAir(result.call, profile);
      return { status: 200, body: { success: true, sessionId: session.id, deadAir } };
    },
  });
}

/** The call that is being watched, or the one that will be once both sides are there. @throws CodedError `no_dead_air` */
async function callOf(
  redis: RedisSchema,
  session: SessionRecord,
  settings: DeadAirSettings | undefined,
): Promise<CallRecord> {
  const call = await redis.calls.findBySession(session.id);
  if (call !== undefined) return call;
  const isCall = session.owner === 'caller' && session.status !== 'queued';
  if (settings === undefined || !isCall) throw new CodedError('no_dead_air');
  const state = begin(Math.round(redis.clock.now()), 'livekit');
  const opened = await redis.calls.open({
    callId: session.id,
    sessionId: session.id,
    medium: 'livekit',
    state,
    settings,
    dueAt: undefined,
  });
  if (opened.status === 'opened' || opened.status === 'exists') return opened.call;
  const other = await redis.calls.findBySession(session.id);
  if (other === undefined) throw new CodedError('no_dead_air');
  return other;
}

/** What is taken back is as the profile says. */
function withProfile(patch: DeadAirPatch, profile: DeadAirSettings = {}): DeadAirPatch {
  const entries = Object.entries(patch) as [keyof DeadAirSettings, unknown][];
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? profile[name] ?? null]));
}

/** The names alone: what is to be said in a call is not for the stream of all. */
function noteChange(changed: readonly string[], at: number): ReduceCall {
  const reduce = callReducer({ kind: 'settings_changed', at });
  return (call) => {
    const next = reduce(call);
    if (next === 'unchanged') return next;
    const steps = next.steps.map((step) =>
      step.name === 'settings_changed'
        ? { ...step, detail: { by: 'admin', changed: changed.join(' ') } }
        : step,
    );
    return { ...next, steps };
  };
}
