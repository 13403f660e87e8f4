import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf, pidsWithEnvironment, sendSignal } from '../proc.mjs';
import { say } from '../ui.mjs';
import { livingRecord, removeRecord } from './records.mjs';

// npm hands Ctrl-C on to us, after the terminal has already given it to us: one press is two signals.
const SAME_PRESS_MS = 800;

/**
 * Ends everything that we started, in this order, each phase with a time cap, whatever happens in the others.
 * 1. web and api: take no more starts  2. spawner: drains, so its agents end  3. what agents it left  4. LiveKit  5. Redis
 */
export function makeShutdown(stack, { STATE_DIR }) {
  let hurryUp;
  const hurry = new Promise((resolve) => {
    hurryUp = () => {
      say('• Hurrying');
      resolve('hurry');
    };
  });
  const phases = [
    { name: 'web', end: async () => stack.web?.stop({ graceMs: 5_000, hurry }) },
    { name: 'api', end: async () => stack.api?.stop({ graceMs: 10_000, hurry }) },
    { name: 'spawner and its agents', end: async () => stack.spawner?.stop({ graceMs: 30_000, hurry }) },
    { name: 'agents left behind', end: async () => endLeftAgents(STATE_DIR) },
    { name: 'LiveKit', end: async () => stack.livekit?.stop({ graceMs: 5_000, hurry }) },
    { name: 'Redis', end: async () => stack.redis?.stop({ graceMs: 10_000, hurry }) },
  ];
  const run = async () => {
    if (!stack.redis && !stack.livekit && !stack.api && !stack.spawner) return forgetStart();
    say(
      '• Ending: web, api, spawner and its agents, LiveKit, Redis (what we started). Ctrl-C again hurries.',
    );
    for (const { name, end } of phases) {
      await end().catch((error) => say(`✗ ${name}: ${error.stack}`));
    }
    forgetStart();
    say('✓ Everything we started has ended.');
  };
  return { run, hurryUp };
}

/** Ours only: the record may be that of another start, in whose favour we step back. */
function forgetStart() {
  if (livingRecord('start')?.pid === process.pid) removeRecord('start');
}

/** Calls `onFirst` for the first signal, `onMore` for each later one that is not the same key press. */
export function listenForSignals({ onFirst, onMore }) {
  let lastAt;
  const onSignal = (signal) => {
    const now = performance.now();
    const isFirst = lastAt === undefined;
    const isSamePress = !isFirst && now - lastAt < SAME_PRESS_MS;
    if (isFirst || !isSamePress) lastAt = now;
    if (isFirst) void onFirst(signal);
    else if (!isSamePress) onMore(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
}

/** Only after a spawner that could not do it itself: each of its agents knows a file in our state directory. */
async function endLeftAgents(stateDir) {
  const isOurs = (entry) => entry.startsWith('GREENROOM_EVENTS=') && entry.includes(`${stateDir}/`);
  for (let scan = 0; scan < 20; scan += 1) {
    const left = pidsWithEnvironment(isOurs);
    if (left.length === 0) return;
    for (const pid of left) {
      say(`  killing an agent's process that was left: ${pid} (${commandLineOf(pid).slice(0, 80)})`);
      sendSignal(pid, 'SIGKILL');
    }
    await sleep(50);
  }
}
