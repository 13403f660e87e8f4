import { deviationOf } from './judge.mjs';

const SHOWN = 30;

/** Each kind of step: how often, and how far from its time. */
export function tableOf(calls) {
  const rows = [['step', 'times', 'missing', 'worst ms', 'p99', 'median']];
  for (const [name, steps] of groupSteps(calls)) {
    const deviations = steps.filter(({ at }) => at !== undefined).map(deviationOf);
    const worst = deviations.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const sorted = deviations.toSorted((a, b) => a - b);
    const missing = steps.length - deviations.length;
    rows.push([
      name,
      steps.length,
      missing,
      signed(worst),
      signed(quantile(sorted, 0.99)),
      signed(quantile(sorted, 0.5)),
    ]);
  }
  return align(rows);
}

export function listViolations(violations) {
  const lines = violations
    .slice(0, SHOWN)
    .map(({ rule, name, caseName, text }) => `  ✗ ${rule}: ${name} (${caseName}): ${text}`);
  if (violations.length > SHOWN) lines.push(`  … and ${violations.length - SHOWN} more`);
  return lines;
}

function groupSteps(calls) {
  const groups = new Map();
  for (const { steps } of calls) {
    for (const step of steps) groups.set(step.name, [...(groups.get(step.name) ?? []), step]);
  }
  return groups;
}

/** Of sorted numbers the one of that rank. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function signed(ms) {
  return Number.isNaN(ms) ? '-' : `${ms > 0 ? '+' : ''}${Math.round(ms)}`;
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]),
      )
      .join('  '),
  );
}
