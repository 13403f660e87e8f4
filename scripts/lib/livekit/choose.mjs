import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram, isProgram } from '../find-program.mjs';
import { BIN_DIR, shortPath, userCacheDir } from '../paths.mjs';
import { ask, runStep } from '../run-step.mjs';
import { findContainerTool } from '../system/containers.mjs';
import { describeError, say, SetupError } from '../ui.mjs';
import { checkLiveKit } from './check.mjs';

export const LIVEKIT_VERSION = '1.13.5';

/** Older ones know our settings by other names. */
const OLDEST = [1, 9];
const MODULE = 'github.com/livekit/livekit-server/cmd/server';
const IMAGE = `livekit/livekit-server:v${LIVEKIT_VERSION}`;
const OWN = join(BIN_DIR, 'livekit-server');

/**
 * The LiveKit to run on, first that fits: LIVEKIT_URL, a program that is here, one built with Go, one from the
 * container image. `{kind: 'running', url}` or `{kind: 'program', program}`.
 * @throws SetupError when there is none, or LIVEKIT_URL does not work
 */
export async function chooseLiveKit(settings) {
  if (settings.LIVEKIT_URL) return takeGiven(settings);
  return chooseLiveKitProgram(settings);
}

/** Tests start their own, so only a program will do. */
export async function chooseLiveKitProgram(settings) {
  const found = await findInstalled(settings);
  if (found) return found;
  const reasons = ['none on PATH'];
  for (const provide of [buildWithGo, copyFromImage]) {
    try {
      return await provide();
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      reasons.push(error.message);
      if (error.logFile) say(describeError(error));
    }
  }
  throw new SetupError(`No LiveKit server: ${reasons.join('; ')}.`, {
    next:
      `install Go 1.21 or newer, or Docker, and run the same command again; or install livekit-server ${LIVEKIT_VERSION} ` +
      'so that it is on PATH; or give LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET of a running one',
  });
}

async function takeGiven(settings) {
  const problem = await checkLiveKit(settings);
  if (problem) {
    throw new SetupError(`LIVEKIT_URL names ${settings.LIVEKIT_URL}, but ${problem}.`, {
      next: 'mend that, or unset LIVEKIT_URL to let us start one here',
    });
  }
  say(`✓ LiveKit: ${settings.LIVEKIT_URL}, as LIVEKIT_URL says`);
  return { kind: 'running', url: settings.LIVEKIT_URL };
}

async function findInstalled(settings) {
  const goBins = [
    settings.GOBIN,
    settings.GOPATH && join(settings.GOPATH, 'bin'),
    join(homedir(), 'go/bin'),
  ].filter(Boolean);
  const candidates = [
    settings.GREENROOM_LIVEKIT_SERVER,
    findProgram('livekit-server'),
    OWN,
    cached(),
    // `go install` names it after its folder.
    ...goBins.flatMap((folder) => [join(folder, 'livekit-server'), join(folder, 'server')]),
  ];
  for (const program of candidates) {
    if (!program || !isProgram(program)) continue;
    const version = await versionOf(program);
    if (version && isNewEnough(version)) {
      say(`✓ LiveKit: ${shortPath(program)} (${version})`);
      return { kind: 'program', program };
    }
    if (version)
      say(`  LiveKit: not ${program}: it is ${version}, and ${OLDEST.join('.')} or newer is needed`);
  }
  return undefined;
}

async function buildWithGo() {
  const go = findProgram('go') ?? ['/usr/local/go/bin/go', '/snap/bin/go'].find(isProgram);
  if (!go) throw new SetupError('no Go to build it with');
  mkdirSync(BIN_DIR, { recursive: true });
  const { seconds } = await runStep({
    title: 'LiveKit',
    doing: `building livekit-server ${LIVEKIT_VERSION} with Go; once, about 3 minutes`,
    command: go,
    args: ['install', '-v', `${MODULE}@v${LIVEKIT_VERSION}`],
    env: { ...process.env, GOBIN: BIN_DIR },
    log: 'livekit-build',
    next: `check that Go reaches its module proxy, or install livekit-server ${LIVEKIT_VERSION} yourself so that it is on PATH`,
  });
  renameSync(join(BIN_DIR, 'server'), OWN);
  keepForOtherClones();
  say(`✓ LiveKit: built into ${shortPath(OWN)} (${seconds} s)`);
  return { kind: 'program', program: OWN };
}

/** The image holds one static program: out of the image it is run, logged and ended like the others. */
async function copyFromImage() {
  const tool = await findContainerTool();
  if (!tool) throw new SetupError('no container tool that answers');
  mkdirSync(BIN_DIR, { recursive: true });
  await runStep({
    title: 'LiveKit',
    doing: `getting the image ${IMAGE} with ${tool}`,
    command: tool,
    args: ['pull', IMAGE],
    log: 'livekit-image',
    next: `see what this says: ${tool} pull ${IMAGE}`,
  });
  const name = `greenroom-livekit-${process.pid}`;
  await ask(tool, ['create', '--name', name, IMAGE]);
  await ask(tool, ['cp', `${name}:/livekit-server`, OWN], { timeoutMs: 60_000 });
  await ask(tool, ['rm', '-f', name]);
  if (!(await versionOf(OWN))) {
    rmSync(OWN, { force: true });
    throw new SetupError(`the program in ${IMAGE} does not run here`);
  }
  keepForOtherClones();
  say(`✓ LiveKit: ${LIVEKIT_VERSION}, from the image ${IMAGE}`);
  return { kind: 'program', program: OWN };
}

function cached() {
  return join(userCacheDir(), `livekit-server-${LIVEKIT_VERSION}`);
}

/** A convenience: when the cache cannot be written, the next clone builds its own. */
function keepForOtherClones() {
  const draft = `${cached()}.${process.pid}`;
  try {
    mkdirSync(dirname(draft), { recursive: true });
    copyFileSync(OWN, draft);
    chmodSync(draft, 0o755);
    renameSync(draft, cached());
  } catch {
    rmSync(draft, { force: true });
  }
}

/** Undefined for a program that is no LiveKit: `server` is anybody's name. */
async function versionOf(program) {
  const { output } = await ask(program, ['--version']);
  return /^livekit-server version (\S+)/m.exec(output)?.[1];
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
