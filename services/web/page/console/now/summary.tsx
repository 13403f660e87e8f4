import { useMemo } from 'react';
import { useLive } from '../live/live.jsx';
import { isIdleWarm, isInTrouble, type LiveState } from '../live/live-state.js';
import tones from '../parts/tones.module.css';
import styles from './summary.module.css';

/** The whole in five numbers. */
export function Summary() {
  const state = useLive((it) => it);
  const { calls, warm, target, waiting, troubled, up, hosts } = useMemo(() => summaryOf(state), [state]);
  return (
    <dl className={styles.summary} data-testid="summary">
      <Figure name="Calls" value={calls} testId="calls" />
      <Figure name="Warm" value={warm} of={target} testId="warm" />
      <Figure name="In line" value={waiting} testId="waiting-count" />
      <Figure name="Errors" value={troubled} isBad={troubled > 0} testId="errors-count" />
      <Figure name="Hosts" value={up} of={hosts} isBad={up < hosts} testId="hosts-up" />
    </dl>
  );
}

function Figure(figure: { name: string; value: number; of?: number; isBad?: boolean; testId: string }) {
  const { name, value, of, isBad = false, testId } = figure;
  return (
    <div className={styles.figure}>
      <dt className={styles.name}>{name}</dt>
      <dd className={`${styles.value} ${isBad ? tones.bad : ''}`} data-testid={testId}>
        {value.toLocaleString('en')}
        {of !== undefined && <span className={styles.of}> / {of.toLocaleString('en')}</span>}
      </dd>
    </div>
  );
}

function summaryOf({ sessions, pools, hosts, line }: LiveState) {
  const all = [...sessions.values()];
  const allPools = [...pools.values()];
  return {
    calls: all.filter((it) => !isIdleWarm(it) && it.status !== 'queued' && it.status !== 'error').length,
    warm: sumOf(allPools.map(({ ready }) => ready)),
    target: sumOf(allPools.map(({ target }) => target)),
    waiting: Math.max(line.waiting, all.filter(({ status }) => status === 'queued').length),
    troubled: all.filter(isInTrouble).length,
    up: [...hosts.values()].filter(({ state }) => state === 'up').length,
    hosts: hosts.size,
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
