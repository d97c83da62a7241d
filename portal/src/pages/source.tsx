import { useMemo } from 'preact/hooks';
import { csvUrl, url, type Series, type Source, type Page, type SourceEvent, type SourceRow, type TaggedRow } from '../api/client';
import { usePages } from '../api/pages';
import { useResource } from '../api/resource';
import { SeriesChart } from '../charts/series-chart';
import { count, duration, plural } from '../lib/format';
import { portText } from '../lib/ports';
import { rangeQuery, rangeText } from '../lib/range';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import type { Column } from '../ui/data-table';
import { Country } from '../ui/flag';
import { Head } from '../ui/head';
import { List, NothingHere } from '../ui/list';
import { Network } from '../ui/network';
import { Origin } from '../ui/origin';
import { PortName } from '../ui/port-name';
import { RangePicker, useRange } from '../ui/range-picker';
import { Answer, Empty } from '../ui/state';
import { Time } from '../ui/time';

const EVENTS: Column<SourceEvent>[] = [
  { head: 'Window (UTC)', cell: (r) => <Time at={r.start} />, sort: (r) => r.start },
  { head: 'Site', cell: (r) => <a href={href(['sites', r.site])}>{r.site}</a>, sort: (r) => r.site },
  { head: 'Service', cell: (r) => <PortName proto={r.proto} port={r.port} />, sort: (r) => r.port },
  { head: 'Class', wide: true, cell: (r) => r.class, sort: (r) => r.class },
  { head: 'Tool', wide: true, cell: (r) => r.tool || <span class="muted">–</span>, sort: (r) => r.tool },
  { head: 'Packets', num: true, cell: (r) => count(r.packets), sort: (r) => r.packets },
];

export function SourcePage({ address }: { address: string }) {
  const range = useRange();
  const path = `/sources/${encodeURIComponent(address)}`;
  const ask = rangeQuery(range);
  const source = useResource<Source>(url(path, { ...ask, limit: 50 }));
  const events = usePages<SourceEvent>(path, { ...ask, limit: 50 });
  const tagged = useResource<Page<TaggedRow>>(url('/tagged', { ...ask, src: address, limit: 20 }));
  const byPort = { ...ask, src: address, by: 'port', measure: 'packets' };
  const series = useResource<Series>(url('/series', byPort));
  return (
    <>
      <Head title={address} back={{ href: href(['sources']), label: 'Sources' }} text={`One address, ${rangeText(range)}.`}>
        <RangePicker />
      </Head>
      <Answer of={source} height={320}>
        {(data) =>
          data.summary ? (
            <div class="stack">
              <Facts summary={data.summary} events={events.rows ?? []} tagged={tagged.data?.rows ?? []} />
              <Card title="Packets over time" note="By service" csv={csvUrl('/series', byPort)}>
                <Answer of={series} height={220}>
                  {(s) => <SeriesChart series={s} label={`Packets of ${address} by service`} height={220} stacked />}
                </Answer>
              </Card>
              <Card title="History" note="One row for each window, site and service, newest first" csv={csvUrl(path, { ...ask, limit: 10_000 })} flush>
                <List of={events} label="History" columns={EVENTS} id={(r) => `${r.start}${r.site}${r.proto}${r.port}${r.class}`}
                  empty={<NothingHere what="packet" />} />
              </Card>
            </div>
          ) : (
            <Card>
              <Empty title="This address was not seen in the range">
                Look at <a href={href(['sources', address], { range: 'all' })}>all data</a>, or at its neighbours:{' '}
                <a href={href(['sources'], { src: neighbours(address) })}>{neighbours(address)}</a>.
              </Empty>
            </Card>
          )
        }
      </Answer>
    </>
  );
}

/** The /24 or /48 around an address. */
export function neighbours(address: string): string {
  const parts = address.split('.');
  if (parts.length === 4) return `${parts.slice(0, 3).join('.')}.0/24`;
  return `${address}/48`;
}

function Facts({ summary, events, tagged }: { summary: SourceRow; events: SourceEvent[]; tagged: TaggedRow[] }) {
  const services = useMemo(() => [...new Set(events.map((e) => portText(e.proto, e.port)))].slice(0, 10), [events]);
  const active = Date.parse(summary.last) - Date.parse(summary.first);
  return (
    <Card title="What is known" foot={<><Origin kind="country" /> <Origin kind="asn" /></>}>
      <dl class="facts facts-wide">
        <dt>Country</dt>
        <dd><Country code={summary.country} /></dd>
        <dt>Network</dt>
        <dd>{summary.asn ? <a href={href(['sources'], { asn: summary.asn })}><Network asn={summary.asn} name={summary.as_name} /></a> : 'unknown'}</dd>
        <dt>First seen</dt>
        <dd><Time at={summary.first} /></dd>
        <dt>Last seen</dt>
        <dd><Time at={summary.last} /> <span class="muted small">{duration(active)} after the first</span></dd>
        <dt>Packets</dt>
        <dd>{count(summary.packets)} to {plural(summary.ports, 'service')} at {plural(summary.sites, 'site')}</dd>
        <dt>Class</dt>
        <dd>{summary.class}</dd>
        <dt>Tool</dt>
        <dd>{summary.tool ? <>{summary.tool} <span class="muted small">named on the evidence of several packets</span></> : 'none named: no signature has enough evidence'}</dd>
        <dt>Screening</dt>
        <dd>{tagged.length === 0 ? 'no tag: nothing of it is known noise' : tagged.map((r) => (
          <span key={`${r.tag}${r.reason}`} class="row row-wrap">
            {r.tag} by <a href={href(['screened'], { reason: r.reason })}>{r.reason}</a>
            <span class="muted small">{count(r.packets)} of its packets</span>
          </span>
        ))}</dd>
        <dt>Services</dt>
        <dd>{services.join(', ') || '–'}{summary.ports > services.length ? ` and ${summary.ports - services.length} more` : ''}</dd>
        <dt>Neighbours</dt>
        <dd><a class="mono" href={href(['sources'], { src: neighbours(summary.src) })}>{neighbours(summary.src)}</a></dd>
      </dl>
    </Card>
  );
}
