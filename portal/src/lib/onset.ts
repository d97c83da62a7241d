// When each site saw the thing: from the traffic of the alert's service by site.
export interface SiteLine {
  site: string;
  values: number[];
}

export interface Onset {
  site: string;
  values: number[];
  /** What is darkest in its strip: its peak, or more where it stands out nowhere, so that quiet looks quiet. */
  scale: number;
  /** Step at which it came; -1: not. */
  step: number;
  /** Expected there and not seen yet, as an engine says. */
  waiting: boolean;
}

/** What an engine says of a site; its word counts more than what the curve looks like. */
export interface Stand {
  site: string;
  state: string;
  first?: string;
}

/** A peak counts when it is this much above the site's usual level, and at least so many sources. */
const STANDS_OUT = 3;
const LEAST = 8;

/**
 * The usual level is the median of the steps before `from` (the alert's start), or of the first quarter. The onset
 * is the first step after it that is half-way between the usual level and the peak.
 */
function onsetOf({ site, values }: SiteLine, fromStep: number): Onset {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  const before = values.slice(0, fromStep > 2 ? fromStep : quarter);
  const usual = median(before);
  const top = Math.max(0, ...values);
  const scale = Math.max(top, usual * STANDS_OUT * 2, LEAST * 2);
  if (top < LEAST || top < usual * STANDS_OUT) return { site, values, scale, step: -1, waiting: false };
  const half = usual + (top - usual) / 2;
  return { site, values, scale, step: values.findIndex((v) => v >= half), waiting: false };
}

/** Sites in the order in which it came to them; then those that wait, then those where nothing stands out. */
export function onsets(lines: SiteLine[], fromStep: number, stands: Stand[] = [], stepOf: (time: string) => number = () => -1): Onset[] {
  const said = new Map(stands.map((s) => [s.site, s]));
  const made = lines.map((line) => {
    const onset = onsetOf(line, fromStep);
    const stand = said.get(line.site);
    if (!stand) return stands.length > 0 ? { ...onset, step: -1 } : onset;
    const step = stand.first === undefined ? -1 : Math.min(line.values.length - 1, Math.max(0, stepOf(stand.first)));
    return { ...onset, step, waiting: stand.state === 'waiting' };
  });
  const place = (o: Onset) => (o.step >= 0 ? o.step : o.waiting ? 1e9 : 2e9);
  return made.sort((a, b) => place(a) - place(b) || (a.site < b.site ? -1 : 1));
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Shade 0..5 of a value on a square-root scale of the largest. */
export function heat(value: number, most: number): number {
  if (value <= 0 || most <= 0) return 0;
  return Math.max(1, Math.min(5, Math.ceil(Math.sqrt(value / most) * 5)));
}
