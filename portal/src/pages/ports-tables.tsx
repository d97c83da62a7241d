import { csvUrl, type MoverRow, type PortRow, type Query } from '../api/client';
import { useHeld } from '../api/held';
import { usePages } from '../api/pages';
import { count, percent, short } from '../lib/format';
import { rangeText, type Range } from '../lib/range';
import { BarCell } from '../ui/bar-cell';
import { Card } from '../ui/card';
import type { Column } from '../ui/data-table';
import { List, NothingHere } from '../ui/list';
import { PortName } from '../ui/port-name';
import { Empty } from '../ui/state';
import { MOVER_COLUMNS } from './overview-side';

const PAGE = 20;

function busiestColumns(most: number): Column<PortRow>[] {
  return [
    {
      head: 'Service',
      cell: (r) => (
        <>
          <PortName proto={r.proto} port={r.port} />
          <BarCell value={r.packets} most={most} />
        </>
      ),
      sort: (r) => r.port,
    },
    { head: 'Sources', num: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
    { head: 'Countries', num: true, wide: true, cell: (r) => count(r.countries), sort: (r) => r.countries },
    { head: 'Share', num: true, wide: true, help: 'Of all packets of the range', cell: (r) => <span class="muted">{percent(r.share)}</span>, sort: (r) => r.share },
  ];
}

export function BusiestCard({ query }: { query: Query }) {
  const ports = usePages<PortRow>('/ports', { ...query, limit: PAGE });
  const most = ports.rows?.[0]?.packets ?? 0;
  return (
    <Card title="Busiest" note="Services with most traffic" csv={csvUrl('/ports', { ...query, limit: 10_000 })} flush>
      <List of={ports} label="Busiest services" columns={busiestColumns(most)} id={(r) => `${r.proto}/${r.port}`}
        empty={<NothingHere what="traffic" />} />
    </Card>
  );
}

export function MoversTable({ query, range }: { query: Query; range: Range }) {
  const held = useHeld();
  const csv = csvUrl('/movers', { ...query, limit: 10_000 });
  if (range.from <= held.first) {
    return (
      <Card title="Movers">
        <Empty title="Nothing to compare with">The store holds nothing from before this range: choose a shorter one.</Empty>
      </Card>
    );
  }
  return (
    <Card title="Movers" note={`Number of sources, ${rangeText(range)} against the same length before`} csv={csv} flush>
      <MoversList query={query} />
    </Card>
  );
}

function MoversList({ query }: { query: Query }) {
  const movers = usePages<MoverRow>('/movers', { ...query, limit: PAGE });
  const packets: Column<MoverRow> = {
    head: 'Packets',
    num: true,
    wide: true,
    cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>,
    sort: (r) => r.packets,
  };
  return (
    <List of={movers} label="Movers" columns={[...MOVER_COLUMNS, packets]} id={(r) => `${r.proto}/${r.port}`}
      empty={<Empty title="Nothing moved">No service changed against the span before.</Empty>} />
  );
}
