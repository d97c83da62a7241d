import { csvUrl, url, type CountryRow, type PortRow, type SiteAnswer, type SiteLive, type SiteRow } from '../api/client';
import { useResource } from '../api/resource';
import { SeriesChart } from '../charts/series-chart';
import { causeText } from '../lib/causes';
import { count, percent, plural, short, stampFull } from '../lib/format';
import { rangeQuery, rangeText } from '../lib/range';
import { href } from '../lib/route';
import { BarCell } from '../ui/bar-cell';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Head } from '../ui/head';
import { LossNote } from '../ui/loss-note';
import { PortName } from '../ui/port-name';
import { RangePicker, useRange } from '../ui/range-picker';
import { LastPacket, Loss, SITE_STATES, SiteState } from '../ui/site-columns';
import { Answer, Empty } from '../ui/state';
import { Time } from '../ui/time';
import { countryColumns } from './sources-columns';

export function SitePage({ name }: { name: string }) {
  const range = useRange();
  const ask = rangeQuery(range);
  const answer = useResource<SiteAnswer>(url(`/sites/${encodeURIComponent(name)}`, ask));
  return (
    <>
      <Head title={name} back={{ href: href(['sites']), label: 'Sites' }} text={`One site, ${rangeText(range)}.`}>
        <RangePicker />
      </Head>
      <Answer of={answer} height={420}>
        {(data) => (
          <div class="stack">
            <div class="grid cols-main">
              <Card title="Packets by class" csv={csvUrl('/series', { ...ask, site: name, by: 'class' })}>
                <LossNote {...ask} site={name} />
                {data.series ? (
                  <SeriesChart series={data.series} label={`Packets of ${name} by class`} height={300} stacked />
                ) : (
                  <Empty title="Nothing from this site in the range">Choose a longer time range.</Empty>
                )}
              </Card>
              <div class="stack">
                <LossCard site={data.site} />
                {data.site.live && <LiveSite live={data.site.live} />}
              </div>
            </div>
            {data.losses && data.losses.series.length > 0 && (
              <Card title="Lost, by cause" note="What was not captured, not decoded, or left out." csv={csvUrl('/losses', { ...ask, site: name })}>
                <SeriesChart series={data.losses} label={`Packets that ${name} lost, by cause`} name={causeText} height={180} stacked />
              </Card>
            )}
            <div class="grid cols-2">
              <Card title="Busiest services" flush csv={csvUrl('/ports', { ...ask, site: name })}
                tools={<a class="button button-small" href={href(['ports'], { site: name })}>Explore</a>}>
                <DataTable label="Busiest services" columns={portColumns(data.ports[0]?.packets ?? 0)} rows={data.ports} id={(r) => `${r.proto}${r.port}`} />
              </Card>
              <Card title="Countries" flush csv={csvUrl('/countries', { ...ask, site: name })}
                tools={<a class="button button-small" href={href(['sources'], { site: name })}>Explore</a>}>
                <DataTable<CountryRow> label="Countries" columns={countryColumns(data.countries[0]?.packets ?? 0)} rows={data.countries} id={(r) => r.country} />
              </Card>
            </div>
          </div>
        )}
      </Answer>
    </>
  );
}

function LossCard({ site }: { site: SiteRow }) {
  const lost = site.dropped + site.sampled_out + site.malformed;
  return (
    <Card title="Received and lost" note={lost === 0 ? 'Nothing was lost in the range.' : 'What did not reach the charts.'}>
      <dl class="facts">
        <dt>State</dt>
        <dd><SiteState row={site} /></dd>
        <dt>Received</dt>
        <dd>{count(site.packets)} packets of {count(site.sources)} sources</dd>
        <dt title="Lost between the network card and the decoder">Dropped</dt>
        <dd><Loss lost={site.dropped} of={site.packets} /></dd>
        <dt title="Left out of windows because memory was full">Sampled out</dt>
        <dd><Loss lost={site.sampled_out} of={site.packets} /></dd>
        <dt>Malformed</dt>
        <dd><Loss lost={site.malformed} of={site.packets} /></dd>
        <dt>First packet</dt>
        <dd><Time at={site.first} /></dd>
        <dt>Last packet</dt>
        <dd><LastPacket row={site} /></dd>
      </dl>
    </Card>
  );
}

function LiveSite({ live }: { live: SiteLive }) {
  const rows: [string, number | undefined][] = [
    ['Dropped by the kernel', live.dropped_kernel],
    ['Dropped by a full queue', live.dropped_queue],
    ['Sampled out', live.sampled_out],
    ['Cut by the capture', live.snapped],
    ['Malformed', live.malformed],
    ['Not IP', live.non_ip],
  ];
  return (
    <Card title="Now" note={`${SITE_STATES[live.state].text}, since ${stampFull(live.since)}`}>
      {live.detail && <p class="banner banner-bad">{live.detail}</p>}
      {live.unseen && live.unseen_first && live.unseen_last ? (
        <p class="banner">
          {plural(live.unseen, 'packet')} of {stampFull(live.unseen_first)} to {stampFull(live.unseen_last)} came after their windows were
          over: they are stored, and the engines did not see them. Captures of several sites must be read at the same time.
        </p>
      ) : null}
      <dl class="facts">
        {live.source && <><dt>Source</dt><dd class="mono">{live.source}</dd></>}
        {live.addresses ? <><dt>Addresses</dt><dd>{count(live.addresses)}</dd></> : null}
        <dt>Rate</dt>
        <dd>{short(live.pps)} packets/s</dd>
        <dt>Received</dt>
        <dd>{count(live.received)} since the hub started</dd>
        {rows.map(([name, value]) => value !== undefined && (
          <>
            <dt>{name}</dt>
            <dd>{count(value)}{value > 0 && <span class="muted small"> ({percent(value / Math.max(1, live.received + value))})</span>}</dd>
          </>
        ))}
      </dl>
    </Card>
  );
}

function portColumns(most: number): Column<PortRow>[] {
  return [
    { head: 'Service', cell: (r) => <><PortName proto={r.proto} port={r.port} /><BarCell value={r.packets} most={most} /></> },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
  ];
}
