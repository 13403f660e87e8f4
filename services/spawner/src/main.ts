import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import type { DoorbellJob } from '@greenroom/contracts';
import { openRedis, RedisUnsuitableError } from '@greenroom/redis-schema';
import {
  applyCrashPolicy,
  createLogger,
  createPlatformHandler,
  closeServer,
  createShutdown,
  listen,
  retentionOf,
  type Readiness,
} from '@greenroom/service-kit';
import { adoptAll } from './adopt.js';
import { hasLaunchRecords, Recovery, register } from './recovery.js';
import { clearDrafts, findCgroupRoot, prepareLimits, startCompanion } from './process/index.js';
import { DEFAULT_PROFILE } from './agents/profile.js';
import { RunRegistry } from './agent-run.js';
import { CallFeed } from './calls/call-feed.js';
import { RoomListener } from './calls/room-listener.js';
import { guardDeadlines } from './deadline-guard.js';
import { DiskGuard } from './disk-guard.js';
import { answerLog } from './answer-log.js';
import { HostDrain } from './drain.js';
import { createFaults } from './faults.js';
import { SessionEnds } from './end-session.js';
import { FencedAgents } from './fenced-agents.js';
import { ForgetFiles } from './forget-files.js';
import { HangWatch } from './hang-watch.js';
import { HealthCheck } from './health-check.js';
import { HostMemory } from './host-memory.js';
import { HostPresence } from './host-presence.js';
import { KillOrders } from './kill-orders.js';
import { Launcher } from './launcher.js';
import { LimitWatch } from './limit-watch.js';
import { LostHosts } from './lost-hosts.js';
import { createSpawnerMetrics } from './metrics.js';
import { PoolKeeper } from './pool.js';
import { proveHunting } from './prove-hunting.js';
import { mintEarToken } from './rooms/ear-token.js';
import { RoomKeeper } from './rooms/room-keeper.js';
import { RoomWatch } from './rooms/room-watch.js';
import { UnclaimedWatch } from './rooms/unclaimed-watch.js';
import { RoomService } from './rooms/room-service.js';
import { readSettings } from './read-settings.js';
import { SessionLifecycle } from './session-lifecycle.js';
import { holdHostId, holdStateDir } from './sole-spawner.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { openStateDir } from './state-dir.js';
import { surveySession } from './survey-session.js';
import { Supervisor } from './supervisor.js';
import { StaleSweep } from './sweep.js';
import { untilAnswered } from './until-answered.js';

const REDIS_START_LIMIT_MS = 2000;

