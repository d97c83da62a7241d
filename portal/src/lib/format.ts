// How numbers, times and names are written. Times are always UTC and say so.

const DASH = '–';

/** 1,234 */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  return Math.round(value).toLocaleString('en-GB');
}

/** 1,234 below ten thousand, then 12.3 k, 4.56 M, 7.89 G. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size < 10) return trim(value.toFixed(2));
  if (size < 100) return trim(value.toFixed(1));
  if (size < 10_000) return count(value);
  const units = ['k', 'M', 'G', 'T', 'P'];
  let scaled = size;
  let unit = -1;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${value < 0 ? '-' : ''}${scaled.toFixed(digits)} ${units[unit]}`;
}

/** 512 B, 1.5 kB, 3.2 GB (powers of 1,000). */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  if (Math.abs(value) < 1000) return `${Math.round(value)} B`;
  const text = value < 10_000 ? `${(value / 1000).toFixed(2)} k` : short(value);
  return `${text}B`;
}

/** 0.1234 → "12 %"; below 1 % one or two digits more. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return DASH;
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value > 99 && value < 100) return '> 99 %';
  if (value >= 9.95) return `${Math.round(value)} %`;
  if (value >= 0.1) return `${value.toFixed(1)} %`;
  return value >= 0.01 ? `${value.toFixed(2)} %` : '< 0.01 %';
}

/** Against before: "+34 %", "-8 %", "×4.2", "new". */
export function change(now: number, before: number): string {
  if (before <= 0) return now > 0 ? 'new' : 'same';
  const ratio = now / before;
  if (ratio >= 2) return `×${trim(ratio < 9.95 ? ratio.toFixed(1) : count(ratio))}`;
  const value = Math.round((ratio - 1) * 100);
  if (value === 0) return 'same';
  return value > 0 ? `+${value} %` : `−${-value} %`;
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export type Time = string | number | Date;

function valid(time: Time | null | undefined): Date | null {
  if (time === null || time === undefined || time === '') return null;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** 2023-04-02 */
export function day(time: Time | null | undefined): string {
  return valid(time)?.toISOString().slice(0, 10) ?? DASH;
}

/** 14:05 */
export function clock(time: Time | null | undefined): string {
  return valid(time)?.toISOString().slice(11, 16) ?? DASH;
}

/** 14:05:09 */
export function clockSeconds(time: Time | null | undefined): string {
  return valid(time)?.toISOString().slice(11, 19) ?? DASH;
}

/** 2023-04-02 14:05 (the page or the column says UTC) */
export function stamp(time: Time | null | undefined): string {
  const date = valid(time);
  return date ? `${day(date)} ${clock(date)}` : DASH;
}

/** 2023-04-02 14:05:09 UTC */
export function stampFull(time: Time | null | undefined): string {
  const date = valid(time);
  return date ? `${day(date)} ${clockSeconds(date)} UTC` : DASH;
}

/** 45 s, 12 min, 3 h 20 min, 2 d 4 h */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return DASH;
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 36) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** "3 h ago", seen from `now`; a few seconds ahead is "just now". */
export function ago(time: Time | null | undefined, now: number): string {
  const date = valid(time);
  if (!date) return DASH;
  const past = now - date.getTime();
  if (past < 5_000) return 'just now';
  if (past < 90_000) return `${Math.round(past / 1000)} s ago`;
  if (past < 5_400_000) return `${Math.round(past / 60_000)} min ago`;
  if (past < 129_600_000) return `${Math.round(past / 3_600_000)} h ago`;
  return `${Math.round(past / 86_400_000)} d ago`;
}

/** "1 site", "3 sites", "1 country", "2 countries" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** ISO time with seconds, no fraction: the form that the API and the URLs use. */
export function iso(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** A value with a unit as the evidence gives it. */
export function quantity(value: number, unit: string): string {
  if (unit === '%') return `${trim(value.toFixed(1))} %`;
  if (unit === 's') return duration(value * 1000);
  if (unit === 'bytes') return bytes(value);
  // What nobody can picture is told as what it is: as good as never.
  if (value > 0 && value < 1e-9) return `less than a billionth${unit ? ` ${unit}` : ''}`;
  const small = value !== 0 && Math.abs(value) < 0.01;
  const text = small ? value.toExponential(1).replace('e', ' × 10^') : short(value);
  return unit ? `${text} ${unit}` : text;
}

const DAY = 86_400;

/** A tick of a time axis: a date at midnight, a time of day otherwise. */
export function tickText(seconds: number, step: number): string {
  const time = seconds * 1000;
  if (step >= DAY || seconds % DAY === 0) return day(time).slice(5);
  return step < 60 ? clockSeconds(time) : clock(time);
}
