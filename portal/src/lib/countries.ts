// Names of countries in English, from the browser's own table.
const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

export function countryName(code: string | null | undefined): string {
  if (!code) return 'unknown country';
  if (!/^[a-z]{2}$/i.test(code)) return code;
  try {
    return names.of(code.toUpperCase()) ?? code.toUpperCase();
  } catch {
    return code.toUpperCase();
  }
}

export function countryCode(code: string | null | undefined): string {
  return code ? code.toUpperCase() : '??';
}

/** States and territories that the map at this scale has no shape for: [longitude, latitude]. */
export const SMALL: Record<string, [number, number]> = {
  ad: [1.6, 42.5],
  ag: [-61.8, 17.1],
  bb: [-59.6, 13.2],
  bh: [50.5, 26.0],
  bm: [-64.8, 32.3],
  cv: [-23.6, 15.1],
  dm: [-61.4, 15.4],
  gd: [-61.7, 12.1],
  gi: [-5.4, 36.1],
  gu: [144.8, 13.4],
  hk: [114.2, 22.3],
  im: [-4.5, 54.2],
  je: [-2.1, 49.2],
  ki: [173.0, 1.4],
  km: [43.3, -11.7],
  ky: [-81.3, 19.3],
  lc: [-61.0, 13.9],
  li: [9.5, 47.1],
  mc: [7.4, 43.7],
  mo: [113.5, 22.2],
  mt: [14.4, 35.9],
  mu: [57.6, -20.3],
  mv: [73.5, 4.2],
  pf: [-149.4, -17.7],
  re: [55.5, -21.1],
  sc: [55.5, -4.7],
  sg: [103.8, 1.35],
  sm: [12.5, 43.9],
  st: [6.6, 0.2],
  to: [-175.2, -21.2],
  vc: [-61.2, 13.2],
  vg: [-64.6, 18.4],
  ws: [-172.1, -13.8],
};
