import { say, SetupError } from '../ui.mjs';
import { adopt } from './background.mjs';
import { livingRecord } from './records.mjs';

/** @throws SetupError when another `npm start` runs in this folder */
export function refuseSecondStart() {
  const other = livingRecord('start');
  if (!other) return;
  throw new SetupError(
    `Greenroom already runs from this folder: pid ${other.pid}, ${other.apiUrl ?? 'still starting'}.`,
    {
      next: `use that one, or end it with Ctrl-C in its terminal (or: kill ${other.pid})`,
    },
  );
}

/**
 * What a start that was killed (kill -9, a crash) left running. The web service and the api are stopped. The spawner is killed, not asked:
 * asked, it would end its calls; killed, it leaves them to the one we are about to start. Redis and LiveKit are kept.
 * @returns {Promise<{redis?: object, livekit?: object}>} the records of what is to be used again
 */
export async function clearLeftovers(settings) {
  for (const [name, signal] of [
    ['web', 'SIGTERM'],
    ['api', 'SIGTERM'],
    ['spawner', 'SIGKILL'],
  ]) {
    const record = livingRecord(name);
    if (!record) continue;
    say(`• An earlier start was killed and left its ${name} running (pid ${record.pid}): ending it`);
    await adopt(record).stop({ signal });
  }
  const left = {};
  for (const [name, givenInstead] of [
    ['redis', settings.REDIS_URL],
    ['livekit', settings.LIVEKIT_URL],
  ]) {
    const record = livingRecord(name);
    if (!record) continue;
    if (givenInstead) await adopt(record).stop();
    else left[name] = record;
    say(
      `• An earlier start left its ${name} running (pid ${record.pid}): ${givenInstead ? 'ended it' : 'using it again'}`,
    );
  }
  return left;
}
