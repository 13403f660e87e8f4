import type { PoolPolicy, PoolPolicyKind, ScheduleEntry } from '@greenroom/contracts';
import { countOf, formatSeconds } from '../parts/format.js';

/** A policy while it is being typed: every field of every kind, as text. */
export interface PolicyForm {
  kind: PoolPolicyKind;
  /** Of `fixed` and `buffer`; `20%` of a buffer. */
  size: string;
  min: string;
  max: string;
  safety: string;
  windowSeconds: string;
  timeZone: string;
  base: string;
  entries: EntryForm[];
}

export interface EntryForm {
  cron: string;
  size: string;
  /** '' holds until another entry fires. */
  forSeconds: string;
}

export const KINDS: Readonly<Record<PoolPolicyKind, string>> = {
  fixed: 'Fixed: always as many',
  buffer: 'Buffer: room for more callers',
  rate: 'Rate: what arrivals need',
  schedule: 'Schedule: by the clock',
};

export function formOf(policy: PoolPolicy, target: number): PolicyForm {
  const form: PolicyForm = {
    kind: policy.kind,
    size: String(target),
    min: '0',
    max: String(Math.max(10, target)),
    safety: '2',
    windowSeconds: '600',
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    base: String(target),
    entries: [{ cron: '0 8 * * 1-5', size: String(target + 2), forSeconds: '36000' }],
  };
  for (const [name, value] of Object.entries(policy)) {
    if (typeof value === 'string' || typeof value === 'number')
      Object.assign(form, { [name]: String(value) });
  }
  if (policy.kind === 'schedule') form.entries = policy.entries.map(entryFormOf);
  return form;
}

/** What is sent; whether it is right, the api says. */
export function policyOf(form: PolicyForm): object {
  const { kind, size, min, max } = form;
  switch (kind) {
    case 'fixed':
      return { kind, size: Number(size) };
    case 'buffer':
      return { kind, size: numberOrShare(size), min: Number(min), max: Number(max) };
    case 'rate': {
      const { safety, windowSeconds } = form;
      return {
        kind,
        safety: Number(safety),
        min: Number(min),
        max: Number(max),
        windowSeconds: Number(windowSeconds),
      };
    }
    case 'schedule': {
      const { timeZone, base, entries } = form;
      return { kind, timeZone: timeZone.trim(), base: Number(base), entries: entries.map(entryOf) };
    }
  }
}

/** What will come of it, in a sentence, before it is set. */
export function effectOf(form: PolicyForm): string {
  const bounds = `never fewer than ${form.min} nor more than ${form.max}`;
  switch (form.kind) {
    case 'fixed':
      return `There will be ${form.size} warm agents at all times: missing ones are started now, and those too many end while calls go on.`;
    case 'buffer':
      return `Warm agents will be kept for ${roomOf(form.size)}, ${bounds}; those too many end while calls go on.`;
    case 'rate':
      return `As many warm agents will be kept as the arrivals of the last ${form.windowSeconds} s need, ${bounds}; those too many end while calls go on.`;
    case 'schedule':
      return `There will be a base of ${form.base}, or as many warm agents as the entry in force says; those too many end while calls go on.`;
  }
}

export function describePolicy(policy: PoolPolicy): string {
  switch (policy.kind) {
    case 'fixed':
      return `fixed at ${policy.size}`;
    case 'buffer':
      return `buffer of ${policy.size}, ${policy.min} to ${policy.max}`;
    case 'rate':
      return `by rate, ${policy.min} to ${policy.max}, over ${formatSeconds(policy.windowSeconds)}`;
    case 'schedule':
      return `by schedule, ${countOf(policy.entries.length, 'entry', 'entries')}, else ${policy.base}`;
  }
}

function roomOf(size: string): string {
  return size.trim().endsWith('%') ? `${size.trim()} more callers than there are` : `${size} more callers`;
}

function entryFormOf({ cron, size, forSeconds }: ScheduleEntry): EntryForm {
  return { cron, size: String(size), forSeconds: forSeconds === undefined ? '' : String(forSeconds) };
}

function entryOf({ cron, size, forSeconds }: EntryForm): ScheduleEntry {
  const seconds = forSeconds.trim();
  return { cron: cron.trim(), size: Number(size), ...(seconds !== '' && { forSeconds: Number(seconds) }) };
}

function numberOrShare(text: string): number | string {
  const trimmed = text.trim();
  return trimmed.endsWith('%') ? trimmed : Number(trimmed);
}
