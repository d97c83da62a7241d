// The curves of an alert as a CSV file, made here: they are part of the alert, not of the store.
import type { Alert } from '../api/client';
import { evidenceBlocks, evidenceSeries, rowName } from './alerts';
import { iso } from './format';
import { evidenceTimes } from './series';

/** RFC 4180: quoted where it must be; a leading = + - @ is kept from being a formula in a spreadsheet. */
export function csvCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function evidenceCsv(alert: Alert): string {
  const lines = ['engine,series,unit,time,seen,normal,limit'];
  const all = evidenceSeries(alert).flatMap((d) => [d.series, ...(d.beside ?? [])].map((series) => ({ engine: d.engine, series })));
  for (const { engine, series } of all) {
    const times = evidenceTimes(series);
    series.values.forEach((value, i) => {
      const row = [engine, series.name, series.unit, iso((times[i] ?? 0) * 1000), value, series.expected?.[i], series.threshold?.[i]];
      lines.push(row.map(csvCell).join(','));
    });
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** A line for each cell; the factors stand beside it. */
export function blocksCsv(alert: Alert): string {
  const lines = ['engine,block,unit,host,in_group,host_factor,column,column_factor,value'];
  for (const { engine, block } of evidenceBlocks(alert)) {
    block.cells.forEach((cells, row) =>
      cells.forEach((value, column) => {
        const inside = row < block.rows_in && column < block.columns_in ? 1 : 0;
        const cell = [engine, block.name, block.unit, rowName(block, row), inside, block.row_weights?.[row], block.columns[column], block.column_weights?.[column], value];
        lines.push(cell.map(csvCell).join(','));
      }));
  }
  return `${lines.join('\r\n')}\r\n`;
}

export function saveEvidence(alert: Alert, what: 'evidence' | 'blocks' = 'evidence'): void {
  const text = what === 'blocks' ? blocksCsv(alert) : evidenceCsv(alert);
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${alert.id}-${what}.csv`;
  link.click();
  URL.revokeObjectURL(address);
}
