import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { short, stamp } from '../lib/format';
import { onTheme } from '../lib/theme';
import { ChartTable } from './chart-table';
import { Legend } from './legend';
import { plotData, plotOptions, type Line, type Mark } from './plot';

interface TimeChartProps {
  /** What the chart shows, for those who cannot see it. */
  label: string;
  times: number[];
  lines: Line[];
  unit: string;
  height?: number;
  stacked?: boolean;
  /** Upper and lower line, by number, of what is normal. */
  band?: [number, number];
  marks?: Mark[];
  format?: (value: number) => string;
  /** A span was drawn with the mouse: ms. */
  onBrush?: (from: number, to: number) => void;
  sync?: string;
}

const NO_MARKS: Mark[] = [];

/** Lines over time. Dragging across it zooms; the same figures are there as a table. */
export function TimeChart(props: TimeChartProps) {
  const { times, lines, stacked = false, height = 240, sync, band, format = short } = props;
  const marks = props.marks ?? NO_MARKS;
  const frame = useRef<HTMLDivElement>(null);
  const brush = useRef(props.onBrush);
  brush.current = props.onBrush;
  const [cursor, setCursor] = useState<number | null>(null);
  const [table, setTable] = useState(false);
  const zoomable = props.onBrush !== undefined;

  useEffect(() => {
    const box = frame.current;
    if (!box || table) return;
    const input = {
      times, lines, stacked, band, marks, format, sync,
      onCursor: setCursor,
      onBrush: zoomable ? (from: number, to: number) => brush.current?.(from, to) : undefined,
    };
    const build = () => new uPlot(plotOptions(input, box.clientWidth, height), plotData(input), box);
    let plot = build();
    const resize = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height }));
    resize.observe(box);
    const forget = onTheme(() => {
      plot.destroy();
      plot = build();
    });
    return () => {
      forget();
      resize.disconnect();
      plot.destroy();
    };
  }, [times, lines, stacked, band, marks, height, sync, format, zoomable, table]);

  const summary = useMemo(() => summarise(props.label, times, lines, format), [props.label, times, lines, format]);
  const at = cursor === null ? undefined : times[cursor];
  return (
    <figure class="chart" aria-label={props.label}>
      <figcaption class="visually-hidden">{summary}</figcaption>
      {table ? (
        <ChartTable times={times} lines={lines} unit={props.unit} format={format} height={height} />
      ) : (
        <div class={zoomable ? 'plot zoomable' : 'plot'} ref={frame} style={{ height: `${height}px` }} aria-hidden="true" />
      )}
      <div class="chart-foot">
        <Legend lines={lines} index={cursor} format={format} />
        <span class="chart-at">{at === undefined ? `${props.unit}, UTC` : `${stamp(at * 1000)} UTC`}</span>
        <button class="button button-small" type="button" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? 'Chart' : 'Table'}
        </button>
      </div>
    </figure>
  );
}

function summarise(label: string, times: number[], lines: Line[], format: (v: number) => string): string {
  const first = times[0];
  const last = times[times.length - 1];
  if (first === undefined || last === undefined) return `${label}: no values.`;
  const peaks = lines.slice(0, 8).map((line) => {
    const values = line.values.map((v) => v ?? 0);
    const best = Math.max(...values);
    return `${line.label} peaks at ${format(best)} on ${stamp((times[values.indexOf(best)] ?? 0) * 1000)}`;
  });
  return `${label}, ${stamp(first * 1000)} to ${stamp(last * 1000)} UTC. ${peaks.join('; ')}.`;
}
