import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

export type Readiness = { ready: true } | { ready: false; reason: string };

export interface PlatformRoutes {
  /** Whether this instance should get traffic. An error or no answer within a second counts as no. */
  readonly checkReadiness: () => Readiness | Promise<Readiness>;
  readonly metrics: Pick<Registry, 'metrics' | 'contentType'>;
}

const READINESS_CAP_MS = 900;

/**
 * Answers GET and HEAD of `/livez`, `/readyz` and `/metrics`, for a plain node:http server or in front of express.
 * @returns whether the request was one of these
 */
export function createPlatformHandler(
  routes: PlatformRoutes,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const answer = answerFor((request.url ?? '').replace(/\?.*/s, ''), routes);
    if (!answer) return false;
    void answer.then(
      ({ status, type, body }) => {
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
        response.end(body);
      },
      () => {
        response.writeHead(500);
        response.end();
      },
    );
    return true;
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

function answerFor(path: string, routes: PlatformRoutes): Promise<Answer> | undefined {
  switch (path) {
    case '/livez':
      return Promise.resolve(json(200, { status: 'ok' }));
    case '/readyz':
      return readiness(routes).then((state) =>
        state.ready
          ? json(200, { status: 'ready' })
          : json(503, { status: 'not_ready', reason: state.reason }),
      );
    case '/metrics':
      return routes.metrics
        .metrics()
        .then((body) => ({ status: 200, type: routes.metrics.contentType, body }));
    default:
      return undefined;
  }
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

async function readiness({ checkReadiness }: PlatformRoutes): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const noAnswer = new Promise<Readiness>((resolve) => {
    timer = setTimeout(
      () => resolve({ ready: false, reason: 'the check did not answer in time' }),
      READINESS_CAP_MS,
    );
  });
  const asked = Promise.resolve()
    .then(checkReadiness)
    .catch((): Readiness => ({ ready: false, reason: 'the check failed' }));
  const state = await Promise.race([asked, noAnswer]);
  clearTimeout(timer);
  return state;
}
