import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { CodedError } from '@greenroom/contracts';
import express, { type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import type { ApiContext } from '../context.js';
import { factsOf } from '../http/call.js';
import { QUEUE_PAGE_PATH, type Door } from './door.js';
import { readableBoard } from './readable-board.js';

const ABOUT = 'Doorbells: normally empty. A job has spawners look at spawn:pending sooner, and goes at once.';

const LOGO = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f6b4b"/><path stroke="#fff" stroke-width="3" stroke-linecap="round" d="M8.5 14.5v3M13.5 10.5v11M18.5 7.5v17M23.5 13.5v5"/></svg>',
)}`;

/** The page of bull-board, read-only, for whoever the door was opened to. To be mounted at QUEUE_PAGE_PATH. */
export function queuePage({ redis }: Pick<ApiContext, 'redis'>, door: Door): Router {
  const router = express.Router();
  router.use(protect());
  router.use(admit(door));
  router.use(readableBoard());
  router.use(serveBoard(redis));
  return router;
}

function serveBoard(redis: ApiContext['redis']): RequestHandler {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(QUEUE_PAGE_PATH);
  createBullBoard({
    queues: [
      new BullMQAdapter(redis.doorbell.queue, {
        readOnlyMode: true,
        allowRetries: false,
        description: ABOUT,
      }),
    ],
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Greenroom',
        boardLogo: { path: LOGO, width: 22, height: 22 },
        favIcon: { default: LOGO, alternative: LOGO },
        miscLinks: [{ text: 'Console', url: '/console' }],
        // It would lead out of the deployment, and what Redis says of itself belongs elsewhere.
        hideDocsLink: true,
        hideRedisDetails: true,
      },
    },
  });
  return adapter.getRouter() as RequestHandler;
}

/** It brings styles of its own within its elements, and would fetch fonts from elsewhere, which it does without. */
function protect(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'self'"],
        formAction: ["'none'"],
        frameAncestors: ["'self'"],
      },
    },
  });
}

/** The board refuses what would change a queue by itself; here nothing but reading gets as far as that. */
function admit(door: Door): RequestHandler {
  return (request, response, next) => {
    const facts = factsOf(response);
    facts.route = QUEUE_PAGE_PATH;
    if (!door.isOpenTo(request.get('Cookie'))) throw new CodedError('unauthorized', { detail: SHUT });
    facts.client = { kind: 'admin', scope: 'admin' };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.set('Allow', 'GET, HEAD');
      throw new CodedError('method_not_allowed');
    }
    next();
  };
}

const SHUT =
  'This page opens for 15 minutes after POST /api/admin/door with the admin token. The console has a link that does so.';
