import type { TestStack } from '@greenroom/test-kit';

/** Ids of the warm agents that a caller could get now. */
export async function warmIds(stack: TestStack): Promise<string[]> {
  return ((await stack.redis.command('SMEMBERS', 'pool:ready')) as string[]).sort();
}

export async function poolOf(stack: TestStack): Promise<{ target: number; ready: number; warming: number }> {
  const { target, ready, warming } = (await stack.request('GET', '/api/pool')).body;
  return { target, ready, warming };
}

export async function resize(stack: TestStack, size: number) {
  return (await stack.request('POST', '/api/pool/resize', { size })).body;
}
