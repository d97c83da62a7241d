// Where a thing is expected next: what the forecasts of an alert say, as rows of one picture.
import type { Forecast, ForecastScore } from '../api/client';
import { duration, short } from './format';

export interface Arrival {
  site: string;
  at: number;
}

export interface WayRow {
  site: string;
  /** When it came there, ms; undefined: not yet. */
  came: number | undefined;
  forecast: Forecast | undefined;
}

/** Sites in the order in which it came to them, then those where it is expected, soonest first. */
export function wayRows(arrivals: Arrival[], forecasts: Forecast[]): WayRow[] {
  const rows = new Map<string, WayRow>();
  for (const { site, at } of arrivals) rows.set(site, { site, came: at, forecast: undefined });
  for (const forecast of forecasts) {
    const came = rows.get(forecast.site)?.came ?? (forecast.came ? Date.parse(forecast.came) : undefined);
    rows.set(forecast.site, { site: forecast.site, came, forecast });
  }
  const place = (row: WayRow) => row.came ?? Date.parse(row.forecast?.last.expected ?? '') + 1e15;
  return [...rows.values()].sort((a, b) => place(a) - place(b) || (a.site < b.site ? -1 : 1));
}

/** What to say of a row, in a few words. */
export function wayText(row: WayRow, first: number, now: number): string {
  const { forecast, came } = row;
  if (came !== undefined) {
    const lag = came === first ? 'first' : `+${duration(came - first)}`;
    if (!forecast) return lag;
    if (forecast.state === 'late') return `${lag}, before it was said`;
    const ahead = came - Date.parse(forecast.first.made);
    const inside = came >= Date.parse(forecast.first.low) && came <= Date.parse(forecast.first.high);
    return `${lag}, said ${duration(ahead)} ahead${inside ? '' : ', outside of the interval'}`;
  }
  if (!forecast) return 'not seen';
  if (forecast.state === 'missed') return 'did not come';
  if (forecast.state === 'void') return 'the site did not watch';
  const left = Date.parse(forecast.last.expected) - now;
  const chance = `${Math.round(forecast.last.chance * 100)} %`;
  return left > 0 ? `in about ${duration(left)}, ${chance}` : `overdue by ${duration(-left)}, ${chance}`;
}

/** How good forecasts have been; empty while none is settled. */
export function scoreText(score: ForecastScore): string {
  const { came, missed, late } = score.counts;
  if (came + missed === 0) return 'No forecast has been settled yet.';
  const percent = (share: number | null) => `${Math.round((share ?? 0) * 100)} %`;
  const parts = [`${came} of ${came + missed} settled forecasts came (${percent(score.said)} was said)`];
  if (came > 0) parts.push(`off by ${short(score.error_median_h ?? 0)} h in the median`, `the interval held in ${percent(score.in_interval)} (80 % is meant)`);
  if (late > 0) parts.push(`${late} more were said too late`);
  return `${parts.join('; ')}.`;
}
