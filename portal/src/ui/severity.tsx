// Severity by shape, word and colour, so that any one of them is enough.
import type { Severity } from '../api/client';

export const SEVERITIES: Severity[] = ['critical', 'warning', 'notice', 'info'];

export function SeverityShape({ of, size = 13 }: { of: Severity; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden="true" fill="currentColor">
      {of === 'critical' && <path d="M4.300.8h5.400l3.500 3.500v5.400l-3.500 3.500H4.300L.8 9.700V4.300z" />}
      {of === 'warning' && <path d="M7 1.200 13.300 12.600H.7z" stroke="currentColor" stroke-linejoin="round" />}
      {of === 'notice' && <circle cx="7" cy="7" r="5.600" />}
      {of === 'info' && <circle cx="7" cy="7" r="4.800" fill="none" stroke="currentColor" stroke-width="1.800" />}
    </svg>
  );
}

export function SeverityMark({ of, bare }: { of: Severity; bare?: boolean }) {
  return (
    <span class={`severity severity-${of}`} title={bare ? of : undefined}>
      <SeverityShape of={of} />
      <span class={bare ? 'visually-hidden' : undefined}>{of}</span>
    </span>
  );
}
