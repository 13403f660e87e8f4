// What the shell scripts ask and a shell cannot answer by itself.
//   json FIELD...              stdin is JSON: the fields, one a line, empty where there is none; a.b reaches inside
//   where                      API_URL, REDIS_URL and ADMIN_TOKEN to use, one a line
//   redis COMMAND ARGUMENT...  one command to REDIS_URL; the reply as JSON
//   tree                       stdin is a process survey: `pid:startTime` of each of its processes that is on this machine
//   alive pid:startTime...     those of them that still live
import { readFileSync } from 'node:fs';
import { readDevSecrets } from '../dev-secrets.mjs';
import { isSameProcess, readProcess } from '../proc.mjs';
import { askRedis } from '../redis/resp.mjs';
import { livingRecord } from '../stack/records.mjs';

const commands = { json, where, redis, tree, alive };
const [name, ...args] = process.argv.slice(2);
await commands[name](...args);

function json(...fields) {
  const value = readStdin();
  for (const field of fields) {
    const found = field.split('.').reduce((inside, key) => inside?.[key], value) ?? '';
    console.log(typeof found === 'object' ? JSON.stringify(found) : String(found));
  }
}

/** The environment first, then a running `npm start` of this folder, then the defaults. */
function where() {
  const running = livingRecord('start');
  const { env } = process;
  console.log(env.API_URL || running?.apiUrl || 'http://localhost:8080');
  console.log(env.REDIS_URL || running?.redisUrl || 'redis://localhost:6379');
  console.log(env.ADMIN_TOKEN || readDevSecrets().ADMIN_TOKEN || '');
}

async function redis(...command) {
  const [reply] = await askRedis(process.env.REDIS_URL, [command]);
  if (reply instanceof Error) throw reply;
  console.log(JSON.stringify(reply));
}

function tree() {
  const { child_processes: processes = [] } = readStdin();
  const here = processes.flatMap(({ pid, pgid }) => {
    const local = readProcess(pid);
    // A number alone may be somebody else's here, when the spawner runs in a container or elsewhere.
    return local && local.pgid === pgid ? [`${pid}:${local.startTime}`] : [];
  });
  console.log(here.join(' '));
}

function alive(...known) {
  const left = known.filter((one) => isSameProcess(...one.split(':').map(Number)));
  console.log(left.join(' '));
}

function readStdin() {
  try {
    return JSON.parse(readFileSync(0, 'utf8'));
  } catch {
    return {};
  }
}
