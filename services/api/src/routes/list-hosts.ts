import type { HostView } from '@greenroom/contracts';
import type { HostRecord } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { isoTimeOrNull } from '../sessions/session-view.js';

/** GET /api/hosts: every host that is known, how it is, and what it has. */
export function listHosts({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/hosts'],
    access: 'admin',
    async handle() {
      const hosts = await redis.fleet.list();
      return { status: 200, body: { success: true, hosts: hosts.map(viewHost) } };
    },
  });
}

export function viewHost(host: HostRecord): HostView {
  const { id, state, version, capacity, calls, warm, starting, killsLeft } = host;
  const isDraining = state === 'draining' || host.drainWantedSince !== undefined;
  return {
    host: id,
    state,
    version: version ?? null,
    capacity,
    running: calls + warm,
    calls,
    warm,
    starting,
    killsLeft,
    memory: { freeBytes: host.memoryFreeBytes ?? null, isShort: host.isShortOfMemory },
    load: host.load ?? null,
    startedAt: isoTimeOrNull(host.startedAt),
    lastSeenAt: isoTimeOrNull(host.lastSeenAt),
    drain: isDraining ? { since: isoTimeOrNull(host.drainWantedSince), callsLeft: calls } : null,
  };
}
