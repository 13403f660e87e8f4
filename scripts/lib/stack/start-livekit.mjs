import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkLiveKit } from '../livekit/check.mjs';
import { DATA_DIR } from '../paths.mjs';
import { freePortFrom, isTcpPortFree, isUdpPortFree } from '../ports.mjs';
import { say, SetupError } from '../ui.mjs';
import { logTail, startBackground } from './background.mjs';

const FOLDER = join(DATA_DIR, 'livekit');
const CONFIG = join(FOLDER, 'livekit.json');
const START_TIMEOUT_MS = 20_000;

/**
 * A LiveKit of our own, for callers on this machine; it tells the api what happens in its rooms. `onStarted` gets its process
 * at once; resolves with its URL.
 */
export async function startOwnLiveKit(choice, { keys, apiUrl, onStarted }) {
  const port = await freePortFrom(7880);
  writeConfig(await liveKitConfig(port, keys, apiUrl));
  const url = `ws://127.0.0.1:${port}`;
  const process = startBackground({
    name: 'livekit',
    command: choice.program,
    args: ['--config', CONFIG],
    env: globalThis.process.env,
    record: { url },
  });
  onStarted(process);
  await untilReady(process, { LIVEKIT_URL: url, ...keys });
  say(`✓ LiveKit: started on 127.0.0.1:${port}`);
  return url;
}

/** JSON is YAML. A file for its owner only: on the command line, anybody here could read the secret. */
function writeConfig(config) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(CONFIG, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

async function liveKitConfig(port, { LIVEKIT_API_KEY, LIVEKIT_API_SECRET }, apiUrl) {
  const tcpPort = await freePortFrom(port + 1, isTcpPortFree);
  const udpPort = await freePortFrom(port + 2, isUdpPortFree);
  return {
    port,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      tcp_port: tcpPort,
      udp_port: udpPort,
      use_external_ip: false,
      node_ip: '127.0.0.1',
      enable_loopback_candidate: true,
      interfaces: { includes: ['lo'] },
      // Without one, clients are told to ask public STUN servers.
      stun_servers: [`127.0.0.1:${udpPort}`],
    },
    // A room is made by us or not at all: a fenced agent's token must not bring its room back.
    room: { auto_create: false },
    keys: { [LIVEKIT_API_KEY]: LIVEKIT_API_SECRET },
    webhook: { api_key: LIVEKIT_API_KEY, urls: [`${apiUrl}/api/webhooks/livekit`] },
    logging: { level: 'info' },
  };
}

async function untilReady(process, settings) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const problem = await checkLiveKit(settings);
    if (!problem) return;
    if (!process.isAlive() || performance.now() > deadline) {
      const tail = logTail(process);
      await process.stop({ signal: 'SIGKILL' });
      throw new SetupError(`LiveKit did not start: ${problem}.`, {
        logFile: process.logFile,
        tail,
        next: 'see the lines above',
      });
    }
    await sleep(100);
  }
}
