import type { Logger } from '@greenroom/service-kit';
import type { ApiConfig } from '../../config.js';
import type { ApiMetrics } from '../../metrics.js';
import type { CallSender } from '../call-sender.js';
import type { EndOfCalls } from '../end-of-calls.js';
import { PhoneSender } from './phone-sender.js';
import { TelnyxClient } from './telnyx-client.js';

/** The way to phone calls; none where there is no account at Telnyx. */
export function openPhoneSender(
  config: ApiConfig,
  parts: { ends: Pick<EndOfCalls, 'endSession'>; metrics: ApiMetrics; logger: Logger },
): CallSender[] {
  if (config.telnyxApiKey === undefined) return [];
  const { ends, metrics, logger } = parts;
  const client = new TelnyxClient({
    apiKey: config.telnyxApiKey,
    apiUrl: config.telnyxApiUrl,
    voice: config.telnyxVoice,
    language: config.telnyxLanguage,
    transcription: config.telnyxTranscription,
    logger,
    gauge: metrics.telnyxBreakerOpen,
    commands: metrics.telnyxCommands,
  });
  client
    .prepare()
    .catch((error: unknown) => logger.error('the client of Telnyx cannot be loaded', { error }));
  return [new PhoneSender({ client, endSession: (call, reason) => ends.endSession(call, reason), logger })];
}
