import { setTimeout as sleep } from 'node:timers/promises';
import { CASES, LONE_CASE } from './cases.mjs';
import { Line } from './line.mjs';

const LOOK_MS = 50;

/**
 * So many calls, the cases in turn, which begin one after the other within `spreadMs` and then all go on at once.
 * @param connected called when all are under way
 * @returns of each its case, its steps and what was wrong
 */
export async function playCalls(stage, { count, names, spreadMs, connected = () => undefined }) {
  const lines = Array.from({ length: count }, (_, index) => new Line(stage, `Caller ${index + 1}`));
  const playing = lines.map(async (line, index) => {
    await sleep((spreadMs * index) / count);
    const caseName = names[index % names.length];
    return playCall(line, caseName, CASES[caseName]);
  });
  const isUnderWay = ({ isConnected, problems }) => isConnected || problems.length > 0;
  while (!lines.every(isUnderWay)) await sleep(LOOK_MS);
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
