import type { AlertSummary } from '../api/client';
import { STATES } from '../lib/alerts';

/** Open or closed, and what people said. */
export function StateChip({ alert }: { alert: AlertSummary }) {
  const state = STATES.find((s) => s.key === alert.workflow.state);
  return (
    <span class="chips">
      <span class="chip" title={alert.status === 'open' ? 'Still growing' : 'Nothing new came for hours'}>
        <i class={alert.status === 'open' ? 'dot dot-good' : 'dot'} aria-hidden="true" />
        {alert.status}
      </span>
      {alert.workflow.suppression !== null && <span class="chip chip-out" title="Its like need not be shown; it is kept and counted">suppressed</span>}
      {alert.workflow.back && <span class="chip chip-back" title={`It was suppressed, and ${alert.workflow.back}`}>came back</span>}
      {alert.workflow.state !== 'new' && (
        <span class="chip" title={state?.text}>
          {state?.name}
          {alert.workflow.by && <span class="muted">{alert.workflow.by}</span>}
        </span>
      )}
    </span>
  );
}
