import type { AdminSessionView, HostView } from '@greenroom/contracts';
import { Icon, type IconName } from './icon.jsx';
import styles from './parts.module.css';
import tones from './tones.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

/** A state: picture, word and colour, each enough by itself. */
export function Status({ icon, tone, children }: { icon: IconName; tone: Tone; children: string }) {
  return (
    <span className={`${styles.status} ${tones[tone]}`}>
      <Icon name={icon} />
      {children}
    </span>
  );
}

const SESSIONS: Record<AdminSessionView['status'], readonly [IconName, Tone]> = {
  queued: ['clock', 'info'],
  starting: ['begin', 'info'],
  pooled: ['ring', 'quiet'],
  ready: ['voice', 'good'],
  restarting: ['again', 'warn'],
  ending: ['stop', 'quiet'],
  error: ['alert', 'bad'],
};

export function SessionStatus({ status }: { status: AdminSessionView['status'] }) {
  const [icon, tone] = SESSIONS[status];
  return (
    <Status icon={icon} tone={tone}>
      {status}
    </Status>
  );
}

const HOSTS: Record<HostView['state'], readonly [IconName, Tone]> = {
  up: ['check', 'good'],
  draining: ['down', 'warn'],
  unreachable: ['cut', 'bad'],
  lost: ['alert', 'bad'],
};

export function HostStatus({ state }: { state: HostView['state'] }) {
  const [icon, tone] = HOSTS[state];
  return (
    <Status icon={icon} tone={tone}>
      {state}
    </Status>
  );
}
