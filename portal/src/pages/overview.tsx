import { csvUrl, url, type Overview, type Page, type CountryRow, type PortRow, type Series } from '../api/client';
import { useHeld } from '../api/held';
import { useLive } from '../api/live';
import { useResource } from '../api/resource';
import { iso, plural, stamp } from '../lib/format';
import { isOld, rangeQuery, rangeText, type Range } from '../lib/range';
import { go, href } from '../lib/route';
import { portText } from '../lib/ports';
import { stepsOver, sum } from '../lib/series';
import { useFilters } from '../lib/traffic';
import { Card } from '../ui/card';
import { Head } from '../ui/head';
import { RangePicker, useRange } from '../ui/range-picker';
import { ScreenFilter } from '../ui/screen-filter';
import { SITE_STATES } from '../ui/site-columns';
import { Stat } from '../ui/stat';
import { Answer, Empty } from '../ui/state';
import { MapCard } from './overview-map';
import { LiveCard } from './overview-live';
import { MoversCard, SitesCard } from './overview-side';
import { ExpectedCard } from './overview-expected';
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
  const { tag } = useFilters();
  const ask = { ...rangeQuery(range), tag };
  const overview = useResource<Overview>(held.packets > 0 ? url('/overview', { last: lastOf(range), tag }) : null);
  const countries = useResource<Page<CountryRow>>(url('/countries', { ...ask, limit: 250 }));
  const busiest = useResource<Page<PortRow>>(url('/ports', { ...ask, limit: 3 }));
  const sources = useResource<Series>(url('/series', { ...ask, measure: 'sources' }));
  if (held.packets === 0) return <NoData />;
  return (
    <>
      <Head title="Overview" text={<Headline />}>
        <RangePicker custom={false} />
      </Head>
      <AgeBanner />
      <div class="stack">
        <ScreenFilter />
        <Answer of={overview} height={104}>
          {(data) => <Stats overview={data} sources={sources.data} busiest={busiest.data} />}
        </Answer>
        <div class="grid cols-main">
          <AlertsCard />
          <div class="stack">
            <ExpectedCard />
            <MoversCard overview={overview} range={range} tag={tag} />
            <LiveCard />
          </div>
        </div>
        <MapCard countries={countries} csv={csvUrl('/countries', { ...ask, limit: 250 })} note={rangeText(range)}
          onPick={(country) => go(href(['sources'], { country, tag }))} />
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

/** The lines of an answer without the step that is still filling. */
function over(series: Series, last: number): number[][] {
  const most = Math.max(0, ...series.series.map((s) => s.values.length));
  const steps = stepsOver(Date.parse(series.start), series.step_s, most, last);
  return series.series.map((s) => s.values.slice(0, steps));
}

interface StatsProps {
  overview: Overview;
  sources: Series | undefined;
  busiest: Page<PortRow> | undefined;
}

/** So many have room beside the figure. */
const DOTS = 24;

/** One dot a site, as it is now. */
function SiteDots() {
  const sites = useLive().tick?.sites ?? [];
  return (
    <span class="stat-dots">
      {sites.slice(0, DOTS).map((s) => <i key={s.site} class={SITE_STATES[s.state].dot} title={`${s.site}: ${SITE_STATES[s.state].text}`} />)}
    </span>
  );
}

function Stats({ overview, sources, busiest }: StatsProps) {
  const { now, before } = overview.totals;
  const { last } = useHeld();
  const packets = overview.series && over(overview.series, last);
  const steps = packets?.[0]?.map((_, i) => packets.map((values) => values[i] ?? 0));
  const sourcesOver = sources && over(sources, last)[0];
  return (
    <div class="grid cols-4 stats">
      <Stat label="Packets" now={now.packets} before={before?.packets} {...(steps ? { values: steps.map(sum) } : {})} />
      <Stat label="Sources" now={now.sources} before={before?.sources} color="c3"
        {...(sourcesOver ? { values: sourcesOver } : {})} />
      <Stat label="Services looked for" now={now.ports} before={before?.ports}>
        {busiest?.rows.map((r) => <a key={portText(r.proto, r.port)} href={href(['ports', r.proto, String(r.port)])}>{portText(r.proto, r.port)}</a>)}
      </Stat>
      <Stat label="Sites delivering" now={now.sites} before={before?.sites}><SiteDots /></Stat>
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
