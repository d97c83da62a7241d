// Shapes of values over time that charts draw.

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Stacked from the bottom: each line on top of those before it. */
export function stack(lines: readonly number[][]): number[][] {
  const made: number[][] = [];
  for (const line of lines) {
    const below = made[made.length - 1];
    made.push(line.map((value, i) => value + (below?.[i] ?? 0)));
  }
  return made;
}

/** At most `most` values, each the largest of its bucket, so that a peak stays visible. */
export function thin(values: readonly number[], most: number): number[] {
  if (values.length <= most) return [...values];
  const made: number[] = [];
  for (let i = 0; i < most; i += 1) {
    const begin = Math.floor((i * values.length) / most);
    const end = Math.max(begin + 1, Math.floor(((i + 1) * values.length) / most));
    made.push(Math.max(...values.slice(begin, end)));
  }
  return made;
}

/** How many of the steps are over, data being there up to `last` (ms): the one that is still filling would look like a
 *  fall. A twentieth that is missing does not show. One step is always left. */
export function stepsOver(start: number, stepS: number, steps: number, last: number): number {
  const step = stepS * 1000;
  const over = Math.floor((last - start) / step + 0.05);
  return Math.min(steps, Math.max(1, over));
}

export interface EvidenceSeries {
  name: string;
  unit: string;
  start: string;
  step_s: number;
  values: (number | null)[];
  expected?: (number | null)[];
  threshold?: (number | null)[];
}

/** The times of an evidence series, in seconds since 1970. */
export function evidenceTimes(series: EvidenceSeries): number[] {
  const start = Date.parse(series.start) / 1000;
  return series.values.map((_, i) => start + i * series.step_s);
}

/** The first step at which the series passed its threshold; -1 if it never did. */
export function firstCrossing(series: EvidenceSeries): number {
  return series.values.findIndex((value, i) => {
    const limit = series.threshold?.[i];
    return value !== null && limit !== null && limit !== undefined && value > limit;
  });
}

/** The brightest step of a peak: its index, or -1. */
export function peak(values: readonly (number | null)[]): number {
  let best = -1;
  values.forEach((value, i) => {
    if (value !== null && (best < 0 || value > (values[best] ?? -Infinity))) best = i;
  });
  return best;
}
