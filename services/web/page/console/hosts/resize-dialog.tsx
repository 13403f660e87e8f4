import type { PoolView } from '@greenroom/contracts';
import { type FormEvent, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Dialog, DialogButtons } from '../../shared/ui/dialog.jsx';
import { Field } from '../../shared/ui/field.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { useFollowing } from '../live/live.jsx';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import { refreshPools } from '../live/follow.js';

/** A pool of another size. */
export function ResizeDialog({ pool, onClose }: { pool: PoolView; onClose: () => void }) {
  const [size, setSize] = useState(String(pool.target));
  const { store } = useFollowing();
  const { run, isRunning, problem } = useAction();
  const resize = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { size: Number(size), profile: pool.profile };
    const isDone = await run(() => askAsAdmin('/api/pool/resize', { method: 'POST', body }));
    if (!isDone) return;
    refreshPools(store).catch(() => undefined);
    onClose();
  };
  return (
    <Dialog title={`Resize the pool of ${pool.profile}`} onClose={onClose} testId="resize-dialog">
      <form onSubmit={(event) => void resize(event)}>
        <Field label="Warm agents" help={effectOf(pool, Number(size))}>
          {(control) => (
            <input
              {...control}
              type="number"
              min={0}
              step={1}
              required
              value={size}
              onChange={(event) => setSize(event.target.value)}
              data-testid="resize-size"
            />
          )}
        </Field>
        <Problem testId="resize-problem">{problem}</Problem>
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={isRunning} data-testid="resize-confirm">
            Resize
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

/** What will come of it, before it is done. */
function effectOf({ ready, warming, target, policy }: PoolView, size: number): string {
  const there = ready + warming;
  const change =
    size > there
      ? `${size - there} more will be started.`
      : size < there
        ? `${there - size} idle ones will end; calls go on.`
        : 'As many as there are now.';
  const before = policy.kind === 'fixed' ? '' : ` It replaces the policy “${policy.kind}” by a fixed size.`;
  return `Now ${target}. ${change}${before}`;
}
