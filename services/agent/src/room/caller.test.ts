import { describe, expect, test } from '@jest/globals';
import { describeCaller } from './caller.js';

const defaults = { userName: 'Env', voiceId: 'kal' };
const participant = { identity: 'caller', name: 'Token', attributes: {} };

describe('describeCaller', () => {
  test('attributes come before metadata, metadata before the environment', () => {
    const attributes = { userName: 'Attribute', voiceId: 'rms' };
    const metadata = JSON.stringify({ userName: 'Metadata', voiceId: 'awb' });
    expect(describeCaller({ ...participant, attributes }, metadata, defaults)).toEqual({
      identity: 'caller',
      name: 'Attribute',
      voiceId: 'rms',
    });
    expect(describeCaller(participant, metadata, defaults)).toMatchObject({
      name: 'Metadata',
      voiceId: 'awb',
    });
    expect(describeCaller(participant, '', defaults)).toMatchObject({ name: 'Env', voiceId: 'kal' });
    expect(describeCaller(participant, undefined, { userName: '', voiceId: '' })).toMatchObject({
      name: 'Token',
    });
  });

  test.each(['not json', '[]', 'null', '{"userName": 7}'])('metadata %s counts for nothing', (metadata) => {
    expect(describeCaller(participant, metadata, defaults).name).toBe('Env');
  });

  test('a name is made speakable', () => {
    const userName = `  Ada\n<b>\u0007Lovelace</b> ${'x'.repeat(100)}`;
    const { name } = describeCaller({ ...participant, attributes: { userName } }, '', defaults);
    expect(name).toMatch(/^Ada b Lovelace \/b x+$/);
    expect(name.length).toBeLessThanOrEqual(60);
  });
});
