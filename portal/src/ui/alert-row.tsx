import { url, type Alert, type AlertSummary } from '../api/client';
import { useResource } from '../api/resource';
import { Sparkline } from '../charts/sparkline';
import { evidenceSeries, nextSteps, scope } from '../lib/alerts';
import { href } from '../lib/route';
import { Confidence } from './confidence';
import { SeverityMark } from './severity';
import { StateChip } from './state-chip';
import { Time } from './time';

interface AlertRowProps {
  alert: AlertSummary;
  selected?: boolean;
  /** With its curve and what to do: the overview. */
  rich?: boolean;
}

export function AlertRow({ alert, selected, rich }: AlertRowProps) {
  return (
    <li class={`alert-row edge-${alert.severity}${selected ? ' selected' : ''}`} data-alert={alert.id}>
      <div class="alert-text">
        <div class="row row-wrap alert-meta">
          <SeverityMark of={alert.severity} />
          <Confidence value={alert.confidence} />
          <span class="muted small">
            <Time at={alert.time} rel={rich ?? false} />
          </span>
          {!rich && <StateChip alert={alert} />}
        </div>
        <a class="alert-title" href={href(['alerts', alert.id])} tabIndex={selected ? 0 : undefined}>
          {alert.title}
        </a>
        <p class="quiet">{alert.explanation}</p>
        <p class="small muted">{scope(alert)}</p>
        {rich && <p class="small alert-next">{nextSteps(alert)[0]?.text}</p>}
      </div>
      {rich && <AlertCurve id={alert.id} title={alert.title} severity={alert.severity} />}
    </li>
  );
}

const CURVE_COLORS = { critical: 'critical', warning: 'warning', notice: 'notice', info: 'info' } as const;

function AlertCurve({ id, title, severity }: { id: string; title: string; severity: AlertSummary['severity'] }) {
  const answer = useResource<Alert>(url(`/alerts/${encodeURIComponent(id)}`));
  const first = answer.data && evidenceSeries(answer.data)[0];
  return (
    <a class="alert-curve" href={href(['alerts', id])} tabIndex={-1} aria-hidden="true">
      {first && (
        <>
          <Sparkline values={first.series.values} threshold={first.series.threshold} width={172} height={56}
            color={CURVE_COLORS[severity]} label={title} />
          <span class="small muted">{first.series.name}</span>
        </>
      )}
    </a>
  );
}
