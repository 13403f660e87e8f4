import { createPlatformHandler, type Logger, type Registry } from '@greenroom/service-kit';
import compression from 'compression';
import express, { type Express } from 'express';
import { answerNotFound, handleErrors } from './answer-errors.js';
import { setPageHeaders } from './page-headers.js';
import { passToApi } from './pass-to-api.js';
import { servePage } from './serve-page.js';

export interface AppOptions {
  readonly apiUrl: string;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  readonly metrics: Registry;
  /** False while shutting down. */
  readonly isServing?: () => boolean;
}

/** The whole http side, in the order in which a request goes through it. Listens nowhere. */
export function buildApp({ apiUrl, logger, metrics, isServing = () => true }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  const platform = createPlatformHandler({
    metrics,
    checkReadiness: () => (isServing() ? { ready: true } : { ready: false, reason: 'shutting down' }),
  });
  app.use((request, response, next) => {
    if (!platform(request, response)) next();
  });
  // What the api answers keeps the api's own headers; and compressing a stream would hold its events back.
  app.use(passToApi({ apiUrl, logger }));
  app.use(setPageHeaders());
  app.use(compression());
  app.use(servePage());
  app.use(answerNotFound());
  app.use(handleErrors(logger));
  return app;
}
