import { createServer, type RequestListener, type Server } from 'node:http';

/** A server that nobody can hold up by being slow. */
export function createApiServer(listener: RequestListener): Server {
  const server = createServer({
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    // Longer than the usual proxy keeps its side open: else it would send a request into a closing connection.
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16 * 1024,
  });
  server.on('request', listener);
  return server;
}
