import { url, type Alert, type Forecasts } from '../api/client';
import { useHeld } from '../api/held';
import { useResource } from '../api/resource';
import { siteStands } from '../lib/alerts';
import { scoreText, wayRows, wayText, type WayRow } from '../lib/forecast';
import { stamp } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';

const WIDTH = 1000;
const HEIGHT = 22;

/** Where it began, where it came, where it is expected: one line a site. */
export function WayCard({ alert }: { alert: Alert }) {
  const { last } = useHeld();
  const answer = useResource<Forecasts>(url('/forecasts', { alert: alert.id }));
  const forecasts = answer.data?.rows ?? [];
  if (forecasts.length === 0) return null;
  const arrivals = siteStands(alert).flatMap((s) => (s.first ? [{ site: s.site, at: Date.parse(s.first) }] : []));
  const rows = wayRows(arrivals, forecasts);
  const first = rows[0]?.came ?? Date.parse(forecasts[0]?.began ?? alert.start);
  const ends = rows.flatMap((r) => [r.came ?? 0, r.forecast ? Date.parse(r.forecast.last.high) : 0]);
  const end = Math.max(...ends, first + 3_600_000);
  const now = Math.min(last, end);
  const x = (at: number) => ((at - first) / (end - first)) * (WIDTH - 16) + 8;
  return (
    <Card title="Where it goes next" class="card-way"
      note="A mark where it came, a bar where it is expected: four in five of those that come do so within the bar, half before its middle mark."
      {...(answer.data ? { foot: scoreText(answer.data.score) } : {})}>
      <div class="way">
        {rows.map((row) => (
          <div key={row.site} class="way-row">
            <a class="onset-site" href={href(['sites', row.site])}>{row.site}</a>
            <Way row={row} x={x} now={now} text={wayText(row, first, last)} />
            <span class="small way-text">{wayText(row, first, last)}</span>
          </div>
        ))}
        <div class="way-row muted small" aria-hidden="true">
          <span />
          <span class="row between"><span>{stamp(first)}</span><span>{stamp(end)} UTC</span></span>
          <span />
        </div>
      </div>
    </Card>
  );
}

function Way({ row, x, now, text }: { row: WayRow; x: (at: number) => number; now: number; text: string }) {
  const { forecast, came } = row;
  const span = forecast && (forecast.state === 'open' ? forecast.last : forecast.first);
  const mid = HEIGHT / 2;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${row.site}: ${text}`}>
      <line x1="0" x2={WIDTH} y1={mid} y2={mid} class="way-line" />
      {span && (
        <>
          <rect x={x(Date.parse(span.low))} width={Math.max(3, x(Date.parse(span.high)) - x(Date.parse(span.low)))} y={mid - 5} height="10"
            class={`way-bar way-${forecast?.state ?? 'open'}`} />
          <rect x={x(Date.parse(span.expected)) - 1.5} width="3" y={mid - 8} height="16" class="way-expected" />
          <rect x={x(Date.parse(span.made)) - 1} width="2" y={mid - 5} height="10" class="way-made" />
        </>
      )}
      {came !== undefined && <rect x={x(came) - 3} width="6" y={mid - 9} height="18" class="strip-mark" />}
      <line x1={x(now)} x2={x(now)} y1="0" y2={HEIGHT} class="way-now" />
    </svg>
  );
}
