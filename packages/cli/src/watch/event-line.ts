import type {
  AlarmStreamEvent,
  HostStreamEvent,
  LineStreamEvent,
  PoolStreamEvent,
  SessionStepEvent,
} from '@greenroom/contracts';
import type { SessionFilter } from '../api/admin-api.js';
import type { StreamEvent } from '../api/event-stream.js';
import { formatTime } from '../output/units.js';
import { applyEvent, type Board, sessionsOf, summarize } from './board.js';

/**
 * One event of the stream of all as a line of text, for where there is no screen; undefined for what is no news to who knows
 * what was there `before`.
 */
export function describeEvent(
  { event, data }: StreamEvent,
  before: Board,
  filter: SessionFilter,
): string | undefined {
  switch (event) {
    case 'snapshot': {
      const board = applyEvent(before, { event, data });
      return summarize(board, sessionsOf(board, filter));
    }
    case 'session':
      return describeStep(data as SessionStepEvent, filter);
    case 'pool':
      return describePool(data as PoolStreamEvent, before);
    case 'host': {
      const { at, host, state } = data as HostStreamEvent;
      if (before.hosts.get(host)?.state === state) return undefined;
      return `${formatTime(at)}  host ${host}: ${state}`;
    }
    case 'line': {
      const { at, waiting } = data as LineStreamEvent;
      return `${formatTime(at)}  line: ${waiting} waiting`;
    }
    case 'alarm': {
      const { at, sessionId, alarm, isOver } = data as AlarmStreamEvent;
      return `${formatTime(at)}  alarm ${alarm} of ${sessionId}${isOver ? ': over' : ''}`;
    }
    default:
      return undefined;
  }
}

function describeStep(
  { at, sessionId, step, status, profile, userId, host }: SessionStepEvent,
  filter: SessionFilter,
): string | undefined {
  if (filter.status !== undefined && filter.status !== status) return undefined;
  if (filter.userId !== undefined && filter.userId !== userId) return undefined;
  return `${formatTime(at)}  ${sessionId}  ${step}  ${status}  ${profile}  ${host ?? '-'}`;
}

function describePool(
  { at, profile, ready, warming, target }: PoolStreamEvent,
  before: Board,
): string | undefined {
  const known = before.pools.get(profile);
  if (known?.ready === ready && known.warming === warming && known.target === target) return undefined;
  return `${formatTime(at)}  pool ${profile}: ${ready} ready, ${warming} warming, target ${target}`;
}
