import { describe, expect, it } from '@jest/globals';
import { noteSpeaking, type Speaker, UNHEARD } from './speaker.js';

describe('who speaks', () => {
  it('is told by the latest event, whenever it arrives', () => {
    expect(heard([true, 8], [false, 9], [true, 10])).toMatchObject({
      active: true,
      startedAt: 10,
      endedAt: 0,
    });
    expect(heard([true, 10], [false, 9], [true, 8])).toMatchObject({
      active: true,
      startedAt: 10,
      endedAt: 0,
    });
    expect(heard([false, 12], [true, 10], [false, 9])).toMatchObject({ active: false, endedAt: 12 });
  });

  it('is told by the later of two that were read at once', () => {
    expect(heard([true, 5], [false, 5])).toMatchObject({ active: false, endedAt: 5 });
    expect(heard([false, 5], [true, 5])).toMatchObject({ active: true });
    expect(heard([false, 5], [true, 5], [false, 9])).toMatchObject({ active: false, endedAt: 9 });
  });

  it('fell quiet once, however often it is told', () => {
    expect(heard([true, 8], [false, 9], [false, 12])).toMatchObject({ active: false, endedAt: 9 });
    expect(heard([false, 12], [false, 9], [true, 8])).toMatchObject({ active: false, endedAt: 9 });
  });
});

function heard(...edges: [active: boolean, at: number][]): Speaker {
  return edges.reduce((speaker, [active, at]) => noteSpeaking(speaker, active, at), UNHEARD);
}
