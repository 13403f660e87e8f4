import { openHttp } from '../context.js';
import type { CliEnvironment } from '../environment.js';
import { checkApi } from './check-api.js';
import { checkAudio } from './check-audio.js';
import { checkDisk } from './check-disk.js';
import { checkLiveKit } from './check-livekit.js';
import { type ExpectedPort, judgePort } from './check-ports.js';
import { checkRedis } from './check-redis.js';
import { checkVersions } from './check-versions.js';
import type { Finding } from './finding.js';
import { findProgram } from './find-program.js';
import { readLiveKitVersion } from './livekit-version.js';
import { findPortOwner } from './port-owner.js';

const AREAS = ['api', 'hosts', 'pools', 'redis', 'livekit', 'versions', 'clock', 'ports', 'disk', 'audio'];
const DEFAULT_REDIS = 'redis://localhost:6379';
const DEFAULT_LIVEKIT = 'ws://localhost:7880';

interface Subject {
  readonly environment: CliEnvironment;
  readonly apiUrl: string;
  readonly version: string;
}

/**
 * Everything that the doctor looks at, in the order in which it is told. Redis and LiveKit are asked directly where the
 * environment names them, or where no api is there that could tell; what only concerns this machine is left out where the api
 * is on another and no STATE_DIR says that agents run here.
 */
export async function examine({ environment, apiUrl, version }: Subject): Promise<Finding[]> {
  const { deployment } = environment;
  const http = openHttp(apiUrl, environment.adminToken);
  const { findings, health, hosts } = await checkApi(http, environment.adminToken !== undefined);
  const isHere = isThisMachine(http.url) || deployment.stateDir !== undefined;
  const apiTells = health !== undefined;
  const redisUrl = deployment.redisUrl ?? (apiTells ? undefined : DEFAULT_REDIS);
  const livekitUrl = deployment.livekitUrl ?? (apiTells ? undefined : DEFAULT_LIVEKIT);
  const [redis, livekit] = await Promise.all([
    redisUrl === undefined ? [] : checkRedis(redisUrl),
    livekitUrl === undefined
      ? []
      : checkLiveKit({
          url: livekitUrl,
          apiKey: deployment.livekitApiKey,
          apiSecret: deployment.livekitApiSecret,
        }),
  ]);
  const ports = expectedPorts(environment, http.url, {
    redisUrl: redisUrl ?? DEFAULT_REDIS,
    livekitUrl: livekitUrl ?? DEFAULT_LIVEKIT,
    answering: new Set([
      ...(apiTells ? ['api'] : []),
      ...(isWell(redis) ? ['redis'] : []),
      ...(isWell(livekit) ? ['livekit'] : []),
    ]),
  });
  const livekitPort = ports.find(({ check }) => check === 'ports.livekit');
  const livekitVersion = isHere
    ? await readLiveKitVersion(
        livekitPort && findPortOwner(livekitPort.port, 'tcp'),
        deployment.livekitServer ?? findProgram('livekit-server', environment.path),
      )
    : undefined;
  const all = [
    ...findings,
    ...redis,
    ...livekit,
    ...checkVersions({ cli: version, node: process.versions.node, health, hosts, livekit: livekitVersion }),
    ...(isHere ? checkThisMachine(environment, ports) : []),
  ];
  return sortByArea(all);
}

function checkThisMachine({ deployment, path }: CliEnvironment, ports: readonly ExpectedPort[]): Finding[] {
  return [
    ...ports.map((expected) => judgePort(expected, findPortOwner(expected.port, expected.protocol))),
    ...checkDisk(deployment.stateDir ?? '.greenroom', deployment.diskLowWaterMb),
    ...checkAudio(path, deployment.runsReferenceAgent),
  ];
}

interface Places {
  readonly redisUrl: string;
  readonly livekitUrl: string;
  readonly answering: ReadonlySet<string>;
}

/** What listens on this machine, or is to; LiveKit's media ports are taken to follow its own, as npm start lays them. */
function expectedPorts({ deployment }: CliEnvironment, apiUrl: string, places: Places): ExpectedPort[] {
  const { redisUrl, livekitUrl, answering } = places;
  const livekit = portOf(livekitUrl, 7880);
  const media = { command: /livekit/, answers: answering.has('livekit') };
  return [
    ...local(apiUrl, {
      check: 'ports.api',
      name: 'the api',
      port: portOf(apiUrl, 8080),
      protocol: 'tcp',
      command: /services\/api\/dist\/main\.js/,
      variable: 'PORT',
      answers: answering.has('api'),
    }),
    {
      check: 'ports.spawner',
      name: 'the spawner',
      port: deployment.spawnerPort,
      protocol: 'tcp',
      command: /services\/spawner\/dist\/main\.js/,
      variable: 'SPAWNER_PORT',
      answers: false,
    },
    {
      check: 'ports.web',
      name: 'the web page',
      port: deployment.webPort,
      protocol: 'tcp',
      command: /services\/web\/dist\//,
      variable: 'WEB_PORT',
      answers: false,
    },
    ...local(redisUrl, {
      check: 'ports.redis',
      name: 'Redis',
      port: portOf(redisUrl, 6379),
      protocol: 'tcp',
      command: /(redis|valkey)-server/,
      answers: answering.has('redis'),
    }),
    ...local(livekitUrl, {
      check: 'ports.livekit',
      name: 'LiveKit',
      port: livekit,
      protocol: 'tcp',
      ...media,
    }),
    ...local(livekitUrl, {
      check: 'ports.rtc-tcp',
      name: "LiveKit's media over TCP",
      port: livekit + 1,
      protocol: 'tcp',
      ...media,
      answers: false,
    }),
    ...local(livekitUrl, {
      check: 'ports.rtc-udp',
      name: "LiveKit's media",
      port: livekit + 2,
      protocol: 'udp',
      ...media,
      answers: false,
    }),
  ];
}

function local(url: string, expected: ExpectedPort): ExpectedPort[] {
  return isThisMachine(url) ? [expected] : [];
}

function portOf(url: string, byDefault: number): number {
  return Number(new URL(url).port || byDefault);
}

function isThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function isWell(findings: readonly Finding[]): boolean {
  return findings.some(({ check, status }) => check.endsWith('.reachable') && status === 'ok');
}

function sortByArea(findings: readonly Finding[]): Finding[] {
  const rank = ({ check }: Finding): number => AREAS.indexOf(check.split('.')[0] ?? '');
  return [...findings].sort((a, b) => rank(a) - rank(b));
}
