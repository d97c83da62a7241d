import { csvUrl, url, type Overview, type Page, type CountryRow, type Series } from '../api/client';
import { useHeld } from '../api/held';
import { useLive } from '../api/live';
import { useResource } from '../api/resource';
import { iso, plural, stamp } from '../lib/format';
import { isOld, rangeQuery, rangeText, type Range } from '../lib/range';
import { go, href } from '../lib/route';
import { sum } from '../lib/series';
import { Card } from '../ui/card';
import { Head } from '../ui/head';
import { RangePicker, useRange } from '../ui/range-picker';
import { Stat } from '../ui/stat';
import { Answer, Empty } from '../ui/state';
import { MapCard } from './overview-map';
import { LiveCard } from './overview-live';
import { MoversCard, SitesCard } from './overview-side';
import { AlertsCard, Headline } from './overview-alerts';

/** The overview compares a length of the newest data with the same length before it. */
function lastOf(range: Range): string {
  if (range.key !== 'all' && range.key !== 'custom') return range.key;
  const hours = Math.ceil((range.to - range.from) / 3_600_000);
  return `${Math.min(2160, Math.max(1, hours))}h`;
}

export function OverviewPage() {
  const held = useHeld();
  const range = useRange();
  const overview = useResource<Overview>(held.packets > 0 ? url('/overview', { last: lastOf(range) }) : null);
  const countries = useResource<Page<CountryRow>>(url('/countries', { ...rangeQuery(range), limit: 250 }));
  const sources = useResource<Series>(url('/series', { ...rangeQuery(range), measure: 'sources' }));
  if (held.packets === 0) return <NoData />;
  return (
    <>
      <Head title="Overview" text={<Headline />}>
        <RangePicker custom={false} />
      </Head>
      <AgeBanner />
      <div class="stack">
        <Answer of={overview} height={104}>
          {(data) => <Stats overview={data} sources={sources.data} />}
        </Answer>
        <div class="grid cols-main">
          <AlertsCard />
          <div class="stack">
            <MoversCard overview={overview} range={range} />
            <LiveCard />
          </div>
        </div>
        <MapCard countries={countries} csv={csvUrl('/countries', { ...rangeQuery(range), limit: 250 })} note={rangeText(range)}
          onPick={(country) => go(href(['sources'], { country }))} />
        <SitesCard overview={overview} csv={csvUrl('/sites', rangeQuery(range))} />
      </div>
    </>
  );
}

/** Says when the data is old, and whether it is so because history is still being taken in. */
function AgeBanner() {
  const held = useHeld();
  const { tick } = useLive();
  const replaying = tick?.sites.filter((s) => s.state === 'replaying') ?? [];
  if (replaying.length > 0) {
    return (
      <p class="banner banner-quiet" role="status">
        {plural(replaying.length, 'site')} {replaying.length === 1 ? 'is' : 'are'} still taking captures in; the newest packet so far is of{' '}
        {stamp(tick?.data_time ?? held.last)} UTC.
      </p>
    );
  }
  if (!isOld(held, held.now)) return null;
  return (
    <p class="banner banner-quiet">
      The newest packet is of {stamp(held.last)} UTC. Ranges count back from it, not from today.
    </p>
  );
}

function Stats({ overview, sources }: { overview: Overview; sources: Series | undefined }) {
  const { now, before } = overview.totals;
  const packets = overview.series;
  const total = packets
    ? (packets.series[0]?.values ?? []).map((_, i) => sum(packets.series.map((s) => s.values[i] ?? 0)))
    : undefined;
  return (
    <div class="grid cols-4 stats">
      <Stat label="Packets" now={now.packets} before={before?.packets} {...(total ? { values: total } : {})} />
      <Stat label="Sources" now={now.sources} before={before?.sources} color="c3"
        {...(sources?.series[0] ? { values: sources.series[0].values } : {})} />
      <Stat label="Services looked for" now={now.ports} before={before?.ports} />
      <Stat label="Sites delivering" now={now.sites} before={before?.sites} />
    </div>
  );
}

function NoData() {
  return (
    <>
      <Head title="Overview" text={`The store is empty, ${iso(Date.now())}.`} />
      <Card>
        <Empty title="No packet has arrived yet">
          Give the hub something to watch: <code>script/run --site NAME=FILE.pcap</code> for a capture,{' '}
          <code>script/run --interface IF</code> for live traffic, or <code>kizashi hub --demo</code> to look around.
        </Empty>
      </Card>
    </>
  );
}
