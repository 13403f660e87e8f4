import type { AdminSessionView, HealthView, HostView, PoolView } from '@greenroom/contracts';
import { AdminApi } from '../api/admin-api.js';
import { ApiError } from '../api/api-error.js';
import type { HttpClient } from '../api/http-client.js';
import { judgeClock, readDateHeader } from './check-clock.js';
import { failure, type Finding, ok, warning } from './finding.js';

/** What the api told; without one that answers there is nothing. */
export interface ApiLook {
  readonly findings: Finding[];
  readonly health?: HealthView;
  readonly hosts?: HostView[];
}

const LIMIT_MS = 5_000;

/** Whether the api answers, takes our token, and is well: hosts, pools, leftovers. */
export async function checkApi(http: HttpClient, hasToken: boolean): Promise<ApiLook> {
  const askedAt = Date.now();
  let response: Response;
  try {
    response = await fetch(`${http.url}/api/health`, { signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    const why = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
    return {
      findings: [
        failure(
          'api.reachable',
          `No api answers at ${http.url} (${why}).`,
          'Start it: npm start (or name it with --api-url or API_URL).',
        ),
      ],
    };
  }
  const answeredAt = Date.now();
  const health = (await response.json().catch(() => undefined)) as HealthView | undefined;
  if (health?.dependencies === undefined) {
    return {
      findings: [
        failure(
          'api.reachable',
          `What answers at ${http.url} is no Greenroom (HTTP ${response.status}).`,
          'Name ours with --api-url or API_URL.',
        ),
      ],
    };
  }
  const reading = readDateHeader(response.headers, askedAt, answeredAt);
  const findings = [
    ok('api.reachable', `The api answers at ${http.url}.`),
    ...judgeHealth(health),
    ...(reading === undefined ? [] : [judgeClock('clock.api', 'the api', reading)]),
  ];
  return { health, ...(await lookAsAdmin(http, hasToken, findings)) };
}

/** What the api itself says of what it depends on. */
function judgeHealth({ dependencies, capacity }: HealthView): Finding[] {
  const { redis, livekit } = dependencies;
  const free =
    capacity.available > 0
      ? ok('api.capacity', `${capacity.current} of ${capacity.max} callers are there.`)
      : warning(
          'api.capacity',
          `All ${capacity.max} places for callers are taken (or unknown): new ones wait in line.`,
          'Raise MAX_SESSIONS and HOST_CAPACITY, or add a host.',
        );
  const parts = [
    redis.status === 'up'
      ? ok(
          'api.redis',
          `The api reaches its Redis${redis.latencyMs === undefined ? '' : ` (${redis.latencyMs} ms)`}${redis.detail ? `; ${redis.detail}` : ''}.`,
        )
      : failure(
          'api.redis',
          'The api does not reach its Redis.',
          'Compare its REDIS_URL with where Redis runs; its log says more.',
        ),
    livekit.status === 'up'
      ? ok('api.livekit', 'The api reaches its LiveKit.')
      : failure(
          'api.livekit',
          `The api does not reach its LiveKit${livekit.detail ? ` (${livekit.detail})` : ''}.`,
          'Compare its LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET with those of LiveKit.',
        ),
  ];
  return redis.status === 'up' ? [...parts, free] : parts;
}

async function lookAsAdmin(
  http: HttpClient,
  hasToken: boolean,
  findings: Finding[],
): Promise<Pick<ApiLook, 'findings' | 'hosts'>> {
  if (!hasToken) {
    const noToken = warning(
      'api.token',
      'Without ADMIN_TOKEN neither hosts nor pools can be looked at.',
      'ADMIN_TOKEN=… greenroom doctor',
    );
    return { findings: [...findings, noToken] };
  }
  const api = new AdminApi(http);
  try {
    const [hosts, pools, ending] = await Promise.all([
      api.hosts(),
      api.pools(),
      api.liveSessions({ status: 'ending' }),
    ]);
    const looked = [
      ok('api.token', 'The api takes ADMIN_TOKEN.'),
      ...judgeHosts(hosts),
      ...judgePools(pools),
      ...judgeLeftovers(ending),
    ];
    return { findings: [...findings, ...looked], hosts };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const isRefused = error.status === 401 || error.status === 403;
    const refusal = isRefused
      ? failure(
          'api.token',
          'The api does not take ADMIN_TOKEN.',
          'Give the token that the api was started with; without one in its environment its admin routes are closed.',
        )
      : failure(
          'api.admin',
          `The api did not answer an operator's question: ${error.message}`,
          error.next ?? 'Its log says more.',
        );
    return { findings: [...findings, refusal] };
  }
}

export function judgeHosts(hosts: readonly HostView[]): Finding[] {
  if (hosts.every(({ state }) => state === 'lost' || state === 'unreachable')) {
    return [
      failure(
        'hosts.up',
        hosts.length === 0 ? 'No spawner is there.' : 'No spawner is heard.',
        'Start one: npm start, or node services/spawner/dist/main.js; its log says why it does not reach Redis.',
      ),
    ];
  }
  return hosts.map(({ host, state, running, capacity, memory }) => {
    if (state === 'unreachable')
      return failure(
        'hosts.up',
        `Host ${host} is not heard any more.`,
        `Look at its spawner; if the machine is gone: greenroom host lost ${host}`,
      );
    if (state === 'lost')
      return warning('hosts.up', `Host ${host} was given up.`, 'Start its spawner again, or ignore it.');
    if (state === 'draining')
      return warning('hosts.up', `Host ${host} drains and takes no work.`, `greenroom undrain ${host}`);
    if (memory.isShort)
      return warning(
        'hosts.up',
        `Host ${host} is short of memory and takes no more agents.`,
        'End what else runs there, or lower HOST_CAPACITY.',
      );
    if (running >= capacity)
      return warning(
        'hosts.up',
        `Host ${host} is full (${running} of ${capacity}).`,
        'Raise HOST_CAPACITY, or add a host.',
      );
    return ok('hosts.up', `Host ${host} is up (${running} of ${capacity} places taken).`);
  });
}

export function judgePools(pools: readonly PoolView[]): Finding[] {
  return pools.map(({ profile, breaker, ready, target }) =>
    breaker === undefined
      ? ok('pools.starting', `Agents of ${profile} start (${ready} of ${target} warm).`)
      : failure(
          'pools.starting',
          `Agents of ${profile} fail to start, ${breaker.failures} in a row: ${breaker.reason}`,
          `Run its command by hand, and look at: greenroom ps --status error --profile ${profile}`,
        ),
  );
}

function judgeLeftovers(ending: readonly AdminSessionView[]): Finding[] {
  return ending
    .filter(({ alarm }) => alarm !== undefined)
    .map(({ sessionId, host }) =>
      failure(
        'hosts.leftovers',
        `Processes of ${sessionId} on ${host ?? 'its host'} survive SIGKILL.`,
        `greenroom show ${sessionId} lists them; they hang in the kernel (state D), often by a disk or mount that is away.`,
      ),
    );
}
