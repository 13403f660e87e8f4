/** What a call told, to whom it got, and what came for it, in order; seconds count from its beginning. */
export function storyOf(telnyx, callId) {
  const call = telnyx.calls.find(({ id }) => id === callId);
  if (!call) return [];
  const zero = call.startedAt;
  const told = telnyx.deliveries
    .filter(({ event }) => event.payload.call_control_id === callId)
    .map(({ event, at, answeredAt, url, attempt, status }) => {
      const happened = seconds(Date.parse(event.occurred_at) - zero);
      const answer = status ?? 'nothing';
      return [
        at,
        `${event.event_type} of ${happened} to ${new URL(url).port}, attempt ${attempt}: ${answer} after ${answeredAt - at} ms`,
      ];
    });
  const came = call.requests.map(({ action, commandId, at, outcome }) => [
    at,
    `<- ${action} ${commandId}: ${outcome}`,
  ]);
  return [...told, ...came]
    .sort(([a], [b]) => a - b)
    .map(([at, text]) => `${seconds(at - zero).padStart(8)}  ${text}`);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(3)} s`;
}
