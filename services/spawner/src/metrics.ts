import { Counter, createMetrics, Gauge, Histogram, type Registry } from '@greenroom/service-kit';

export interface SpawnerMetrics {
  registry: Registry;
  launches: Counter<'outcome'>;
  breakersOpened: Counter<'profile'>;
  ends: Counter<'reason'>;
  stops: Counter<'outcome'>;
  startupSeconds: Histogram<'mode'>;
  roomLooks: Counter;
  running: Gauge;
  limits: Gauge<'profile' | 'limit' | 'keeper'>;
  overLimit: Counter<'limit'>;
  diskFree: Gauge;
  diskTrims: Counter<'what'>;
}

export function createSpawnerMetrics(): SpawnerMetrics {
  const registry = createMetrics('spawner');
  const registers = [registry];
  return {
    registry,
    launches: new Counter({
      name: 'greenroom_launches_total',
      help: 'Launches of agents by how they went',
      labelNames: ['outcome'],
      registers,
    }),
    breakersOpened: new Counter({
      name: 'greenroom_profile_breaker_opened_total',
      help: 'How often starts of a profile began to fail fast, or went on to, because its agents fail to start',
      labelNames: ['profile'],
      registers,
    }),
    ends: new Counter({
      name: 'greenroom_sessions_ended_total',
      help: 'Sessions whose end this spawner completed, by reason',
      labelNames: ['reason'],
      registers,
    }),
    stops: new Counter({
      name: 'greenroom_tree_stops_total',
      help: 'Process trees stopped, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    startupSeconds: new Histogram({
      name: 'greenroom_startup_seconds',
      help: 'From the claim of a launch until its agent was ready',
      labelNames: ['mode'],
      buckets: [0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30],
      registers,
    }),
    roomLooks: new Counter({
      name: 'greenroom_room_looks_total',
      help: 'How often LiveKit was asked who is in a room',
      registers,
    }),
    running: new Gauge({
      name: 'greenroom_agents_running',
      help: 'Agents that this spawner is responsible for',
      registers,
    }),
    limits: new Gauge({
      name: 'greenroom_agent_limit',
      help: 'Limit of one agent of a profile (bytes, processes), by who holds it: the kernel (cgroup) or our own watch',
      labelNames: ['profile', 'limit', 'keeper'],
      registers,
    }),
    overLimit: new Counter({
      name: 'greenroom_agents_over_limit_total',
      help: 'Agents killed by our watch because they used more than their limit',
      labelNames: ['limit'],
      registers,
    }),
    diskFree: new Gauge({
      name: 'greenroom_disk_free_bytes',
      help: 'Free space where the state directory lies',
      registers,
    }),
    diskTrims: new Counter({
      name: 'greenroom_disk_trims_total',
      help: 'Agent logs deleted or cut because the disk was nearly full',
      labelNames: ['what'],
      registers,
    }),
  };
}
