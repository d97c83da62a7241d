import { url, type Forecast, type Forecasts } from '../api/client';
import { useHeld } from '../api/held';
import { useResource } from '../api/resource';
import { scoreText } from '../lib/forecast';
import { duration } from '../lib/format';
import { portText } from '../lib/ports';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { DataTable, type Column } from '../ui/data-table';
import { Empty } from '../ui/state';

const SHOWN = 8;

/** What is on its way to which site, soonest first, and how good such forecasts have been. */
export function ExpectedCard() {
  const { last } = useHeld();
  const answer = useResource<Forecasts>(url('/forecasts', { state: 'open', limit: 200 }));
  if (!answer.data) return null;
  const { rows, score } = answer.data;
  const settled = score.counts.came + score.counts.missed + score.counts.late;
  if (rows.length === 0 && settled === 0) return null;
  const soonest = [...rows].sort((a, b) => a.last.expected.localeCompare(b.last.expected)).slice(0, SHOWN);
  const columns: Column<Forecast>[] = [
    { head: 'At', cell: (f) => <a href={href(['alerts', f.alert])}><b>{f.site}</b></a> },
    { head: 'What', cell: (f) => <>{portText(f.proto, f.port)}<span class="sub">began at {f.origin}</span></> },
    {
      head: 'In about',
      num: true,
      cell: (f) => {
        const left = Date.parse(f.last.expected) - last;
        return <>{left > 0 ? duration(left) : 'overdue'}<span class="sub">{Math.round(f.last.chance * 100)} %</span></>;
      },
    },
  ];
  return (
    <Card title="Expected next" note="What began at one site and has come to others, where it has not come yet" flush foot={scoreText(score)}>
      {rows.length === 0 ? <Empty small title="Nothing is on its way">{null}</Empty> : (
        <DataTable label="Expected next" columns={columns} rows={soonest} id={(f) => f.alert + f.site} />
      )}
    </Card>
  );
}
