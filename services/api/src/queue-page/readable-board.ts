import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';

/** Beside `src` and `dist` alike. */
const ASSETS = fileURLToPath(new URL('../../assets/queue-page', import.meta.url));
const PATH = 'greenroom';
const TAGS = `<link rel="stylesheet" href="${PATH}/board.css"><script defer src="${PATH}/board.js"></script>`;

/** Adds to bull-board's page what it lacks by WCAG 2 AA: names of its buttons, a heading, and colours that can be read. */
export function readableBoard(): Router {
  const router = express.Router();
  router.use(`/${PATH}`, express.static(ASSETS));
  router.use(addTags());
  return router;
}

/** The board renders a template of its own, and has no place for tags of others. */
function addTags(): RequestHandler {
  return (_request, response, next) => {
    const render = response.render.bind(response);
    response.render = (view: string, params?: object) =>
      render(view, params, (error, html) => {
        if (error) next(error);
        else response.send(html.replace('</head>', `${TAGS}</head>`));
      });
    next();
  };
}
