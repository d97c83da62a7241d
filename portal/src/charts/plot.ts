// The options that turn lines into a uPlot chart. No component here: what is drawn, not where.
import uPlot from 'uplot';
import { stack } from '../lib/series';
import { token } from '../lib/theme';
import { fromZero, timeAxis, valueAxis } from './axes';

export interface Line {
  label: string;
  values: (number | null)[];
  /** Name of a colour token. */
  color: string;
  dash?: boolean;
  fill?: boolean;
  width?: number;
}

export interface Mark {
  /** Seconds since 1970. */
  at: number;
  label: string;
  color: string;
}

export interface PlotInput {
  times: number[];
  lines: Line[];
  stacked: boolean;
  /** Two lines by number with the space between them filled: what is normal. */
  band: [number, number] | undefined;
  marks: Mark[];
  format: (value: number) => string;
  onCursor: (index: number | null) => void;
  onBrush: ((from: number, to: number) => void) | undefined;
  sync: string | undefined;
}

/** Columns for uPlot: when stacked, each on top of those before it, the topmost drawn first. */
export function plotData(input: PlotInput): uPlot.AlignedData {
  const values = input.lines.map((line) => line.values);
  if (!input.stacked) return [input.times, ...values] as uPlot.AlignedData;
  const sums = stack(values.map((line) => line.map((v) => v ?? 0)));
  return [input.times, ...sums.reverse()] as uPlot.AlignedData;
}

function lineOptions(line: Line, stacked: boolean, single: boolean): uPlot.Series {
  const color = token(line.color);
  const options: uPlot.Series = {
    label: line.label,
    stroke: color,
    width: line.width ?? (stacked ? 1 : 1.7),
    points: { show: single, size: 6 },
    spanGaps: false,
  };
  if (line.dash) options.dash = [5, 4];
  if (stacked) options.fill = `color-mix(in srgb, ${color} 72%, ${token('surface')})`;
  else if (line.fill) options.fill = `${color}24`;
  return options;
}

function drawMarks(marks: Mark[]) {
  return (u: uPlot) => {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${11 * ratio}px ${token('font')}`;
    for (const mark of marks) {
      const x = Math.round(u.valToPos(mark.at, 'x', true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      const color = token(mark.color);
      ctx.strokeStyle = color;
      ctx.fillStyle = color;
      ctx.lineWidth = ratio;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const right = x + ctx.measureText(mark.label).width + 8 * ratio > bbox.left + bbox.width;
      ctx.textAlign = right ? 'right' : 'left';
      ctx.setLineDash([]);
      ctx.strokeStyle = token('surface');
      ctx.lineWidth = 4 * ratio;
      ctx.strokeText(mark.label, x + (right ? -5 : 5) * ratio, bbox.top + 11 * ratio);
      ctx.fillText(mark.label, x + (right ? -5 : 5) * ratio, bbox.top + 11 * ratio);
    }
    ctx.restore();
  };
}

export function plotOptions(input: PlotInput, width: number, height: number): uPlot.Options {
  const lines = input.stacked ? [...input.lines].reverse() : input.lines;
  const options: uPlot.Options = {
    width,
    height,
    padding: [10, 20, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 7, width: 2 },
      drag: { x: input.onBrush !== undefined, y: false, setScale: false },
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true }, y: { range: fromZero } },
    axes: [timeAxis(), valueAxis(input.format)],
    series: [{}, ...lines.map((line) => lineOptions(line, input.stacked, input.times.length < 3))],
    hooks: {
      draw: [drawMarks(input.marks)],
      setCursor: [(u) => input.onCursor(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          if (!input.onBrush || u.select.width < 6) return;
          const from = u.posToVal(u.select.left, 'x');
          const to = u.posToVal(u.select.left + u.select.width, 'x');
          input.onBrush(from * 1000, to * 1000);
        },
      ],
    },
  };
  if (input.band) options.bands = [{ series: [input.band[0] + 1, input.band[1] + 1], fill: token('band') }];
  if (input.sync && options.cursor) options.cursor.sync = { key: input.sync };
  return options;
}
