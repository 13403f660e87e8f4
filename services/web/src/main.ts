import { createServer } from 'node:http';
import {
  applyCrashPolicy,
  ConfigError,
  closeServer,
  createLogger,
  createMetrics,
  createShutdown,
  flushLogger,
  listen,
  secretsOf,
} from '@greenroom/service-kit';
import { buildApp } from './app.js';
import { parseWebConfig } from './config.js';

async function main(): Promise<void> {
  const config = parseWebConfig(process.env);
  const logger = createLogger({ service: 'web', level: config.logLevel, secrets: secretsOf(process.env) });
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000 });
  const shutdown = createShutdown({
    logger,
    phases: [
      // Event streams of the api have no end of their own: they are cut, and browsers read on elsewhere.
      { name: 'answer what has begun', capMs: 2_000, run: () => closeServer(server) },
      { name: 'cut what is left', capMs: 500, run: () => server.closeAllConnections() },
      { name: 'flush the log', capMs: 1_000, run: () => flushLogger(logger) },
    ],
  });
  server.on(
    'request',
    buildApp({
      apiUrl: config.apiUrl,
      logger,
      metrics: createMetrics('web'),
      isServing: () => !shutdown.hasStarted(),
    }),
  );
  const exit = (code: number): void => process.exit(code);
  applyCrashPolicy({ logger, shutdown, exit });
  shutdown.listen(process, exit);
  const port = await listen(server, config);
  logger.info('web is listening', { host: config.host, port, apiUrl: config.apiUrl });
}

main().catch((error: unknown) => {
  const message = error instanceof ConfigError || error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(1);
});
