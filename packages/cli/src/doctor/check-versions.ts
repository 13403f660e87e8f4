import type { HealthView, HostView } from '@greenroom/contracts';
import { failure, type Finding, ok, warning } from './finding.js';

const OLDEST_NODE = [20, 19] as const;
/** Older ones know our settings by other names. */
const OLDEST_LIVEKIT = [1, 9] as const;

interface Versions {
  /** Of this command. */
  readonly cli: string;
  readonly node: string;
  readonly health: HealthView | undefined;
  readonly hosts: readonly HostView[] | undefined;
  /** What a livekit-server on this machine says of itself. */
  readonly livekit: string | undefined;
}

/** Whether all that works together is new enough and of one version. */
export function checkVersions({ cli, node, health, hosts = [], livekit }: Versions): Finding[] {
  const api = health?.version;
  return [
    isAtLeast(node, OLDEST_NODE)
      ? ok('versions.node', `Node is ${node}.`)
      : failure(
          'versions.node',
          `Node is ${node}, and ${OLDEST_NODE.join('.')} or newer is needed.`,
          'Install a current one, for example: nvm install 22',
        ),
    ...(api === undefined ? [] : [sameAs('versions.api', 'The api', api, cli)]),
    ...hosts
      .filter(({ state, version }) => version !== null && (state === 'up' || state === 'draining'))
      .map(({ host, version }) => sameAs('versions.spawner', `The spawner of ${host}`, version ?? '', cli)),
    ...(livekit === undefined ? [] : [judgeLiveKit(livekit)]),
  ];
}

/** Neighbours work together; farther apart they refuse each other. */
function sameAs(check: string, who: string, version: string, ours: string): Finding {
  if (version === ours) return ok(check, `${who} is ${version}, as this command.`);
  return warning(
    check,
    `${who} is ${version}, and this command is ${ours}.`,
    'Finish the upgrade: restart what still runs the older one (docs/operations.md).',
  );
}

function judgeLiveKit(version: string): Finding {
  if (isAtLeast(version, OLDEST_LIVEKIT)) return ok('versions.livekit', `livekit-server is ${version}.`);
  return failure(
    'versions.livekit',
    `livekit-server is ${version}, and ${OLDEST_LIVEKIT.join('.')} or newer is needed.`,
    'Install a current one: https://github.com/livekit/livekit/releases',
  );
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
