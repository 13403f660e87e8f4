import { setTimeout as sleep } from 'node:timers/promises';

const STAY_MS = 3_000;

/** Callers that come at a steady rate, each with its start, a look or two, and its end, until `stop()`. */
export function beginLoad(client, { perSecond }) {
  const visits = [];
  let number = 0;
  const timer = setInterval(() => visits.push(visit(client, (number += 1))), 1000 / perSecond);
  return {
    /** @returns how many came */
    async stop() {
      clearInterval(timer);
      await Promise.all(visits);
      return number;
    },
  };
}

async function visit(client, number) {
  const started = await client.ask(
    'POST',
    '/api/session/start',
    [200, 202],
    {},
    {
      'idempotency-key': `visit-${number}`,
    },
  );
  if (started === undefined) return;
  const { sessionId } = started;
  await sleep(STAY_MS / 2);
  await client.ask('GET', `/api/session/${sessionId}`, [200]);
  await sleep(STAY_MS / 2);
  await client.ask('POST', '/api/session/end', [202], { sessionId });
}
