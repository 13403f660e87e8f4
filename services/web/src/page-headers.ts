import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * What the pages may do. LiveKit lives at another address, which only the answer to a start tells: `connect-src` is open
 * for that reason, while scripts, styles and fonts come from here alone.
 */
export function setPageHeaders(): RequestHandler {
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:', 'http:', 'https:'],
        mediaSrc: ["'self'", 'blob:', 'mediastream:'],
        workerSrc: ["'self'", 'blob:'],
        manifestSrc: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
  });
  return (request, response, next) => {
    response.set('Permissions-Policy', 'microphone=(self), camera=(), geolocation=(), display-capture=()');
    secure(request, response, next);
  };
}
