// Why packets did not reach the charts, as GET /losses names it.
export const CAUSES: Readonly<Record<string, string>> = {
  dropped_kernel: 'dropped by the kernel',
  dropped_queue: 'dropped by a full queue',
  sampled_out: 'sampled out',
  snapped: 'cut by the capture',
  malformed: 'malformed',
  non_ip: 'not IP',
};

export function causeText(key: string): string {
  return CAUSES[key] ?? key;
}
