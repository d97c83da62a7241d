// How sites are, in words and figures.
import type { FleetStrip } from '../api/client';
import { duration } from './format';

export const CELLS: Record<string, { style: string; word: string }> = {
  u: { style: 'cell-up', word: 'up' },
  g: { style: 'cell-degraded', word: 'degraded' },
  l: { style: 'cell-late', word: 'late' },
  d: { style: 'cell-down', word: 'down' },
  '.': { style: 'cell-none', word: 'not watched' },
};

/** The strip in words, for those who do not see it: runs of the same state. */
export function stripText(strip: FleetStrip): string {
  const runs: string[] = [];
  const step = strip.step * 1000;
  for (let i = 0; i < strip.cells.length; ) {
    let end = i;
    while (end < strip.cells.length && strip.cells[end] === strip.cells[i]) end += 1;
    runs.push(`${CELLS[strip.cells[i] ?? '.']?.word} ${duration((end - i) * step)}`);
    i = end;
  }
  return runs.join(', then ');
}

/** 99.95 %, and never "100 %" of a time in which something was missing. */
export function share(value: number): string {
  if (value >= 100) return '100 %';
  const digits = value >= 99 ? 3 : 1;
  const scale = 10 ** digits;
  return `${(Math.floor(value * scale) / scale).toFixed(digits)} %`;
}
