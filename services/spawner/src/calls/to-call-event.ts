import { type AgentEvent, commandOf } from '@greenroom/contracts';
import type { CallEvent } from '@greenroom/dead-air';

const TRANSFER = 'transfer';

/** What an agent's event means for the silence of its call; undefined for one that has nothing to do with it. */
export function toCallEvent(event: AgentEvent, at: number): CallEvent | undefined {
  switch (event.event) {
    case 'agent_speaking':
      return { kind: 'agent_speaking', active: event.active, at };
    case 'user_speaking':
      return { kind: 'caller_speaking', active: event.active, at };
    case 'transcript': {
      const { role, text, final } = event;
      return role === 'user' ? { kind: 'caller_said', text, final, at } : undefined;
    }
    case 'tool':
      return { kind: workKind(event.active), id: `tool:${event.id}`, at };
    case 'transfer':
      return { kind: workKind(event.active), id: TRANSFER, at };
    case 'said': {
      const commandId = commandOf(event.commandId);
      return { kind: event.active ? 'playback_started' : 'playback_ended', id: commandId, commandId, at };
    }
    case 'ready':
    case 'health':
    case 'error':
    case 'end':
      return undefined;
  }
}

function workKind(active: boolean): 'work_started' | 'work_ended' {
  return active ? 'work_started' : 'work_ended';
}

/** Names what goes on with this event, or is over with it; undefined for what takes no time. */
export function ongoingOf(event: CallEvent): { name: string; active: boolean } | undefined {
  switch (event.kind) {
    case 'agent_speaking':
    case 'caller_speaking':
      return { name: event.kind, active: event.active };
    case 'playback_started':
    case 'playback_ended':
      return { name: `playback:${event.id}`, active: event.kind === 'playback_started' };
    case 'work_started':
    case 'work_ended':
      return { name: `work:${event.id}`, active: event.kind === 'work_started' };
    case 'call_started':
    case 'caller_said':
    case 'agent_changed':
    case 'link_started':
    case 'link_made':
    case 'link_failed':
    case 'settings_changed':
    case 'time':
    case 'call_ended':
    case 'command_failed':
      return undefined;
  }
}

/** Longest that what an agent says of the past is believed. */
const OLDEST_MS = 60_000;

/**
 * When an event happened, by Redis's clock: an agent's clock is that of its host, which is ours.
 * @param saidAt what the event says of it
 * @param now ours and Redis's, at one moment
 */
export function timeOf(saidAt: number | undefined, now: { ours: number; redis: number }): number {
  const agoMs = saidAt === undefined ? 0 : now.ours - saidAt;
  return Math.round(now.redis - Math.min(Math.max(agoMs, 0), OLDEST_MS));
}
