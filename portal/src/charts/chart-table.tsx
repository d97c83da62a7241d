import { stamp } from '../lib/format';
import type { Line } from './plot';
import { Scroll } from '../ui/scroll';

interface ChartTableProps {
  times: number[];
  lines: Line[];
  unit: string;
  format: (value: number) => string;
  height: number;
}

/** No screen reads more rows than this; the CSV has them all. */
const ROWS_MAX = 500;

/** A chart's figures, newest first. */
export function ChartTable({ times, lines, unit, format, height }: ChartTableProps) {
  const indices = times.map((_, i) => i).slice(-ROWS_MAX).reverse();
  return (
    <Scroll class="chart-table" height={height}>
      <table>
        <caption class="visually-hidden">{unit} at each step</caption>
        <thead>
          <tr>
            <th scope="col">Time (UTC)</th>
            {lines.map((line) => (
              <th key={line.label} scope="col" class="num">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {indices.map((i) => (
            <tr key={i}>
              <td class="nowrap">{stamp((times[i] ?? 0) * 1000)}</td>
              {lines.map((line) => {
                const value = line.values[i];
                return (
                  <td key={line.label} class="num">
                    {value === null || value === undefined ? '–' : format(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
