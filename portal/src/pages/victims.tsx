import { csvUrl, type VictimRow } from '../api/client';
import { usePages } from '../api/pages';
import { count, duration, short } from '../lib/format';
import { rangeQuery, rangeText } from '../lib/range';
import { useFilters } from '../lib/traffic';
import { Card } from '../ui/card';
import type { Column } from '../ui/data-table';
import { Country } from '../ui/flag';
import { Head } from '../ui/head';
import { List } from '../ui/list';
import { Network } from '../ui/network';
import { PortName } from '../ui/port-name';
import { RangePicker, useRange } from '../ui/range-picker';
import { Empty } from '../ui/state';
import { Time } from '../ui/time';
import { VictimFilters } from '../ui/victim-filters';

const COLUMNS: Column<VictimRow>[] = [
  { head: 'Victim', cell: (r) => <span class="mono">{r.victim}</span>, sort: (r) => r.victim },
  { head: 'Country', cell: (r) => <Country code={r.country} short />, sort: (r) => r.country },
  { head: 'Network', wide: true, cell: (r) => <Network asn={r.asn} name={r.as_name} />, sort: (r) => r.asn },
  { head: 'Service', cell: (r) => <PortName plain proto={r.proto} port={r.port} />, sort: (r) => r.port },
  { head: 'Seen at', wide: true, cell: (r) => r.site, sort: (r) => r.site },
  { head: 'Began', wide: true, num: true, cell: (r) => <Time at={r.start} />, sort: (r) => r.start },
  { head: 'Lasted', num: true, wide: true, cell: (r) => duration(Date.parse(r.end) - Date.parse(r.start)), sort: (r) => Date.parse(r.end) - Date.parse(r.start) },
  { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
  { head: 'Peak per min', num: true, help: 'Most backscatter packets in a minute', cell: (r) => short(r.peak_ppm), sort: (r) => r.peak_ppm },
  { head: 'Targets', num: true, wide: true, help: 'Addresses of the telescope that were answered', cell: (r) => short(r.targets), sort: (r) => r.targets },
];

export function VictimsPage() {
  const range = useRange();
  const { site, country, proto, port, asn, src } = useFilters();
  const ask = { ...rangeQuery(range), site, country, proto, port, asn, src };
  const victims = usePages<VictimRow>('/victims', { ...ask, limit: 50 });
  return (
    <>
      <Head title="Victims" text="Addresses under attack by randomly spoofed packets. Their answers go to addresses that never asked, and some of those are ours.">
        <RangePicker />
      </Head>
      <VictimFilters />
      <Card title="Attacks seen by their backscatter" note={rangeText(range)} csv={csvUrl('/victims', { ...ask, limit: 10_000 })} flush
        foot="An attack is counted from 25 packets in at least 60 seconds with a peak of 30 packets a minute. What is seen is a small, even part of the whole.">
        <List of={victims} label="Victims" columns={COLUMNS} id={(r) => `${r.victim}${r.site}${r.start}${r.port}`}
          empty={<Empty title="No attack was seen in this range">Choose a longer range or take a filter away. Small telescopes see only large attacks.</Empty>} />
      </Card>
    </>
  );
}