async function main(): Promise<void> {
  const { config, profiles } = readSettings(process.env);
  const logger = createLogger({ service: 'spawner', level: config.logLevel, secrets: config.secrets });
  await holdStateDir(config.stateDir);
  const state = await openStateDir(config.stateDir, config);
  await clearDrafts(state.root);
  const lock = await holdHostId(state.hostId, config);
  const stopping = new AbortController();
  const leaving = new AbortController();
  const redis = openRedis({
    url: config.redisUrl,
    keyPrefix: config.redisKeyPrefix,
    clientName: `greenroom-spawner-${state.hostId}`,
    retention: retentionOf(config),
    holder: { host: state.hostId, incarnation: randomUUID(), lock, machine: config.machineName },
    traceSteps: config.traceSteps !== undefined,
    onError: (error) => logger.debug('redis connection', { error }),
  });
  redis.enterLife(undefined);
  const context: SpawnerContext = {
    config,
    version: readVersion(),
    logger,
    redis,
    rooms: new RoomService(config.livekitUrl, config.livekitApiKey, config.livekitApiSecret),
    memory: new HostMemory(config.memoryLowWaterMb),
    state,
    profiles,
    runs: new RunRegistry(),
    calls: new CallFeed({
      redis,
      host: state.hostId,
      leaving: leaving.signal,
      onSound: (run) => watch.wake(run.id),
      listen: (run) => listener.follow(run),
      isListenedTo: (run) => listener.isListeningTo(run),
      onError: (run, error) =>
        logger.warn('a call was not told what happened', { session: shortId(run.id), error }),
    }),
    cgroupRoot: findCgroupRoot(),
    metrics: createSpawnerMetrics(),
    faults: createFaults(config.faultAt),
    deployment: undefined,
    leftAlone: new Set(),
    epoch: undefined,
    leaving: leaving.signal,
  };

  const listener = new RoomListener({
    livekitUrl: config.livekitUrl,
    start: startCompanion,
    mintToken: (run) => mintEarToken({ sessionId: run.id, roomName: run.session.roomName }, config),
    hear: (run, sounds) => context.calls.overhear(run, sounds),
    lose: (run) => context.calls.loseRoom(run),
    onError: (run, error) => logger.warn('a room is not listened to', { session: shortId(run.id), error }),
    onLost: () => logger.warn('the program that listens in rooms is gone; it is started again'),
  });
  const ends: SessionEnds = new SessionEnds(context, () => launcher.look());
  const supervisor: Supervisor = new Supervisor(context, {
    ends,
    onRestarting: () => launcher.look(),
    isRoomFinished: (run) => rooms.isFinished(run),
  });
  const lifecycle: SessionLifecycle = new SessionLifecycle(context, { ends, supervisor }, () =>
    launcher.look(),
  );
  const launcher = new Launcher(context, lifecycle);
  const pool = new PoolKeeper(context, () => launcher.look());
  const recovery = new Recovery(context, { lifecycle, ends, supervisor });
  const kills = new KillOrders(context, ends);
  const drain = new HostDrain(context, ends);
  const forget = new ForgetFiles(context);
  const rooms: RoomKeeper = new RoomKeeper(context, { ends, onReturn: () => void presence.beat() });
  const watch: RoomWatch = new RoomWatch(context, { ends, supervisor, keeper: rooms });
  const presence: HostPresence = new HostPresence(context, {
    recovery,
    kills,
    drain,
    lost: new LostHosts(context),
    unclaimed: new UnclaimedWatch(context),
    forget,
    ends,
    supervisor,
    launcher,
    pool,
    rooms,
    watch,
  });
  const health = new HealthCheck(context, ends);
  const hangs = new HangWatch(context, supervisor);
  const limits = new LimitWatch(context, supervisor);
  const disk = new DiskGuard(context);
  const fenced = new FencedAgents(context);
  const sweep = new StaleSweep(context, { lifecycle, ends, supervisor });

  let readiness: Readiness = { ready: false, reason: 'starting' };
  const server = createServer();
  const platform = createPlatformHandler({
    checkReadiness: async () => {
      if (!readiness.ready) return readiness;
      if (presence.taken !== undefined) return { ready: false, reason: presence.taken.message };
      await redis.ping();
      return readiness;
    },
    metrics: context.metrics.registry,
  });
  server.on('request', (request, response) => {
    if (!platform(request, response)) response.writeHead(404).end();
  });

  let stopDoorbell: () => Promise<void> = async () => undefined;
  let stopAnswers: () => Promise<void> = async () => undefined;
  let started: Promise<void> = Promise.resolve();
  let isDrain = config.shutdownMode === 'drain';
  const shutdown = createShutdown({
    logger,
    phases: [
      {
        name: 'take no more work',
        capMs: 2000,
        run: async () => {
          readiness = { ready: false, reason: 'shutting down' };
          stopping.abort();
          launcher.close();
          pool.close();
          sweep.close();
          await stopDoorbell();
        },
      },
      {
        name: config.shutdownMode === 'drain' ? 'drain' : 'leave calls to the successor',
        capMs: config.shutdownMode === 'drain' ? config.drainTimeoutMs + 60_000 : 1,
        run: async (hurry) => {
          if (!isDrain) return;
          // What is being adopted must be known before it can be ended.
          await started.catch(() => undefined);
          await presence.drain();
          await drain.finish(hurry);
        },
      },
      {
        name: 'stop watching',
        capMs: 1000,
        run: async () => {
          health.close();
          hangs.close();
          limits.close();
          drain.close();
          fenced.close();
          listener.close();
          rooms.close();
          watch.close();
          disk.close();
          leaving.abort();
          await Promise.all(context.runs.all().map(async (run) => run.output?.leave()));
        },
      },
      {
        name: 'close connections',
        capMs: 1000,
        run: async () => {
          await stopAnswers();
          await presence.close();
          await redis.hosts
            .remove(state.hostId, { hasCalls: context.runs.size > 0 })
            .catch((error: unknown) => logger.warn('the host is still listed', { error }));
          await redis.close();
          await closeServer(server);
        },
      },
    ],
  });
  shutdown.listen(process, (code) => process.exit(code));
  // A restart in place (infra/docker/spawner-loop.sh): the successor takes the calls over, whatever a stop does with them.
  process.on('SIGHUP', () => {
    if (shutdown.hasStarted()) return;
    isDrain = false;
    void shutdown.run('SIGHUP').then(() => process.exit(0));
  });
  applyCrashPolicy({ logger, shutdown, exit: (code) => process.exit(code) });

  await listen(server, config);
  logger.info('spawner listening', {
    port: config.port,
    host: state.hostId,
    // Only a cgroup is a guarantee against what hides; without one the tree is hunted by group, session and cookie.
    treesEndBy: context.cgroupRoot === undefined ? 'signals' : 'cgroup.kill',
    ...reportLimits(context),
  });
  if (!profiles.has(DEFAULT_PROFILE)) {
    logger.warn('no profile is named default: a start must say which one it wants', {
      profiles: [...profiles.keys()],
    });
  }
  started = takeUpWork();
  await started;

  /** Gives up where a shutdown begins meanwhile. @throws AbortError */
  async function takeUpWork(): Promise<void> {
    const endGuard = await guardDeadlines(context);
    await waitForRedis();
    const hasLaunches = await hasLaunchRecords(context);
    const registered = await untilAnswered(() => register(context, hasLaunches), stopping.signal);
    const isSameLife = registered.epoch !== undefined && registered.epoch === (await state.readLife()).epoch;
    if (isSameLife) redis.enterLife(registered.epoch);
    const adopting = await adoptAll(context, { lifecycle, ends, supervisor }, { ...registered, isSameLife });
    await recovery.alreadyPublished(registered);
    await untilAnswered(() => presence.open(), stopping.signal);
    logger.info('looked after launches of an earlier life', await adopting.finish());
    endGuard();
    rooms.open();
    watch.open();
    stopAnswers = await untilAnswered(
      () =>
        redis.questions.answer(state.hostId, {
          processes: (sessionId) => surveySession(context, sessionId),
          log: (question) => answerLog(context, question),
        }),
      stopping.signal,
    );
    stopping.signal.throwIfAborted();
    health.open();
    hangs.open();
    limits.open();
    fenced.open();
    disk.open();
    await proveHunting(context, stopping.signal, (reason) => {
      readiness = { ready: false, reason };
      presence.setLaunching(false);
    });
    presence.setLaunching(true);
    stopDoorbell = redis.doorbell.listen(answerDoorbell, config.spawnConcurrency);
    launcher.open();
    pool.open();
    sweep.open();
    readiness = { ready: true };
    logger.info('spawner ready', { profiles: [...profiles.keys()] });
  }

  /** BullMQ gives a ring to one spawner, whatever it runs: one for another kind of agent is passed on. */
  async function answerDoorbell({ profile }: DoorbellJob): Promise<void> {
    if (context.profiles.has(profile)) return launcher.look();
    await redis.bus.publish('spawners:wake', { kind: 'launch' });
  }

  /** Redis may start after us; one that we cannot use is said so at once. */
  async function waitForRedis(): Promise<void> {
    for (;;) {
      stopping.signal.throwIfAborted();
      try {
        await redis.connected(REDIS_START_LIMIT_MS);
        return await redis.check();
      } catch (error) {
        if (error instanceof RedisUnsuitableError) throw error;
        logger.warn('waiting for Redis', { error });
      }
    }
  }
}

/** Who holds the limits of the agents to come: the kernel or our watch. */
function reportLimits({ cgroupRoot, metrics, profiles }: SpawnerContext) {
  const keepers = [...profiles].map(([profile, { limits }]) => {
    const { memory, processes } = prepareLimits(cgroupRoot, limits);
    metrics.limits.set({ profile, limit: 'memory', keeper: memory }, limits.memoryBytes ?? 0);
    metrics.limits.set({ profile, limit: 'processes', keeper: processes }, limits.processes ?? 0);
    return { memory, processes };
  });
  const allOf = (limit: 'memory' | 'processes') => [...new Set(keepers.map((it) => it[limit]))].join(', ');
  return { memoryLimitBy: allOf('memory'), processLimitBy: allOf('processes') };
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

main().catch((error: unknown) => {
  // The shutdown has begun before we were up; it ends the process itself.
  if ((error as Error).name === 'AbortError') return;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
