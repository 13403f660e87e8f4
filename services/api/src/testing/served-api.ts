import type { Server, ServerResponse } from 'node:http';
import { closeServer, listen } from '@greenroom/service-kit';
import { createApiServer } from '../server.js';
import { openTestApi, type TestApi, type TestApiOptions } from './test-api.js';

/** An api that listens, for answers that have no end. */
export interface ServedApi extends TestApi {
  readonly baseUrl: string;
  readonly server: Server;
  /** Every answer that was begun. */
  readonly responses: ServerResponse[];
}

export async function serveTestApi(options: TestApiOptions): Promise<ServedApi> {
  const api = await openTestApi(options);
  const server = createApiServer(api.app);
  const responses: ServerResponse[] = [];
  server.on('request', (_request, response) => responses.push(response));
  const baseUrl = `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
  return {
    ...api,
    baseUrl,
    server,
    responses,
    async close() {
      api.context.streams.endAll();
      server.closeAllConnections();
      await closeServer(server);
      await api.close();
    },
  };
}
