import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestStack } from '@greenroom/test-kit';

export interface Alterations {
  readonly headers?: Readonly<Record<string, string>>;
  /** Laid over every JSON object that is answered, where it has that field. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface AlteredApi {
  readonly url: string;
  readonly stop: () => void;
}

/** The stack's api as one sees it that is another version, has another clock or names another LiveKit. */
export async function startAlteredApi(stack: TestStack, alterations: Alterations): Promise<AlteredApi> {
  const { headers = {}, fields = {} } = alterations;
  const server = createServer((request, response) => {
    void (async () => {
      const { authorization = '' } = request.headers;
      const { status, body } = await stack.request(
        request.method ?? 'GET',
        request.url ?? '/',
        await readJson(request),
        { authorization },
      );
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(layOver(body, fields)));
    })();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function readJson(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function layOver(body: object, fields: Readonly<Record<string, unknown>>): object {
  return { ...body, ...Object.fromEntries(Object.entries(fields).filter(([name]) => name in body)) };
}
