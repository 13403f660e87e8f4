import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { ApiContext } from '../context.js';
import { allRoutes } from './index.js';

test('docs/http-api.md lists exactly the endpoints that there are, with who may call them', async () => {
  const page = await readFile(new URL('../../../../docs/http-api.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('## Endpoints'), page.indexOf('### '));
  const documented = [...table.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) (`.+`) \| (\w+) \|/gm)].map(
    ([, method, paths, access]) => [method, paths, access],
  );
  const platform = ['GET', '`/livez`, `/readyz`, `/metrics`', 'platform'];
  // A route needs its context only when it is asked.
  const routes = allRoutes({} as ApiContext).map(({ method, paths, access }) => [
    method.toUpperCase(),
    paths.map((path) => `\`${path}\``).join(', '),
    access,
  ]);
  const byText = (rows: unknown[][]) => rows.map((row) => row.join(' ')).sort((a, b) => (a < b ? -1 : 1));
  expect(byText(documented)).toEqual(byText([...routes, platform]));
});
