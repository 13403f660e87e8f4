import { encodeSession, type SessionRecord } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import { buildAgentEnvironment } from './agents/agent-environment.js';
import { AgentOutput } from './agents/agent-output.js';
import { fillPlaceholders } from './agents/command-line.js';
import { profileVersion } from './agents/profile-version.js';
import {
  type GatedLaunch,
  LAUNCH_RECORD_SCHEMA,
  type LaunchPhase,
  LaunchError,
  openGate,
  writeLaunchRecord,
} from './process/index.js';
import { mintAgentToken } from './rooms/agent-token.js';
import { LiveKitUnavailableError } from './rooms/ask-livekit.js';
import { roomOptionsOf } from './rooms/room-options-of.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { untilAnswered } from './until-answered.js';

/** Whose fault a failed launch is. What is not the agent's speaks neither for nor against its profile. */
export type Blame = 'agent' | 'livekit' | 'host';

/** Why a launch did not get an agent ready; its message is what the caller reads. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly blame: Blame;

  constructor(message: string, options: { cause?: unknown; blame?: Blame } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.blame = options.blame ?? 'agent';
  }
}

/** The session is not ours to launch any more: ended, or launched anew by somebody else. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

const TOKEN_MARGIN_MS = 600_000;
const LONGEST_WAIT_FOR_ROOM_MS = 15_000;

/**
 * From a claim to a process that runs: room, gate, record on disk, both Redis places, and only then the agent's own
 * code. Whatever fails leaves no process behind.
 *
 * @throws StartFailure, Superseded, AbortError (the end was asked for)
 */
export async function startAgent(
  context: SpawnerContext,
  run: AgentRun,
  onAgentEnd: (reason: string) => void,
): Promise<void> {
  await makeRoom(context, run);
  run.giveWay.signal.throwIfAborted();
  const gate = await openAgentGate(context, run);
  run.identity = gate.identity;
  run.exited = gate.exited;
  run.cgroup = gate.cgroup;
  context.faults.reach('spawned');
  try {
    await record(context, run, 'recorded');
    context.faults.reach('recorded');
    await commit(context, run);
    context.faults.reach('committed');
    await record(context, run, 'released');
    run.giveWay.signal.throwIfAborted();
    run.output = new AgentOutput(context, run, onAgentEnd);
    await gate.release();
    context.faults.reach('released');
  } catch (error) {
    await gate.abandon();
    if (error instanceof LaunchError) throw toStartFailure(error);
    throw error;
  }
}

async function makeRoom(context: SpawnerContext, run: AgentRun): Promise<void> {
  try {
    // A LiveKit that is being restarted costs no start; the agent keeps at least half of its time.
    const limitMs = Math.min(run.profile.startupTimeoutMs / 2, LONGEST_WAIT_FOR_ROOM_MS);
    const patience = { limitMs, signal: run.giveWay.signal };
    const room = await context.rooms.create(roomOptionsOf(context, run), patience);
    run.roomSid = room.sid;
    run.roomSeenAtMs = room.seenAtMs;
  } catch (error) {
    if (!(error instanceof LiveKitUnavailableError)) throw error;
    throw new StartFailure('LiveKit could not be reached to make the room.', {
      cause: error,
      blame: 'livekit',
    });
  }
}

async function openAgentGate(context: SpawnerContext, run: AgentRun): Promise<GatedLaunch> {
  const { state } = context;
  const { session, profile, ref } = run;
  run.eventsFile = state.eventsFile(run.id, ref.generation);
  const env = buildAgentEnvironment({
    session,
    profile,
    launch: ref.launch,
    eventsFile: run.eventsFile,
    livekitUrl: context.config.livekitUrl,
    livekitToken: await mintToken(context, run),
  });
  try {
    const gate = await openGate({
      command: profile.command,
      args: profile.args.map((word) => fillPlaceholders(word, placeholders(session))),
      cwd: profile.cwd,
      env,
      logFile: state.logFile(run.id, ref.generation),
      launchId: ref.launch,
      cgroupRoot: context.cgroupRoot,
      limits: profile.limits,
    });
    reportSpawn(context, run, gate);
    return gate;
  } catch (error) {
    if (error instanceof LaunchError) throw toStartFailure(error);
    throw error;
  }
}

function mintToken({ config }: SpawnerContext, run: AgentRun): Promise<string> {
  const { sessionId, generation } = run.ref;
  const lifeMs = tokenLifeMs(config, run);
  return mintAgentToken({ sessionId, generation, roomName: run.session.roomName, lifeMs }, config);
}

function tokenLifeMs({ sessionTimeoutMs }: SpawnerContext['config'], run: AgentRun): number {
  return Math.max(run.profile.warmMaxAgeMs, sessionTimeoutMs) + TOKEN_MARGIN_MS;
}

function reportSpawn({ logger }: SpawnerContext, run: AgentRun, gate: GatedLaunch): void {
  const { pid, pgid } = gate.identity;
  const facts = { session: shortId(run.id), generation: run.ref.generation, pid, pgid };
  if (gate.leadsGroup) logger.info('agent spawned, pgid == pid', facts);
  else logger.warn('agent spawned, but it does not lead its process group', facts);
  if (gate.droppedVariables.length > 0) {
    logger.warn('variables that no shell passes on', { ...facts, names: gate.droppedVariables });
  }
}

async function record({ state }: SpawnerContext, run: AgentRun, phase: LaunchPhase): Promise<void> {
  const { identity, roomSid } = run;
  if (identity === undefined || roomSid === undefined)
    throw new Error('a launch without a process has no record');
  await writeLaunchRecord(state.root, {
    schema: LAUNCH_RECORD_SCHEMA,
    sessionId: run.id,
    generation: run.ref.generation,
    launchId: run.ref.launch,
    hostId: state.hostId,
    profile: run.profile.name,
    identity,
    roomName: run.session.roomName,
    roomSid,
    logFile: state.logFile(run.id, run.ref.generation),
    eventsFile: run.eventsFile,
    deadlineAt: run.session.deadlineAt,
    startedAt: Date.now(),
    phase,
    session: encodeSession(run.session),
    ...(run.cgroup !== undefined && { cgroup: run.cgroup }),
  });
}

/** Both Redis places get the identity while the agent has run nothing. */
async function commit(context: SpawnerContext, run: AgentRun): Promise<void> {
  const { config, redis, state, version } = context;
  const { identity, roomSid } = run;
  if (identity === undefined) throw new Error('a launch without a process cannot be committed');
  const { pid, pgid, startTime } = identity;
  const logFile = state.logFile(run.id, run.ref.generation);
  const facts = {
    pid,
    pgid,
    startTime,
    roomSid,
    logFile,
    tokenLifeMs: tokenLifeMs(config, run),
    profileVersion: profileVersion(run.profile, version),
  };
  const answer = await untilAnswered(() => redis.sessions.commitLaunch(run.ref, facts), run.giveWay.signal);
  if (answer.status === 'superseded') throw new Superseded();
}

/** What this host lacks at the moment is no mistake in a profile. */
function toStartFailure(error: LaunchError): StartFailure {
  const isOfHost = ['spawn_failed', 'gate_closed', 'log_not_writable'].includes(error.code);
  return new StartFailure(error.message, { cause: error, blame: isOfHost ? 'host' : 'agent' });
}

function placeholders(session: SessionRecord): Record<string, string> {
  return {
    room: session.roomName,
    sessionId: session.id,
    userName: session.userName ?? '',
    voiceId: session.voiceId ?? '',
    mode: session.mode,
  };
}
