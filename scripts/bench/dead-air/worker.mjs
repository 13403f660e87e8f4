// One instance that acts when calls are due, for ../dead-air.mjs: `watcher` as an api does it, `loop` looks at every call each
// 500 ms, `bare` only has a timer for each.
import { callReducer } from '../../../packages/dead-air/dist/index.js';
import { openRedis } from '../../../packages/redis-schema/dist/index.js';
import { createApiMetrics } from '../../../services/api/dist/metrics.js';
import { CommandSender } from '../../../services/api/dist/calls/command-sender.js';
import { DueWatcher } from '../../../services/api/dist/calls/due-watcher.js';

const LOOP_MS = 500;
const [mode, url] = process.argv.slice(2);
const metrics = createApiMetrics();
const schema = openRedis({ url, clientName: `bench-${mode}`, commandTimeoutMs: 30_000 });
const logger = { warn() {}, info() {}, error() {} };
/** When each call's first question is due. */
const dueAt = new Map();
const late = [];

await schema.connected(5_000);
switch (mode) {
  case 'watcher':
    watch();
    break;
  case 'loop':
    void loop();
    break;
}
process.on('message', ({ ask, calls }) => {
  if (calls) expect(calls);
  if (ask === 'late') process.send({ answer: ask, value: late });
  if (ask === 'cpu') process.send({ answer: ask, value: cpuSeconds() });
});
process.send({ answer: 'ready' });

function expect(calls) {
  for (const call of calls) {
    dueAt.set(call.callId, call.dueAt);
    const inMs = call.dueAt - schema.clock.now();
    if (mode === 'bare') setTimeout(() => note(call.callId, 'checkin-1'), inMs);
  }
}

/** Only the first question is known to be due at a certain time. */
function note(callId, commandId) {
  if (commandId === 'checkin-1') late.push(schema.clock.now() - dueAt.get(callId));
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function watch() {
  const send = async ({ callId }, { commandId }) => {
    note(callId, commandId);
    return 'confirmed';
  };
  const sender = new CommandSender({
    redis: schema,
    senders: [{ medium: 'phone', send }],
    ends: { endSession: async () => {}, close: async () => {} },
    commands: metrics.callCommands,
    logger,
  });
  new DueWatcher({ redis: schema, sender, lateness: metrics.callLateness, logger }).open();
}

async function loop() {
  for (;;) {
    const startedAt = performance.now();
    await Promise.all([...dueAt.keys()].map(look));
    const restMs = LOOP_MS - (performance.now() - startedAt);
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, restMs));
    });
  }
}

async function look(callId) {
  const flat = await schema.limiterCall('HGETALL', `call:${callId}`);
  const due = Number(flat[flat.indexOf('dueAt') + 1]);
  const now = schema.clock.now();
  if (!flat.length || !(due <= now)) return;
  const result = await schema.calls.change(callId, callReducer({ kind: 'time', at: now }));
  if (result.status !== 'changed') return;
  note(callId, `checkin-${result.call.state.checkins}`);
}
