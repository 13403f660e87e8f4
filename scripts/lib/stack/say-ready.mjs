import { SECRETS_FILE } from '../dev-secrets.mjs';
import { LOG_DIR, shortPath } from '../paths.mjs';
import { say } from '../ui.mjs';
import { apiUrlOf, webUrlOf } from './run.mjs';
import { waitUntilWarm } from './wait-warm.mjs';

/** Waits for the first warm agents, so that the first call is answered at once, then says what to do now. */
export async function sayReady(env, isStopping) {
  const apiUrl = apiUrlOf(env);
  const target = Number(env.POOL_TARGET ?? 3);
  if (target > 0) say(`• Agents: warming ${target}`);
  const { warm, inTime } = await waitUntilWarm({ apiUrl, target, isStopping });
  if (isStopping()) return;
  if (inTime) say(`✓ Agents: ${warm} warm`);
  else
    say(
      `✗ Agents: ${warm} of ${target} warm so far; see ${shortPath(LOG_DIR)}/spawner.log. Calls are taken, and will wait.`,
    );
  say();
  say(`Greenroom is ready: ${webUrlOf(env)}`);
  say(`  Talk to an agent there; operators watch at ${webUrlOf(env)}/console. The api: ${apiUrl}`);
  say('  Or call from another terminal:  npm run call -- --name Ada --say "what time is it"');
  say(
    '  See and steer what runs:  npm run greenroom -- ps   (docs/cli.md has the rest; doctor finds what is wrong)',
  );
  say(`  Logs: ${shortPath(LOG_DIR)}/   Admin token and LiveKit keys: ${shortPath(SECRETS_FILE)}`);
  say('  End everything: Ctrl-C');
}
