import type { Line } from './plot';

interface LegendProps {
  lines: Line[];
  /** The step under the cursor; null: none. */
  index: number | null;
  format: (value: number) => string;
}

export function Legend({ lines, index, format }: LegendProps) {
  return (
    <ul class="legend">
      {lines.map((line) => {
        const value = index === null ? undefined : line.values[index];
        return (
          <li key={line.label}>
            <i class={line.dash ? 'swatch swatch-dash' : 'swatch'} style={{ color: `var(--${line.color})` }} aria-hidden="true" />
            <span>{line.label}</span>
            {index !== null && <b>{value === null || value === undefined ? '–' : format(value)}</b>}
          </li>
        );
      })}
    </ul>
  );
}
