import { setTimeout as sleep } from 'node:timers/promises';
import { CASES } from './cases.mjs';
import { Line } from './line.mjs';

/**
 * So many calls, the cases in turn, which begin one after the other within `spreadMs` and then all go on at once.
 * @returns of each its case, its steps and what was wrong
 */
export async function playCalls(stage, { count, names, spreadMs }) {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await sleep((spreadMs * index) / count);
      return playCall(stage, names[index % names.length], index);
    }),
  );
}

async function playCall(stage, caseName, index) {
  const line = new Line(stage, `Caller ${index + 1}`);
  try {
    await CASES[caseName].play(line);
    await line.finish();
  } catch (error) {
    line.problems.push(error.message);
    line.call?.hangup();
  }
  return { caseName, name: line.name, callId: line.call?.id, steps: line.steps, problems: line.problems };
}
