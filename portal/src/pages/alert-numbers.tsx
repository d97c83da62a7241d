import type { Alert } from '../api/client';
import { quantity } from '../lib/format';
import { Card } from '../ui/card';

interface NumberRow {
  engine: string;
  name: string;
  value: number;
  unit: string;
  text: string;
}

export function NumbersCard({ alert }: { alert: Alert }) {
  const rows: NumberRow[] = Object.entries(alert.evidence).flatMap(([engine, evidence]) =>
    (evidence.numbers ?? []).map((n) => ({ engine, name: n.name, value: n.value, unit: n.unit ?? '', text: n.text ?? '' })),
  );
  if (rows.length === 0) return null;
  return (
    <Card title="Numbers" note="What the engines counted and computed" flush>
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" class="num">Value</th>
              <th scope="col" class="wide-only">Engine</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.engine + row.name}>
                <td>
                  <b>{row.name.replace(/_/g, ' ')}</b>
                  {row.text && <span class="sub">{row.text}</span>}
                </td>
                <td class="num strong" title={`${row.value} ${row.unit}`}>{quantity(row.value, row.unit)}</td>
                <td class="muted wide-only">{row.engine}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
