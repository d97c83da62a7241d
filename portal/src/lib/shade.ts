// Steps of colour for values that span orders of magnitude.
export const SHADES = 6;

/** Shade 1..6 on a logarithmic scale from the smallest to the largest value; 0 for nothing. */
export function shade(value: number, least: number, most: number): number {
  if (value <= 0 || most <= 0) return 0;
  if (least >= most) return SHADES;
  const place = Math.log(Math.max(value, least) / least) / Math.log(most / least);
  return 1 + Math.round(Math.min(1, place) * (SHADES - 1));
}
