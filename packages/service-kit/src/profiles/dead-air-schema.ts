import type { DeadAirSettings } from '@greenroom/contracts';
import Joi from 'joi';
import { expecting, seconds, text, wholeNumber } from './expecting.js';

const MESSAGE_LENGTH = 500;

const messages = expecting(
  Joi.alternatives(
    Joi.string().min(1).max(MESSAGE_LENGTH),
    Joi.array().items(Joi.string().min(1).max(MESSAGE_LENGTH)).min(1).max(20),
  ),
  `a text of 1 to ${MESSAGE_LENGTH} characters, or a list of 1 to 20 such texts`,
);

const PHRASE_LENGTH = 100;

const phrases = expecting(
  Joi.array().items(Joi.string().min(1).max(PHRASE_LENGTH)).max(50),
  `a list of at most 50 texts of 1 to ${PHRASE_LENGTH} characters`,
);

const audioUrl = expecting(
  Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .max(2_000),
  'the address of a sound, such as https://example.com/are-you-there.mp3',
);

const fields: Record<keyof DeadAirSettings, Joi.Schema> = {
  silence_timeout_normal: seconds(0.5),
  silence_timeout_hold_on: seconds(0.5),
  hold_on_phrases: phrases,
  max_checkins_before_disconnect: wholeNumber(0, 100),
  max_call_duration: seconds(1),
  checkin_message: messages,
  checkin_audio_url: audioUrl,
  disconnect_delay: seconds(0),
  goodbye_message: text(MESSAGE_LENGTH),
  agent_response_timeout: seconds(1),
  frozen_agent_action: expecting(Joi.valid('restart', 'end'), 'restart or end'),
  apology_message: text(MESSAGE_LENGTH),
};

export const DEAD_AIR_FIELDS = Object.keys(fields);

/** Checks dead-air settings wherever they are written; fills in nothing. */
export const deadAirSettingsSchema = Joi.object<DeadAirSettings>(fields);

/** Some of them, changed: null stands for what the profile says. */
export type DeadAirPatch = { [Name in keyof DeadAirSettings]?: DeadAirSettings[Name] | null };

/** Checks a change of them. */
export const deadAirPatchSchema = Joi.object<DeadAirPatch>(
  Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, schema.allow(null)])),
);
