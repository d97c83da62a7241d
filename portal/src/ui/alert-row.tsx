import type { AlertSummary } from '../api/client';
import { useLive } from '../api/live';
import { nextSteps, scope } from '../lib/alerts';
import { href } from '../lib/route';
import { AlertCurve } from './alert-curve';
import { Confidence } from './confidence';
import { SeverityMark } from './severity';
import { StateChip } from './state-chip';
import { Time } from './time';

interface AlertRowProps {
  alert: AlertSummary;
  selected?: boolean;
  /** With what to do: the overview. */
  rich?: boolean;
  /** Draw the curve of this one. */
  engine?: string;
}

export function AlertRow({ alert, selected, rich, engine }: AlertRowProps) {
  return (
    <li class={`alert-row edge-${alert.severity}${selected ? ' selected' : ''}`} data-alert={alert.id}>
      <div class="alert-text">
        <div class="row row-wrap alert-meta">
          <SeverityMark of={alert.severity} />
          <Confidence value={alert.confidence} />
          <span class="muted small">
            <Time at={alert.time} rel={rich ?? false} />
          </span>
          <StateChip alert={alert} />
        </div>
        <a class="alert-title" href={href(['alerts', alert.id])} tabIndex={selected ? 0 : undefined}>
          {alert.title}
        </a>
        <p class="quiet">{alert.explanation}</p>
        <p class="small muted">{scope(alert)}</p>
        {rich && <FirstStep alert={alert} />}
      </div>
      <AlertCurve alert={alert} engine={engine} />
    </li>
  );
}

function FirstStep({ alert }: { alert: AlertSummary }) {
  const { tick } = useLive();
  return <p class="small alert-next">{nextSteps(alert, tick?.sites)[0]?.text}</p>;
}
