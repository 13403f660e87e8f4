import { type AgentConfig, ConfigError, parseConfig } from './config.js';

const EXIT_CONFIG = 78;

// LiveKit's client prints debug lines unless this says otherwise when it is imported.
process.env['NODE_ENV'] ??= 'production';
// A full disk must not end a call just because we log.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const config = readConfig();
const { runAgent } = await import('./run-agent.js');
await runAgent(config);

function readConfig(): AgentConfig {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`greenroom agent: ${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
}
