import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CASES, LONE_CASE } from './cases.mjs';
import { Line } from './line.mjs';

const LOOK_MS = 50;
/** Each starts an agent. */
const RING_EVERY_MS = 125;
const BEGIN_EVERY_MS = 50;

/**
 * So many calls, the cases in turn. They ring one after the other; when all are answered and have their agents they fall
 * silent, one after the other again, and then all go on at once.
 * @param connected called when all are there
 * @returns of each its case, its steps and what was wrong
 */
export async function playCalls(stage, { count, names, connected = () => undefined }) {
  const gate = new EventEmitter().setMaxListeners(0);
  const lines = Array.from({ length: count }, (_, index) => {
    const begin = once(gate, 'open').then(() => sleep(index * BEGIN_EVERY_MS));
    return new Line(stage, `Caller ${index + 1}`, begin);
  });
  const playing = lines.map(async (line, index) => {
    await sleep(index * RING_EVERY_MS);
    const caseName = names[index % names.length];
    return playCall(line, caseName, CASES[caseName]);
  });
  const isThere = ({ isConnected, problems }) => isConnected || problems.length > 0;
  while (!lines.every(isThere)) await sleep(LOOK_MS);
  gate.emit('open');
  connected();
  return Promise.all(playing);
}

/** One call alone, whose apis are killed in turn. */
export function playLoneCall(stage) {
  return playCall(new Line(stage, 'Lone caller'), LONE_CASE.name, LONE_CASE);
}

async function playCall(line, caseName, course) {
  try {
    await course.play(line);
    await line.finish();
  } catch (error) {
    line.problems.push(error.message);
    line.call?.hangup();
  }
  return { caseName, name: line.name, callId: line.call?.id, steps: line.steps, problems: line.problems };
}
