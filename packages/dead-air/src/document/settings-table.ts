import type { DeadAirSettings } from '@greenroom/contracts';
import { DEFAULT_SETTINGS } from '../settings.js';

/** A new setting does not compile until it is explained here. */
const EXPLAINED: Record<keyof DeadAirSettings, string> = {
  silence_timeout_normal: 'silence until the caller is asked',
  silence_timeout_hold_on: "the same, after the caller asked to hold on, until the caller's next words",
  hold_on_phrases:
    'what else asks to hold on, besides what is understood in English: words that follow each other between two pauses, without punctuation',
  max_checkins_before_disconnect: 'questions in a row before the call ends; 0 ends it without asking',
  max_call_duration: 'longest phone call; sessions in a LiveKit room have SESSION_TIMEOUT',
  checkin_message: 'what is asked; of a list one after the other, through the whole call',
  checkin_audio_url:
    'a sound (MP3 or WAV) that is played in place of that text on the telephone; shorter than a minute',
  disconnect_delay: 'from the end of the last question to the end of the call',
  goodbye_message:
    'said before the call ends for its silence or its length; the end comes when the caller has heard it',
  agent_response_timeout:
    "from the caller's last words until an agent of which nothing is heard counts as frozen",
  frozen_agent_action: '`restart`: another agent in the same room; `end`: an apology and the end',
  apology_message: 'that apology',
};

/** docs/dead-air.md: every setting with its unit and its default. */
export function renderSettingsTable(): string {
  const defaults: DeadAirSettings = DEFAULT_SETTINGS;
  const names = Object.keys(EXPLAINED) as (keyof DeadAirSettings)[];
  const rows = names.map(
    (name) => `| \`${name}\` | ${valueOf(name, defaults[name])} | ${EXPLAINED[name]} |\n`,
  );
  return `| setting | default | what it is |\n|---|---|---|\n${rows.join('')}`;
}

function valueOf(name: keyof DeadAirSettings, value: DeadAirSettings[keyof DeadAirSettings]): string {
  if (value === undefined) return 'none';
  if (typeof value === 'number') return name === 'max_checkins_before_disconnect' ? `${value}` : `${value} s`;
  return name === 'frozen_agent_action' ? `\`${String(value)}\`` : `"${String(value)}"`;
}
