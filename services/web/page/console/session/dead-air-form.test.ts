import { expect, test } from '@jest/globals';
import { patchOf, valuesOf } from './dead-air-form.js';

const SETTINGS = {
  silence_timeout_normal: 7,
  checkin_message: ['Hello?', 'Still there?'],
  goodbye_message: 'Bye',
};

test('what was not touched is not sent', () => {
  const values = valuesOf(SETTINGS);
  expect(patchOf(values, values)).toEqual({});
});

test('numbers, lists and texts go as the api takes them; an emptied text is the profile’s again', () => {
  const values = valuesOf(SETTINGS);
  const changed = {
    ...values,
    silence_timeout_normal: '10',
    checkin_message: ' One?\n\n Two? ',
    goodbye_message: ' ',
  };
  expect(patchOf(values, changed)).toEqual({
    silence_timeout_normal: 10,
    checkin_message: ['One?', 'Two?'],
    goodbye_message: null,
  });
  expect(patchOf(values, { ...values, checkin_message: 'One?' })).toEqual({ checkin_message: 'One?' });
});
