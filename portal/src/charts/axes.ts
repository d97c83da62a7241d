// Axes of all charts: UTC times, short numbers, quiet lines.
import type uPlot from 'uplot';
import { short, tickText } from '../lib/format';
import { token } from '../lib/theme';

export function timeAxis(): uPlot.Axis {
  return {
    stroke: token('ink-3'),
    font: `11.5px ${token('font')}`,
    size: 30,
    space: 70,
    grid: { show: false },
    ticks: { stroke: token('line-strong'), width: 1, size: 4 },
    values: (_u, splits, _axis, _space, step) => splits.map((s) => tickText(s, step)),
  };
}

export function valueAxis(format: (value: number) => string = short): uPlot.Axis {
  return {
    stroke: token('ink-3'),
    font: `11.5px ${token('font')}`,
    size: 54,
    gap: 6,
    space: 36,
    grid: { stroke: token('grid'), width: 1 },
    ticks: { show: false },
    values: (_u, splits) => splits.map((s) => (s === null ? '' : format(s))),
  };
}

/** From zero to a little above the highest value. */
export function fromZero(_u: uPlot, _min: number, max: number): [number, number] {
  return [0, max > 0 ? max * 1.08 : 1];
}
