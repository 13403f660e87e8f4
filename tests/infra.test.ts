import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

/** The settings of a unit's [Service]; `systemd-analyze verify` is where one looks for spelling. */
async function serviceOf(unit: string): Promise<Map<string, string[]>> {
  const file = fileURLToPath(new URL(`../infra/systemd/${unit}`, import.meta.url));
  const section = (await readFile(file, 'utf8')).split('[Service]\n')[1]?.split('\n[')[0] ?? '';
  const settings = new Map<string, string[]>();
  for (const line of section.split('\n')) {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
}

describe('the systemd units', () => {
  test.each(['greenroom-spawner.service', 'greenroom-api.service'])(
    '%s: systemd stops the service alone, starts it again, and keeps it before agents when memory is short',
    async (unit) => {
      const service = await serviceOf(unit);
      expect(service.get('KillMode')).toEqual(['process']);
      expect(service.get('OOMPolicy')).toEqual(['continue']);
      expect(service.get('Restart')).toEqual(['always']);
      expect(service.get('Environment')).toEqual(
        expect.arrayContaining(['SHUTDOWN_MODE=handover', 'NODE_ENV=production']),
      );
      // Agents are set to 500.
      expect(Number(service.get('OOMScoreAdjust')?.[0])).toBeLessThan(0);
    },
  );

  test('the spawner may make cgroups, and its agents keep their folders and stay visible', async () => {
    const service = await serviceOf('greenroom-spawner.service');
    expect(service.get('Delegate')).toEqual(['yes']);
    expect(service.get('DelegateSubgroup')).toEqual(['spawner']);
    for (const key of ['PrivateTmp', 'ProtectProc', 'RuntimeDirectory']) expect(service.has(key)).toBe(false);
  });
});
