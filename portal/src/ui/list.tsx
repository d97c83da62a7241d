import type { ComponentChildren } from 'preact';
import type { Pages } from '../api/pages';
import { DataTable, type Column } from './data-table';
import { Empty, Failed, Loading } from './state';

interface ListProps<Row> {
  of: Pages<Row>;
  label: string;
  columns: Column<Row>[];
  id: (row: Row) => string;
  empty: ComponentChildren;
}

/** A paged table with its states. */
export function List<Row>({ of, label, columns, id, empty }: ListProps<Row>) {
  if (of.fault) return <Failed fault={of.fault} retry={of.retry} />;
  if (!of.rows) return <Loading height={240} />;
  if (of.rows.length === 0) return <>{empty}</>;
  return (
    <div class={of.busy ? 'stale' : undefined} aria-busy={of.busy}>
      <DataTable label={label} columns={columns} rows={of.rows} id={id} />
      {of.more && (
        <p class="more">
          <button class="button" type="button" onClick={of.more}>
            More rows
          </button>
        </p>
      )}
    </div>
  );
}

export function NothingHere({ what }: { what: string }) {
  return <Empty title={`No ${what} in this range`}>Choose a longer time range, or take a filter away.</Empty>;
}
