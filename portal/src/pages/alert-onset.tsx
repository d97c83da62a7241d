import { csvUrl, url, type Alert, type Series } from '../api/client';
import { useResource } from '../api/resource';
import { duration, short, stamp } from '../lib/format';
import { siteStands } from '../lib/alerts';
import { heat, onsets, type Onset } from '../lib/onset';
import { href } from '../lib/route';
import { thin } from '../lib/series';
import { Card } from '../ui/card';
import { Answer, Empty } from '../ui/state';
import { around } from './alert';

const CELLS = 96;
const SITES_MAX = 24;
const SAID = 'Sources on the first port. The mark is where a site passed its limit; the lag is behind the first site.';
const SEEN = 'Sources on the first port. The mark is where a site reached half of its peak; the lag is behind the first site.';

/** Which site saw it when: one strip a site, the darker the more sources. */
export function OnsetCard({ alert }: { alert: Alert }) {
  const port = alert.ports[0];
  const query = { ...around(alert), by: 'site', measure: 'sources', proto: alert.proto, port, limit: SITES_MAX };
  const answer = useResource<Series>(port === undefined ? null : url('/series', query));
  if (port === undefined) return null;
  return (
    <Card title="Site by site" csv={csvUrl('/series', query)}
      note={siteStands(alert).length > 0 ? SAID : SEEN}>
      <Answer of={answer} height={160}>
        {(series) => <Strips series={series} alert={alert} />}
      </Answer>
    </Card>
  );
}

function Strips({ series, alert }: { series: Series; alert: Alert }) {
  const start = Date.parse(series.start);
  const step = series.step_s * 1000;
  const length = series.series[0]?.values.length ?? 0;
  const lines = series.series.filter((s) => s.key !== 'other').map((s) => ({ site: s.key, values: s.values }));
  if (length === 0 || lines.length === 0) {
    return <Empty small title="The store no longer holds this traffic">The curves above are kept with the alert.</Empty>;
  }
  const stepOf = (time: string) => Math.floor((Date.parse(time) - start) / step);
  const rows = onsets(lines, stepOf(alert.start), siteStands(alert), stepOf);
  const first = rows[0]?.step ?? -1;
  return (
    <div class="onsets">
      {rows.map((row) => (
        <Strip key={row.site} row={row} at={row.step < 0 ? undefined : start + row.step * step}
          lag={row.step < 0 ? undefined : (row.step - first) * step} />
      ))}
      <div class="onset onset-axis muted small" aria-hidden="true">
        <span />
        <span class="row between"><span>{stamp(start)}</span><span>{stamp(start + length * step)} UTC</span></span>
        <span />
      </div>
    </div>
  );
}

function Strip({ row, at, lag }: { row: Onset; at: number | undefined; lag: number | undefined }) {
  const cells = thin(row.values, CELLS);
  const most = Math.max(0, ...cells);
  const mark = row.step < 0 ? -1 : Math.floor((row.step / row.values.length) * cells.length);
  const said = at === undefined ? (row.waiting ? 'expected, not seen yet' : 'nothing stands out') : `onset ${stamp(at)} UTC`;
  return (
    <div class="onset">
      <a class="onset-site" href={href(['sites', row.site])}>{row.site}</a>
      <svg viewBox={`0 0 ${cells.length * 5} 16`} preserveAspectRatio="none" role="img"
        aria-label={`${row.site}: ${said}, at most ${short(most)} sources a step`}>
        {cells.map((value, i) => (
          <rect key={i} x={i * 5} y="0" width="4.500" height="16" class={`heat-${heat(value, row.scale)}`} />
        ))}
        {mark >= 0 && <rect x={mark * 5 - 1} y="0" width="2" height="16" class="strip-mark" />}
      </svg>
      <span class="small nowrap" title={said}>
        {lag === undefined ? row.waiting ? <b class="waiting">waiting</b> : <span class="muted">quiet</span> : lag === 0 ? <b>first</b> : `+${duration(lag)}`}
      </span>
    </div>
  );
}
