import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ordered } from '../lib/order';
import { Scroll } from './scroll';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  num?: boolean;
  /** Makes the column sortable. */
  sort?: (row: Row) => number | string;
  /** Left out on a phone. */
  wide?: boolean;
  /** What the figure means, shown on hover. */
  help?: string;
}

interface DataTableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  id: (row: Row) => string;
  /** Only the first so many are shown: of all rows, in the order that was chosen. */
  most?: number;
}

interface Order {
  column: number;
  down: boolean;
}

/** The rows as they came, or sorted by a column that was clicked. The column by which they came sorted says so, and a
 *  click turns its order round. */
export function DataTable<Row>({ label, columns, rows, id, most }: DataTableProps<Row>) {
  const [chosen, setOrder] = useState<Order>();
  const by = chosen && columns[chosen.column]?.sort;
  const shown = by ? [...rows].sort((a, b) => compare(by(a), by(b)) * (chosen.down ? -1 : 1)) : rows;
  const came = chosen ? undefined : asTheyCame(columns, rows);
  const order = chosen ?? came;
  const turn = (column: number) => {
    const number = columns[column]?.num ?? false;
    setOrder({ column, down: order?.column === column ? !order.down : number });
  };
  return (
    <Scroll>
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, i) => {
              const sorted = order?.column === i ? (order.down ? 'descending' : 'ascending') : undefined;
              return (
                <th key={column.head} scope="col" class={classOf(column)} title={column.help} aria-sort={sorted}>
                  {column.sort ? (
                    <button type="button" onClick={() => turn(i)}>
                      {column.head}
                      {sorted && <span aria-hidden="true">{order?.down ? ' ↓' : ' ↑'}</span>}
                    </button>
                  ) : (
                    column.head
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, most).map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.head} class={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function classOf<Row>(column: Column<Row>): string {
  return [column.num ? 'num' : '', column.wide ? 'wide-only' : ''].filter(Boolean).join(' ');
}

/** The figures by which the rows fall, the first of them: lists come with what is most at the top. */
function asTheyCame<Row>(columns: Column<Row>[], rows: Row[]): Order | undefined {
  const column = columns.findIndex(({ num, sort }) => num && sort && ordered(rows.map(sort)));
  return column < 0 ? undefined : { column, down: true };
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en');
}
