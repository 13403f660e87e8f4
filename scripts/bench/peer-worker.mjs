// LiveKit's own worker with an agent that only joins: what dispatching to a warm process costs at the least.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(new URL('../../services/agent/package.json', import.meta.url));
// The package has one entry for each module system and names neither; this is the one for import.
const entry = require.resolve('@livekit/agents').replace(/index\.cjs$/, 'index.js');
const { cli, defineAgent, ServerOptions } = await import(pathToFileURL(entry).href);

// The framework loads the agent by its default export.
// oxlint-disable-next-line import/no-default-export
export default defineAgent({
  entry: async (job) => {
    await job.connect();
  },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  cli.runApp(
    new ServerOptions({
      agent: fileURLToPath(import.meta.url),
      agentName: 'peer',
      numIdleProcesses: 3,
      loadFunc: async () => 0,
      host: '127.0.0.1',
      port: Number(process.env.PEER_PORT),
    }),
  );
}
