import type { CpuInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { HostLoad } from './host-load.js';

const core = (busyMs: number, idle: number): CpuInfo => ({
  model: '',
  speed: 0,
  times: { user: busyMs, nice: 0, sys: 0, irq: 0, idle },
});

test('CPU is what all cores together did since the look before', () => {
  let cores = [core(100, 900), core(0, 1000)];
  const load = new HostLoad(() => cores);
  expect(load.read()).toMatchObject({ cpuPercent: undefined, cores: 2 });
  cores = [core(1100, 900), core(500, 1500)];
  expect(load.read().cpuPercent).toBe(75);
  expect(load.read().cpuPercent).toBeUndefined();
});

test('this machine says how busy it is', () => {
  const { loadAverage, cores } = new HostLoad().read();
  expect(cores).toBeGreaterThan(0);
  expect(loadAverage).toBeGreaterThanOrEqual(0);
});
