// For a container's health check: asks the service beside it whether it is ready. The images have no curl.
// usage: node is-ready.mjs PORT_VARIABLE DEFAULT_PORT
import process from 'node:process';

const [variable = '', standard = ''] = process.argv.slice(2);
const port = process.env[variable]?.trim() || standard;
const isReady = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
  (response) => response.ok,
  () => false,
);
process.exitCode = isReady ? 0 : 1;
