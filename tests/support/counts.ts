import type { TestStack } from '@greenroom/test-kit';

/** What was ever done, as `pool:stats` counts it. */
export async function totalsOf(stack: TestStack): Promise<Record<string, number>> {
  const flat = (await stack.redis.command('HGETALL', 'pool:stats')) as string[];
  const totals: Record<string, number> = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? '';
    if (name.startsWith('total_')) totals[name] = Number(flat[i + 1]);
  }
  return totals;
}

/** How much of it was done since `before`; what did not grow is left out. */
export async function doneSince(
  stack: TestStack,
  before: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const grown = Object.entries(await totalsOf(stack)).map(([name, now]) => [name, now - (before[name] ?? 0)]);
  return Object.fromEntries(grown.filter(([, by]) => by !== 0));
}

/** Sessions counted anew from their hashes, past every index. */
export async function liveSessions(stack: TestStack): Promise<string[]> {
  const keys = (await stack.redis.command('KEYS', 'session:*_*')) as string[];
  return keys.filter((key) => !key.startsWith('session:user:')).map((key) => key.slice('session:'.length));
}
