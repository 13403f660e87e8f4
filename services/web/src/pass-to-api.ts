import type { Logger } from '@greenroom/service-kit';
import type { RequestHandler } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { ServerResponse } from 'node:http';
import { sendProblem } from './answer-errors.js';

export interface PassOptions {
  readonly apiUrl: string;
  readonly logger: Pick<Logger, 'warn'>;
}

const RETRY_AFTER_SECONDS = 2;
const PASSED = /^\/(api\/|openapi\.json$|docs(\/|$))/;
/** What stands between us and the api may take these for a way up, to what is not passed. */
const WAY_UP = /(^|[/\\]|%2f|%5c)(\.|%2e){2}([/\\]|%2f|%5c|$)/i;

/**
 * The api under the origin of the page: a browser needs no other address, and no CORS. Streams go through as they come.
 * The caller's address is added to X-Forwarded-For; TRUST_PROXY of the api says whether it counts.
 */
export function passToApi({ apiUrl, logger }: PassOptions): RequestHandler {
  return createProxyMiddleware({
    target: apiUrl,
    pathFilter: (path) => PASSED.test(path) && !WAY_UP.test(path),
    xfwd: true,
    // The api is asked as the page's origin is called: it compares nothing with its own name.
    changeOrigin: false,
    on: {
      // Whoever leaves before the api has answered leaves there, too: else it would stream to nobody, and keep a place in line.
      proxyReq(question, _request, response) {
        const leave = (): void => {
          if (!response.writableFinished) question.destroy();
        };
        if (response.closed) leave();
        else response.once('close', leave);
      },
      // An answer that breaks off breaks off here, too: else whoever follows a stream of an api that died waits for ever.
      proxyRes(answer, _request, response) {
        answer.once('close', () => {
          if (!answer.complete) response.destroy();
        });
      },
      error(error, _request, response) {
        logger.warn('the api cannot be reached', { error: error.message });
        if (response instanceof ServerResponse) sendProblem(response, 'api_unreachable', RETRY_AFTER_SECONDS);
        else response.destroy();
      },
    },
  }) as RequestHandler;
}
