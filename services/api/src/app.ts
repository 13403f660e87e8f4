import { createPlatformHandler, type Readiness } from '@greenroom/service-kit';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { ApiContext } from './context.js';
import type { ReaderHubOptions } from './events/reader-hub.js';
import { logAccess } from './http/access-log.js';
import { createAuthenticator } from './http/authenticate.js';
import { beginRequest } from './http/begin-request.js';
import { allowOrigins } from './http/cors.js';
import { closeAfterAnswers } from './http/last-answers.js';
import { answerNotFound, handleErrors } from './http/problem.js';
import { limitRate } from './http/rate-limit.js';
import { mountRoutes } from './http/route.js';
import { limitTime } from './http/time-limit.js';
import { Door, QUEUE_PAGE_PATH } from './queue-page/door.js';
import { queuePage } from './queue-page/queue-page.js';
import { allRoutes } from './routes/index.js';

/** Longest that a request may go unanswered; the slowest question of ours may take 2 s. */
const REQUEST_LIMIT_MS = 5_000;
/** Pages ask for tokens at every load and reconnect. */
const TOKEN_LIMIT_FACTOR = 10;

export interface AppOptions {
  /** False while shutting down: /readyz says no, and every answer is the last on its connection. */
  readonly isServing?: () => boolean;
  readonly requestLimitMs?: number;
  readonly eventStreams?: ReaderHubOptions;
}

/** The whole http side, in the order in which a request goes through it. Listens nowhere. */
export function buildApp(context: ApiContext, options: AppOptions = {}): Express {
  const { config, redis, metrics, logger } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustProxy);

  const isServing = options.isServing ?? (() => true);
  app.use(beginRequest());
  app.use(closeAfterAnswers(isServing));
  app.use(servePlatform(context, isServing));
  app.use(logAccess(logger, metrics.requestSeconds));
  app.use(limitTime(options.requestLimitMs ?? REQUEST_LIMIT_MS));
  app.use(QUEUE_PAGE_PATH, queuePage(context, new Door(config.adminToken)));
  app.use(helmet());
  app.use(allowOrigins(config.corsOrigins));

  const limit = (name: string, perMinute: number) =>
    limitRate({ name, redis, keyPrefix: config.redisKeyPrefix, perMinute });
  mountRoutes(app, allRoutes(context, options.eventStreams), {
    authenticate: createAuthenticator(config),
    limits: {
      start: limit('start', config.rateLimitPerMinute),
      token: limit('token', config.rateLimitPerMinute * TOKEN_LIMIT_FACTOR),
    },
  });

  app.use(answerNotFound());
  app.use(handleErrors(logger, (error) => context.lineWatch.missed(error)));
  return app;
}

/** Probes come every few seconds: they are answered first and leave no line in the log. */
function servePlatform({ redis, metrics }: ApiContext, isServing: () => boolean): express.RequestHandler {
  const handle = createPlatformHandler({
    metrics: metrics.registry,
    async checkReadiness(): Promise<Readiness> {
      if (!isServing()) return { ready: false, reason: 'shutting down' };
      try {
        await redis.ping();
        return { ready: true };
      } catch {
        return { ready: false, reason: 'redis cannot be reached' };
      }
    },
  });
  return (request, response, next) => {
    if (!handle(request, response)) next();
  };
}
