import { useMemo, useRef } from 'preact/hooks';
import type { Alert } from '../api/client';
import type { Line, Mark } from '../charts/plot';
import { TimeChart } from '../charts/time-chart';
import { drawnKey, inPlace, reading, type Drawn } from '../lib/alerts';
import { quantity, short } from '../lib/format';
import { evidenceTimes, firstCrossing, peak } from '../lib/series';
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

function evidenceLines({ engine, series, beside }: Drawn): Line[] {
  if (beside) {
    return [series, ...beside].map((one, i) => ({ label: one.name.replace(/^.* at /, ''), values: one.values, color: `c${(i % 8) + 1}`, width: 1.6 }));
  }
  const words = reading(engine);
  const lines: Line[] = [{ label: words.seen, values: series.values, color: 'c1', fill: true, width: 1.9 }];
  if (series.expected) lines.push({ label: words.normal, values: series.expected, color: 'c3', width: 1.6 });
  if (series.threshold) lines.push({ label: words.limit, values: series.threshold, color: 'warning', dash: true, width: 1.5 });
  return lines;
}

/** A mark outside of the curve's time is not drawn; one that would hide another is left out. */
function evidenceMarks(alert: Alert, times: number[]): Mark[] {
  const began = Date.parse(alert.start) / 1000;
  const warned = Date.parse(alert.time) / 1000;
  const apart = ((times[times.length - 1] ?? 0) - (times[0] ?? 0)) / 12;
  const made: Mark[] = [{ at: warned, label: 'warned', color: 'critical' }];
  if (warned - began > apart) made.unshift({ at: began, label: 'began', color: 'ink' });
  return made;
}

function EvidenceChart({ drawn, alert, height }: { drawn: Drawn; alert: Alert; height: number }) {
  const { series, beside, engine } = drawn;
  const { times, lines, marks } = useMemo(() => {
    const made = evidenceTimes(series);
    return { times: made, lines: evidenceLines(drawn), marks: evidenceMarks(alert, made) };
  }, [series, alert.time, alert.start]);
  const name = beside ? series.name.replace(/ at [\w.:-]+$/, ', by site') : series.name;
  const { text } = reading(engine);
  return (
    <div class="evidence">
      <h3>
        {name} <span class="muted">· {engine}</span>
      </h3>
      <TimeChart label={`${name}, evidence of ${engine}`} times={times} lines={lines} marks={marks}
        unit={series.unit || 'value'} height={height} {...(lines.length === 3 && !beside && series.threshold && engine !== 'nmf' ? { band: NORMAL } : {})} format={short}
        sync={`evidence ${series.step_s}`} />
      {text && <p class="small muted">{text}</p>}
    </div>
  );
}
