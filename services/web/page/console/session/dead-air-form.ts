import type { DeadAirSettings } from '@greenroom/contracts';

export type SettingName = keyof DeadAirSettings;
export type FormValues = Readonly<Partial<Record<SettingName, string>>>;

export interface SettingField {
  readonly name: SettingName;
  readonly label: string;
  readonly unit: '' | 's';
  readonly kind: 'number' | 'text' | 'choice';
}

export const SETTINGS: readonly SettingField[] = [
  { name: 'silence_timeout_normal', label: 'Asks after a silence of', unit: 's', kind: 'number' },
  { name: 'silence_timeout_hold_on', label: 'After a “hold on”', unit: 's', kind: 'number' },
  { name: 'max_checkins_before_disconnect', label: 'Questions before the end', unit: '', kind: 'number' },
  { name: 'disconnect_delay', label: 'From the last question to the end', unit: 's', kind: 'number' },
  { name: 'checkin_message', label: 'Question (one a line)', unit: '', kind: 'text' },
  { name: 'goodbye_message', label: 'Goodbye', unit: '', kind: 'text' },
  { name: 'agent_response_timeout', label: 'The agent counts as frozen after', unit: 's', kind: 'number' },
  { name: 'frozen_agent_action', label: 'Then', unit: '', kind: 'choice' },
  { name: 'apology_message', label: 'Apology', unit: '', kind: 'text' },
  { name: 'max_call_duration', label: 'Longest phone call', unit: 's', kind: 'number' },
];

/** A setting in words; of several questions each on a line of its own. */
export function textOf(value: DeadAirSettings[SettingName]): string {
  return Array.isArray(value) ? value.join('\n') : String(value ?? '');
}

/** What stands in the form: what holds now. */
export function valuesOf(settings: DeadAirSettings): FormValues {
  return Object.fromEntries(
    SETTINGS.filter(({ name }) => settings[name] !== undefined).map(({ name }) => [
      name,
      textOf(settings[name]),
    ]),
  );
}

/** What was changed in the form, as PATCH takes it. A text that was emptied goes back to the profile's. */
export function patchOf(before: FormValues, after: FormValues): Record<string, unknown> {
  return Object.fromEntries(
    SETTINGS.filter(({ name }) => after[name] !== before[name]).map(({ name, kind }) => [
      name,
      valueOf(name, kind, after[name] ?? ''),
    ]),
  );
}

function valueOf(name: SettingName, kind: SettingField['kind'], text: string): unknown {
  if (kind === 'number') return Number(text);
  if (text.trim() === '') return null;
  if (name !== 'checkin_message') return text.trim();
  const lines = text.split('\n').flatMap((line) => line.trim() || []);
  return lines.length === 1 ? lines[0] : lines;
}
