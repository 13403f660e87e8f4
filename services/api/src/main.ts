import { setTimeout as sleep } from 'node:timers/promises';
import { openRedis, RedisUnsuitableError } from '@greenroom/redis-schema';
import {
  applyCrashPolicy,
  ConfigError,
  ConnectionWatch,
  closeServer,
  createLogger,
  createShutdown,
  flushLogger,
  listen,
  retentionOf,
  secretsOf,
} from '@greenroom/service-kit';
import { buildApp } from './app.js';
import type { CallSender } from './calls/call-sender.js';
import { CommandSender } from './calls/command-sender.js';
import { DueWatcher } from './calls/due-watcher.js';
import { EndOfCalls } from './calls/end-of-calls.js';
import { LiveKitSender } from './calls/livekit-sender.js';
import { openPhoneSender } from './calls/telnyx/open-phone-sender.js';
import { parseApiConfig, REDIS_LIMIT_MS } from './config.js';
import { OpenStreams } from './http/open-streams.js';
import { AgentMessages } from './livekit/agent-messages.js';
import { askLiveKit, LiveKitBreaker } from './livekit/livekit-breaker.js';
import { LiveKitProbe } from './livekit/livekit-probe.js';
import { Rooms } from './livekit/rooms.js';
import { createApiMetrics } from './metrics.js';
import { createApiServer } from './server.js';
import { LineWatch } from './sessions/line-watch.js';

const SHORT_TOKEN = 16;
const REDIS_START_LIMIT_MS = 5_000;

async function main(): Promise<void> {
  const config = parseApiConfig(process.env);
  const logger = createLogger({ service: 'api', level: config.logLevel, secrets: secretsOf(process.env) });
  const redis = openRedis({
    url: config.redisUrl,
    keyPrefix: config.redisKeyPrefix,
    clientName: 'greenroom-api',
    commandTimeoutMs: REDIS_LIMIT_MS,
    traceSteps: config.traceSteps !== undefined,
    retention: retentionOf(config),
    onError: (error) => logger.warn('redis connection', { error: error.message }),
    onUnreadable: (key) => logger.warn('what is kept in Redis cannot be read and is skipped', { key }),
  });
  const metrics = createApiMetrics();
  const streams = new OpenStreams(metrics.openStreams);
  const livekitBreaker = new LiveKitBreaker({
    ask: askLiveKit(config),
    gauge: metrics.livekitBreakerOpen,
    logger,
  });
  const livekit = new LiveKitProbe(config, livekitBreaker);
  const rooms = new Rooms(config, { breaker: livekitBreaker, logger });
  // It tells at once when LiveKit goes: no caller has to find out.
  const livekitWatch = new ConnectionWatch({
    url: config.livekitUrl,
    onLost: () => livekitBreaker.suspect(),
    onConnected: () => undefined,
  });

  const lineWatch = new LineWatch({ redis, maxSessions: config.maxSessions, metrics, logger });
  const ends = new EndOfCalls({ redis, rooms, ends: metrics.callEnds });
  const agentMessages = new AgentMessages(config);
  const senders: CallSender[] = [
    new LiveKitSender(redis, agentMessages),
    ...openPhoneSender(config, { ends, metrics, logger }),
  ];
  const commandSender = new CommandSender({
    redis,
    senders,
    ends,
    commands: metrics.callCommands,
    logger,
  });
  const dueWatcher = new DueWatcher({ redis, sender: commandSender, lateness: metrics.callLateness, logger });
  const app = buildApp(
    { config, redis, rooms, agentMessages, livekit, livekitBreaker, streams, lineWatch, metrics, logger },
    { isServing: () => !shutdown.hasStarted() },
  );
  const server = createApiServer(app);

  const shutdown = createShutdown({
    logger,
    phases: [
      // /readyz says no from here on, while whoever has not asked it yet is still answered.
      {
        name: 'accept until the proxies know',
        capMs: config.drainDelayMs + 1_000,
        run: (hurry) => sleep(config.drainDelayMs, undefined, { signal: hurry }).catch(() => undefined),
      },
      { name: 'end streams', capMs: 1_000, run: () => streams.endAll() },
      { name: 'answer what has begun', capMs: 6_000, run: () => closeServer(server) },
      // Another api takes what is left as soon as its lease is over.
      {
        name: 'leave the calls to others',
        capMs: 2_500,
        run: async () => {
          await dueWatcher.close();
          await commandSender.idle();
        },
      },
      {
        name: 'cut what is left',
        capMs: 500,
        run: () => {
          lineWatch.close();
          livekitWatch.close();
          livekitBreaker.close();
          server.closeAllConnections();
        },
      },
      { name: 'close redis', capMs: 2_000, run: () => redis.close() },
      { name: 'flush the log', capMs: 1_000, run: () => flushLogger(logger) },
    ],
  });
  const exit = (code: number): void => process.exit(code);
  applyCrashPolicy({ logger, shutdown, exit });
  shutdown.listen(process, exit);

  if (config.adminToken === undefined) logger.warn('admin routes are closed: set ADMIN_TOKEN to open them');
  else if (config.adminToken.length < SHORT_TOKEN) logger.warn('ADMIN_TOKEN is short enough to be guessed');
  redis
    .connected(REDIS_START_LIMIT_MS)
    .then(() => redis.check())
    .catch((error: unknown) => {
      logger.error('redis cannot be used', { error: String(error) });
      if (error instanceof RedisUnsuitableError) void shutdown.run('unsuitable Redis').then(() => exit(1));
    })
    // Before Redis is there, nothing can be looked at, and that would only be warned of.
    .finally(() => {
      dueWatcher.open();
      lineWatch.open();
    });
  void livekit.read();
  livekitWatch.open();

  const port = await listen(server, config);
  logger.info('api is listening', { host: config.host, port });
}

main().catch((error: unknown) => {
  const message = error instanceof ConfigError || error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(1);
});
