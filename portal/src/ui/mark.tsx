// The sign: 兆, whose strokes picture the cracks that were read as signs of what is coming.
export function Mark({ size = 34 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7.500" class="mark-ground" />
      <g class="mark-strokes" fill="none" stroke-width="2.200" stroke-linecap="round" stroke-linejoin="round">
        <path d="M13 5.500v10.500c0 4.500-2 7.600-5.500 9.800" />
        <path d="M18.800 5.500v17c0 2.200 1 2.900 3 2.900h1.500c1.700 0 2.300-.8 2.300-3.400" />
        <path d="M6.300 9.300l3 3.700M5.600 20.200l4.100-2.700M25.800 8.800l-3.200 3.800M22.600 16.600l3.800 2.500" />
      </g>
    </svg>
  );
}
