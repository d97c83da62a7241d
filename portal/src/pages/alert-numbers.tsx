import type { Alert } from '../api/client';
import { plural, quantity } from '../lib/format';
import { Card } from '../ui/card';
import { Scroll } from '../ui/scroll';

interface NumberRow {
  name: string;
  value: number;
  unit: string;
  text: string;
}

/** An engine's numbers a fold; the first is open. */
export function NumbersCard({ alert }: { alert: Alert }) {
  const engines = Object.entries(alert.evidence)
    .map(([engine, evidence]) => ({ engine, rows: (evidence.numbers ?? []).map((n) => ({ name: n.name, value: n.value, unit: n.unit ?? '', text: n.text ?? '' })) }))
    .filter((e) => e.rows.length > 0);
  if (engines.length === 0) return null;
  return (
    <Card title="Numbers" note="What the engines counted and computed" flush>
      {engines.map(({ engine, rows }, i) => (
        <details key={engine} class="fold" open={i === 0}>
          <summary>{engine} <span class="muted">{plural(rows.length, 'number')}</span></summary>
          <NumberTable engine={engine} rows={rows} />
        </details>
      ))}
    </Card>
  );
}

function NumberTable({ engine, rows }: { engine: string; rows: NumberRow[] }) {
  return (
    <Scroll>
      <table>
        <caption class="visually-hidden">Numbers of {engine}</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" class="num">Value</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <td>
                <b>{row.name.replace(/_/g, ' ')}</b>
                {row.text && <span class="sub">{row.text}</span>}
              </td>
              <td class="num strong" title={`${row.value} ${row.unit}`}>{quantity(row.value, row.unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
