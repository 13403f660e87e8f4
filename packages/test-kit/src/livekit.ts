import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import { findLiveKitServer } from './find-binary.js';
import { freePort } from './free-port.js';
import { type RunningProcess, startProcess, type StopOptions } from './process.js';
import { makeTempDir } from './temp-dir.js';

export interface LiveKitOptions {
  /** `room.empty_timeout` in seconds. Default: the server's own 300. */
  readonly emptyTimeout?: number;
  /** `room.departure_timeout` in seconds. Default: the server's own 20. */
  readonly departureTimeout?: number;
  readonly webhookUrls?: readonly string[];
  /** `room.auto_create`. Default false, as our own LiveKit runs. */
  readonly autoCreate?: boolean;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
}

export interface TestLiveKit {
  /** `ws://127.0.0.1:port`, what participants get. */
  readonly url: string;
  readonly httpUrl: string;
  readonly port: number;
  /** Where sound goes. */
  readonly udpPort: number;
  /** Where the sound of those goes who cannot use UDP. */
  readonly tcpPort: number;
  /** Changes with `restart()`. */
  readonly pid: number;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** An admin of this server's rooms. */
  readonly rooms: RoomServiceClient;
  output(): string;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Same port and keys; all rooms are gone, as after any restart of a single LiveKit. */
  restart(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
}

/** A real livekit-server on free loopback ports. */
export async function startLiveKit(options: LiveKitOptions = {}): Promise<TestLiveKit> {
  const dir = await makeTempDir('livekit');
  const keys = { apiKey: `key${randomBytes(6).toString('hex')}`, apiSecret: randomBytes(32).toString('hex') };
  const configFile = join(dir.path, 'livekit.json');
  let server = await launchOnFreePorts(configFile, keys, options);
  const { port, udpPort, tcpPort } = server;
  const httpUrl = `http://127.0.0.1:${port}`;
  return {
    url: `ws://127.0.0.1:${port}`,
    httpUrl,
    port,
    udpPort,
    tcpPort,
    ...keys,
    get pid() {
      return server.process.pid;
    },
    rooms: new RoomServiceClient(httpUrl, keys.apiKey, keys.apiSecret),
    output: () => server.process.output(),
    pause: () => server.process.pause(),
    resume: () => server.process.resume(),
    async kill() {
      await server.process.kill();
    },
    async restart() {
      await server.process.stop({ signal: 'SIGKILL' });
      server = await launchLiveKit(configFile, server);
    },
    async stop(stopOptions) {
      // A LiveKit told to stop waits for its participants; a test has no patience for that.
      await server.process.stop({ signal: 'SIGKILL', ...stopOptions });
      await dir.remove();
    },
  };
}

interface Keys {
  readonly apiKey: string;
  readonly apiSecret: string;
}

interface Ports {
  readonly port: number;
  readonly tcpPort: number;
  readonly udpPort: number;
}

interface Launched extends Ports {
  readonly process: RunningProcess;
}

/** Another test may have taken a port between our look and the bind: look again. */
async function launchOnFreePorts(configFile: string, keys: Keys, options: LiveKitOptions): Promise<Launched> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = { port: await freePort(), tcpPort: await freePort(), udpPort: await freePort() };
    // JSON is YAML, and a file keeps the secret out of the process list.
    await writeFile(configFile, JSON.stringify(liveKitConfig(ports, keys, options)), { mode: 0o600 });
    try {
      return await launchLiveKit(configFile, ports);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function launchLiveKit(configFile: string, { port, udpPort, tcpPort }: Ports): Promise<Launched> {
  const running = await startProcess({
    name: `livekit-server on ${port}`,
    command: findLiveKitServer(),
    args: ['--config', configFile],
    readyWhen: { url: `http://127.0.0.1:${port}/` },
  });
  return { port, udpPort, tcpPort, process: running };
}

function liveKitConfig(ports: Ports, keys: Keys, options: LiveKitOptions): object {
  return {
    port: ports.port,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      tcp_port: ports.tcpPort,
      udp_port: ports.udpPort,
      use_external_ip: false,
      node_ip: '127.0.0.1',
      enable_loopback_candidate: true,
      interfaces: { includes: ['lo'] },
      // Without one, clients are told to ask public STUN servers.
      stun_servers: [`127.0.0.1:${ports.udpPort}`],
    },
    room: {
      auto_create: options.autoCreate ?? false,
      ...(options.emptyTimeout !== undefined && { empty_timeout: options.emptyTimeout }),
      ...(options.departureTimeout !== undefined && { departure_timeout: options.departureTimeout }),
    },
    keys: { [keys.apiKey]: keys.apiSecret },
    ...(options.webhookUrls?.length && { webhook: { api_key: keys.apiKey, urls: options.webhookUrls } }),
    logging: { level: options.logLevel ?? 'warn' },
  };
}
