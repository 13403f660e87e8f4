import type { HostLoad } from '@greenroom/contracts';
import { asList, type ScriptRunner, unexpected } from './script-runner.js';
import type { EpochMs } from './types.js';

/** What a host said last, and what the data says that it has. */
export interface HostRecord {
  id: string;
  /** `lost`: silent, and its calls were moved, or there were none. */
  state: 'up' | 'draining' | 'unreachable' | 'lost';
  version: string | undefined;
  capacity: number;
  /** Launches at a time. */
  concurrency: number;
  startedAt: EpochMs | undefined;
  lastSeenAt: EpochMs;
  memoryFreeBytes: number | undefined;
  isShortOfMemory: boolean;
  /** What the whole machine does; one of an older version does not say. */
  load: HostLoad | undefined;
  /** Since when an operator wants it to take no more work. */
  drainWantedSince: EpochMs | undefined;
  calls: number;
  warm: number;
  /** Of both, those whose agent is not ready yet. */
  starting: number;
  /** Launches on it that must not run any more, and that it has not ended yet. */
  killsLeft: number;
}

export type DrainResult = { status: 'ok'; callsLeft: number } | { status: 'not_found' };

export type LostResult =
  | { status: 'ok'; moved: number; ended: number; dropped: number }
  | { status: 'host_reachable'; silentMs: number }
  | { status: 'not_found' };

/** The hosts as operators see them. */
export class FleetStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  /** Every host that is known, by its id. */
  async list(): Promise<HostRecord[]> {
    const answer = await this.#scripts.run('list-hosts');
    return parseHosts(answer.hosts);
  }

  /** The host takes no more work, or takes it again. Its spawner hears of it in the same step. */
  async drain(host: string, isWanted: boolean): Promise<DrainResult> {
    const answer = await this.#scripts.run('drain-host', { host, isWanted });
    switch (answer.status) {
      case 'ok':
        return { status: 'ok', callsLeft: Number(answer.callsLeft) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('drain-host', answer);
    }
  }

  /** An operator knows that a host will not come back as it was: its calls are moved now, or end where no other host is. */
  async declareLost(host: string): Promise<LostResult> {
    const answer = await this.#scripts.run('declare-host-lost', { host });
    switch (answer.status) {
      case 'ok': {
        const { moved, ended, dropped } = answer;
        return { status: 'ok', moved: Number(moved), ended: Number(ended), dropped: Number(dropped) };
      }
      case 'host_reachable':
        return { status: 'host_reachable', silentMs: Number(answer.silentMs) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('declare-host-lost', answer);
    }
  }
}

/** By their ids. */
export function parseHosts(raw: unknown): HostRecord[] {
  return asList<ListedHost>(raw)
    .map(toRecord)
    .sort((a, b) => a.id.localeCompare(b.id));
}

interface ListedHost {
  id: string;
  fields: Record<string, string>;
  lastSeenAt: number;
  isFresh: boolean;
  drainWantedSince: number | null;
  calls: number;
  warm: number;
  starting: number;
  kills: number;
}

function toRecord({ id, fields, lastSeenAt, isFresh, ...host }: ListedHost): HostRecord {
  return {
    id,
    state: stateOf(fields, isFresh),
    version: fields.version,
    capacity: Number(fields.capacity ?? 0),
    concurrency: Number(fields.concurrency ?? 0),
    startedAt: numberOf(fields.startedAt),
    lastSeenAt,
    memoryFreeBytes: numberOf(fields.memoryFree),
    isShortOfMemory: fields.shortOfMemory === '1',
    load: loadOf(fields),
    drainWantedSince: host.drainWantedSince ?? undefined,
    calls: host.calls,
    warm: host.warm,
    starting: host.starting,
    killsLeft: host.kills,
  };
}

function stateOf(fields: Record<string, string>, isFresh: boolean): HostRecord['state'] {
  if (!isFresh) return fields.lostAt === undefined ? 'unreachable' : 'lost';
  return fields.draining === '1' ? 'draining' : 'up';
}

function loadOf({ loadAverage, cores, cpuPercent }: Record<string, string>): HostLoad | undefined {
  if (loadAverage === undefined || cores === undefined) return undefined;
  return {
    cpuPercent: numberOf(cpuPercent) ?? null,
    loadAverage: Number(loadAverage),
    cores: Number(cores),
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
