import { Button } from '../../shared/ui/button.jsx';
import type { Call } from '../state/call-state.js';
import { noticeOf } from '../words/notices.js';
import styles from './notice-bar.module.css';

export interface NoticeBarProps {
  readonly call: Call;
  readonly onHear: () => void;
  readonly onMicrophone: () => void;
}

/** What stands in the way, over the stage: nothing moves when it comes or goes, but for the agent on a phone, which makes room. */
export function NoticeBar({ call, onHear, onMicrophone }: NoticeBarProps) {
  const notice = noticeOf(call);
  return (
    <div className={styles['place']} role="status">
      {notice && (
        <div
          className={styles['notice']}
          data-testid={`notice-${notice.id}`}
          data-notice=""
          data-why={call.microphone}
        >
          <p>
            <strong>{notice.title}.</strong> {notice.text}
          </p>
          {notice.action && (
            <Button
              size="small"
              data-testid={`fix-${notice.id}`}
              onClick={notice.id === 'sound' ? onHear : onMicrophone}
            >
              {notice.action}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
