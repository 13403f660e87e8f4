import { describe, expect, test } from '@jest/globals';
import { Outages } from './outages.js';

function outagesAt() {
  const clock = { nowMs: 0 };
  return { clock, outages: new Outages(() => clock.nowMs) };
}

describe('until when people could not be in their rooms', () => {
  test('one question that fails, now and then, says nothing', () => {
    const { clock, outages } = outagesAt();
    for (let round = 1; round <= 50; round += 1) {
      clock.nowMs += 1000;
      outages.failed(clock.nowMs - 900);
      expect(outages.hasBeenSince(clock.nowMs)).toBe(true);
      outages.answered();
    }
    expect(outages.absentUntilMs).toBe(Number.NEGATIVE_INFINITY);
  });

  test('a silence of 3 s does: for as long as it lasts, and until the answer that ends it', () => {
    const { clock, outages } = outagesAt();
    clock.nowMs = 1000;
    outages.failed(500);
    expect(outages.absentUntilMs).toBe(Number.NEGATIVE_INFINITY);
    clock.nowMs = 3500;
    outages.failed(3000);
    expect(outages.absentUntilMs).toBe(3500);
    clock.nowMs = 9000;
    outages.answered();
    clock.nowMs = 20_000;
    outages.answered();
    expect(outages.absentUntilMs).toBe(9000);
  });

  test('a question that got lost in an outage, and fails long after it was over, does not make it last', () => {
    const { clock, outages } = outagesAt();
    clock.nowMs = 1000;
    outages.noteAbsence();
    clock.nowMs = 1200;
    outages.answered();
    clock.nowMs = 21_000;
    outages.failed(1000);
    expect(outages.absentUntilMs).toBe(1000);
    outages.answered();
    expect(outages.absentUntilMs).toBe(1000);
  });

  test('and so does what is certain', () => {
    const { clock, outages } = outagesAt();
    clock.nowMs = 1000;
    outages.noteAbsence();
    clock.nowMs = 2000;
    outages.failed(1900);
    outages.answered();
    expect(outages.absentUntilMs).toBe(1000);
  });
});
