import { useCallback } from 'preact/hooks';
import { csvUrl, url, type Series } from '../api/client';
import { useResource } from '../api/resource';
import { SeriesChart } from '../charts/series-chart';
import { countryName } from '../lib/countries';
import { iso } from '../lib/format';
import { parsePort, portText, serviceName } from '../lib/ports';
import { rangeQuery, rangeText } from '../lib/range';
import { current, go, href, setQuery, useRoute } from '../lib/route';
import { useFilters } from '../lib/traffic';
import { Card } from '../ui/card';
import { Head } from '../ui/head';
import { LossNote } from '../ui/loss-note';
import { networkText } from '../ui/network';
import { RangePicker, useRange } from '../ui/range-picker';
import { Segments } from '../ui/segments';
import { Answer } from '../ui/state';
import { TrafficFilters } from '../ui/traffic-filters';
import { BusiestCard, MoversTable } from './ports-tables';
import { PortAlerts } from './ports-alerts';

const MEASURES = [
  { key: 'packets', label: 'Packets' },
  { key: 'sources', label: 'Sources' },
  { key: 'bytes', label: 'Bytes' },
] as const;
const BY = [
  { key: 'none', label: 'All' },
  { key: 'site', label: 'Site' },
  { key: 'country', label: 'Country' },
  { key: 'tool', label: 'Tool' },
  { key: 'class', label: 'Class' },
  { key: 'asn', label: 'Network' },
  { key: 'port', label: 'Port' },
] as const;

type Measure = (typeof MEASURES)[number]['key'];
type By = (typeof BY)[number]['key'];

function seriesName(by: string): (key: string, network?: string) => string {
  if (by === 'country') return countryName;
  if (by === 'asn') return (key, network) => (key === '0' ? 'unknown network' : networkText(Number(key), network));
  if (by === 'tool') return (key) => key || 'no tool named';
  return (key) => key || 'unknown';
}
const NAMES = Object.fromEntries(BY.map(({ key }) => [key, seriesName(key)]));

interface PortsPageProps {
  proto: string | undefined;
  port: string | undefined;
}

export function PortsPage(props: PortsPageProps) {
  const { query } = useRoute();
  const range = useRange();
  const filters = useFilters();
  const parsed = props.port ? parsePort(props.port) : undefined;
  const one = parsed && props.proto ? { proto: props.proto, port: parsed.port } : undefined;
  const measure = (MEASURES.find((m) => m.key === query.get('measure'))?.key ?? 'packets') as Measure;
  const by = (BY.find((b) => b.key === query.get('by'))?.key ?? (one ? 'site' : 'class')) as By;
  const narrowed = { ...rangeQuery(range), ...filters, ...one };
  const ask = { ...narrowed, measure, by: by === 'none' ? '' : by };
  const series = useResource<Series>(url('/series', ask));
  const brush = useCallback((from: number, to: number) => {
    const minute = 60_000;
    const begin = Math.floor(from / minute) * minute;
    setQuery({ range: null, from: iso(begin), to: iso(Math.max(begin + minute, Math.ceil(to / minute) * minute)) });
  }, []);
  const title = one ? portText(one.proto, one.port) : 'Ports';
  const service = one ? serviceName(one.proto, one.port) : '';
  return (
    <>
      <Head title={service ? `${title}, ${service}` : title} {...(one ? { back: { href: href(['ports']), label: 'All ports' } } : {})}
        text={one ? undefined : 'Which services are looked for, by whom, and what changes.'}>
        <RangePicker />
      </Head>
      <div class="stack">
        <div>
          <TrafficFilters goto={{ value: one ? title : '', onGo: gotoPort }} />
        </div>
        <Card title={`${MEASURES.find((m) => m.key === measure)?.label ?? ''} over time`} csv={csvUrl('/series', ask)}
          note={`${rangeText(range)}; drag across the chart to zoom`}>
          <div class="row row-wrap chart-controls">
            <Segments label="Measure" options={[...MEASURES]} value={measure} onChange={(key) => setQuery({ measure: key }, true)} />
            <Segments label="One line for each" options={BY.filter((b) => !one || b.key !== 'port')} value={by} onChange={(key) => setQuery({ by: key }, true)} />
          </div>
          <LossNote {...rangeQuery(range)} site={filters.site} />
          <Answer of={series} height={300}>
            {(data) => (
              <SeriesChart series={data} label={`${title}: ${measure} by ${by}`} name={NAMES[by] ?? String} height={300}
                stacked={measure !== 'sources' && by !== 'none'} onBrush={brush} />
            )}
          </Answer>
        </Card>
        {one ? (
          <PortAlerts proto={one.proto} port={one.port} />
        ) : (
          <div class="grid cols-2">
            <BusiestCard query={narrowed} />
            <MoversTable query={narrowed} range={range} />
          </div>
        )}
      </div>
    </>
  );
}

/** To another port with the same filters; to all of them when the field is emptied. */
function gotoPort(text: string): void {
  const { query } = current();
  const filters = Object.fromEntries([...query].filter(([name]) => name !== 'by'));
  if (!text) return go(href(['ports'], filters));
  const wanted = parsePort(text);
  if (wanted?.proto) go(href(['ports', wanted.proto, String(wanted.port)], filters));
}
