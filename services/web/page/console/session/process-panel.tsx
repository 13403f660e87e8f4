import type { ProcessSurvey } from '@greenroom/contracts';
import { useCallback, useEffect, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { Panel } from '../now/panel.jsx';
import { formatBytes } from '../parts/format.js';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import styles from './process-panel.module.css';
import { treeOf } from './process-tree.js';

/** What runs for this session, as its spawner sees it: asked when it is opened, for every new agent, and on demand. */
export function ProcessPanel({ sessionId, agentPid }: { sessionId: string; agentPid: number | null }) {
  const [survey, setSurvey] = useState<ProcessSurvey>();
  const { run, isRunning, problem } = useAction();
  const look = useCallback(
    () =>
      run(async () => {
        const path = `/api/debug/session/${encodeURIComponent(sessionId)}/processes`;
        setSurvey(await askAsAdmin<ProcessSurvey>(path));
      }),
    // `run` is made anew at each drawing and always does the same.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [sessionId],
  );
  useEffect(() => void look(), [look, agentPid]);
  return (
    <Panel title="Processes" testId="processes">
      <Problem testId="processes-problem">{problem}</Problem>
      {survey && <Tree survey={survey} />}
      <Button size="small" disabled={isRunning} onClick={() => void look()} data-testid="processes-refresh">
        Look again
      </Button>
    </Panel>
  );
}

function Tree({ survey }: { survey: ProcessSurvey }) {
  const { limits, errors } = survey;
  return (
    <>
      {survey.child_processes.length === 0 && <p className={styles.facts}>Nothing runs for it right now.</p>}
      <ul className={styles.tree}>
        {treeOf(survey.child_processes).map(({ pid, cmd, depth }) => (
          <li key={pid} style={{ paddingLeft: `${depth * 18}px` }}>
            <code className={styles.pid}>{pid}</code> <code>{cmd}</code>
          </li>
        ))}
      </ul>
      {limits && (
        <p className={styles.facts}>
          May use {limits.memory_bytes === null ? 'any memory' : formatBytes(limits.memory_bytes)} (held by{' '}
          {limits.memory_by}) and {limits.processes ?? 'any number of'} processes (held by{' '}
          {limits.processes_by}).
        </p>
      )}
      {errors.map((error) => (
        <p key={error} className={styles.facts}>
          {error}
        </p>
      ))}
    </>
  );
}
