import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';

const FOLDER = fileURLToPath(new URL('../dist/page/', import.meta.url));
export const NOT_FOUND_PAGE = path.join(FOLDER, 'not-found.html');
const A_YEAR = '1y';

/** The built pages: what has a hash in its name never changes, the documents are asked for anew each time. */
export function servePage(folder: string = FOLDER): Router {
  const router = Router();
  router.use('/assets', express.static(path.join(folder, 'assets'), { immutable: true, maxAge: A_YEAR }));
  router.get(['/', '/console', '/console/*path'], (request, response) => {
    const document = request.path.startsWith('/console') ? 'console.html' : 'index.html';
    response.set('Cache-Control', 'no-cache');
    response.sendFile(path.join(folder, document), { cacheControl: false });
  });
  router.use(express.static(folder, { index: false, redirect: false, maxAge: '1h' }));
  return router;
}
