import { useMemo, useRef } from 'preact/hooks';
import type { Alert } from '../api/client';
import type { Line, Mark } from '../charts/plot';
import { TimeChart } from '../charts/time-chart';
import { drawnKey, inPlace, type Drawn } from '../lib/alerts';
import { quantity, short } from '../lib/format';
import { evidenceTimes, firstCrossing, peak, type EvidenceSeries } from '../lib/series';
import { Card } from '../ui/card';
import { Empty } from '../ui/state';
import { saveEvidence } from '../lib/evidence-csv';
import { Icon } from '../ui/icon';

const SHOWN_MAX = 12;
/** The limit above, the normal below. */
const NORMAL: [number, number] = [2, 1];

/** Why the alert fired, as curves: what was seen, what is normal, and the line that it passed. The first is drawn
 *  large. Charts stay where they are while the alert grows, so that none moves away under its reader. */
export function EvidenceCard({ alert, drawn: strongest }: { alert: Alert; drawn: Drawn[] }) {
  const places = useRef<string[]>([]);
  const drawn = inPlace(strongest, places.current);
  places.current = drawn.map(drawnKey);
  return (
    <Card class="card-why" title="Why it fired" note={<Reason drawn={drawn[0]} />}
      tools={drawn.length > 0 && (
        <button class="button button-small csv" type="button" onClick={() => saveEvidence(alert)}>
          <Icon name="download" size={14} />
          CSV
        </button>
      )}>
      {drawn.length === 0 && <Empty small title="This alert carries no curve">Its numbers are below.</Empty>}
      <div class={`grid evidence-list${drawn.length > 2 ? ' cols-2' : ''}`}>
        {drawn.slice(0, SHOWN_MAX).map((d, i) => (
          <EvidenceChart key={drawnKey(d)} drawn={d} alert={alert} height={i === 0 ? 270 : 150} />
        ))}
      </div>
    </Card>
  );
}

function Reason({ drawn }: { drawn: Drawn | undefined }) {
  if (!drawn) return null;
  const { series } = drawn;
  const at = firstCrossing(series);
  const best = peak(series.values);
  const value = series.values[best];
  const expected = series.expected?.[best];
  if (at < 0 || value === null || value === undefined) return <>{series.name}, as {drawn.engine} saw it</>;
  const limit = series.threshold?.[best];
  const beside = [
    expected !== null && expected !== undefined ? `normal ${short(expected)}` : '',
    limit !== null && limit !== undefined ? `limit ${short(limit)}` : '',
  ].filter(Boolean);
  return (
    <>
      {series.name}: at its peak {quantity(value, series.unit)} ({beside.join(', ')})
    </>
  );
}

function evidenceLines(series: EvidenceSeries): Line[] {
  const lines: Line[] = [{ label: 'seen', values: series.values, color: 'c1', fill: true, width: 1.9 }];
  if (series.expected) lines.push({ label: 'normal', values: series.expected, color: 'c3', width: 1.6 });
  if (series.threshold) lines.push({ label: 'limit', values: series.threshold, color: 'warning', dash: true, width: 1.5 });
  return lines;
}

function EvidenceChart({ drawn, alert, height }: { drawn: Drawn; alert: Alert; height: number }) {
  const { times, lines, marks } = useMemo(() => {
    const made: Mark[] = [{ at: Date.parse(alert.time) / 1000, label: 'warned', color: 'critical' }];
    return { times: evidenceTimes(drawn.series), lines: evidenceLines(drawn.series), marks: made };
  }, [drawn.series, alert.time]);
  return (
    <div class="evidence">
      <h3>
        {drawn.series.name} <span class="muted">· {drawn.engine}</span>
      </h3>
      <TimeChart label={`${drawn.series.name}, evidence of ${drawn.engine}`} times={times} lines={lines} marks={marks}
        unit={drawn.series.unit || 'value'} height={height} {...(lines.length === 3 ? { band: NORMAL } : {})} format={short} sync="evidence" />
    </div>
  );
}
