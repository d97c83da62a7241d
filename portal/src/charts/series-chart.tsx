import { useMemo } from 'preact/hooks';
import type { Series } from '../api/client';
import { useHeld } from '../api/held';
import { bytes, short } from '../lib/format';
import { stepsOver } from '../lib/series';
import { lineToken } from '../lib/theme';
import { Empty } from '../ui/state';
import { TimeChart } from './time-chart';

interface SeriesChartProps {
  series: Series;
  label: string;
  /** What a line is called; by network, with the network's name. */
  name?: (key: string, network?: string) => string;
  stacked?: boolean;
  height?: number;
  onBrush?: (from: number, to: number) => void;
}

/** An answer of /series, drawn. */
export function SeriesChart({ series, label, name, stacked, height, onBrush }: SeriesChartProps) {
  const { last } = useHeld();
  const { times, lines, filling } = useMemo(() => {
    const start = Date.parse(series.start) / 1000;
    const all = Math.max(0, ...series.series.map((s) => s.values.length));
    const length = stepsOver(start * 1000, series.step_s, all, last);
    return {
      times: Array.from({ length: Math.min(length, all) }, (_, i) => start + i * series.step_s),
      filling: length < all,
      lines: series.series.map((s, i) => ({
        label: s.key === '' && !series.by ? series.measure : s.key === 'other' ? 'other' : (name?.(s.key, s.as_name) ?? s.key),
        values: s.values.slice(0, length),
        color: lineToken(s.key, i),
        fill: series.series.length === 1,
      })),
    };
  }, [series, name, last]);
  if (times.length === 0 || lines.length === 0) {
    return <Empty title="Nothing in this range">Choose a longer time range, or take a filter away.</Empty>;
  }
  return (
    <TimeChart label={label} times={times} lines={lines} unit={`${unitText(series)}${filling ? '; the last one is still filling and not drawn' : ''}`} stacked={stacked ?? false}
      format={series.measure === 'bytes' ? bytes : short} {...(height ? { height } : {})} {...(onBrush ? { onBrush } : {})} />
  );
}

function unitText(series: Series): string {
  const step = series.step_s;
  const text =
    step % 86_400 === 0 ? `${step / 86_400} d` : step % 3600 === 0 ? `${step / 3600} h` : `${Math.round(step / 60)} min`;
  return `${series.measure} per ${text.replace(/^1 /, '')}`;
}
