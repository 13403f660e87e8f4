/** Names that other software sets and that happen to be near one of ours. */
const FOREIGN_NAMES: ReadonlySet<string> = new Set(['HOST_IP', 'HOSTS', 'PORTS']);

/** A unit at the end of a name of ours is a misunderstanding too, and so is one that is missing or another one. */
const UNIT_SUFFIX = /_(MS|MILLISECONDS|S|SEC|SECS|SECONDS|MINUTES|HOURS|DAYS|BYTES|MB|MIB|GB)$/;

/** The name that was probably meant, or undefined when `name` is known or resembles none. */
export function findNearMiss(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name) || FOREIGN_NAMES.has(name)) return undefined;
  const ofOtherUnit = known.find((candidate) => withoutUnit(candidate) === withoutUnit(name));
  if (ofOtherUnit !== undefined) return ofOtherUnit;
  const sameLetters = known.find((candidate) => candidate.length > 5 && candidate === name.toUpperCase());
  return sameLetters ?? nearest(name, known);
}

function withoutUnit(name: string): string {
  return name.replace(UNIT_SUFFIX, '');
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > 2) continue;
    const distance = editDistance(name, candidate);
    if (distance <= tolerance(candidate) && distance < (best?.distance ?? Infinity))
      best = { candidate, distance };
  }
  return best?.candidate;
}

/** The shorter a name, the more likely a similar one means something else (HOME is no HOST). */
function tolerance(candidate: string): number {
  if (candidate.length <= 5) return 0;
  return candidate.length <= 9 ? 1 : 2;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + changed,
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
