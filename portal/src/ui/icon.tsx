// Line icons on a 20 by 20 grid, drawn in the text's colour.
const PATHS = {
  overview: 'M3 11.500 10 4l7 7.500M5 9.500V16h10V9.500',
  alerts: 'M10 3.500v1M5.500 14V9.500a4.500 4.500 0 0 1 9 0V14l1.500 1.500H4zM8.500 17.500h3',
  ports: 'M3 15.500h14M4 12l3.500-4.500 3 2.500L16 4.500',
  sources: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM3 10h14M10 3c2 2 3 4.400 3 7s-1 5-3 7c-2-2-3-4.400-3-7s1-5 3-7Z',
  screened: 'M3.500 4.500h13L11.500 10.500v5l-3 1.500v-6.500z',
  sites: 'M10 12v5M7 17h6M6.500 9.500a5 5 0 0 1 0-4M13.500 9.500a5 5 0 0 0 0-4M4 11.500a9 9 0 0 1 0-8M16 11.500a9 9 0 0 0 0-8M10 8.800a1.300 1.300 0 1 0 0-2.600 1.300 1.300 0 0 0 0 2.600Z',
  victims: 'M10 3l6 2.200v4.300c0 3.600-2.400 6-6 7.500-3.600-1.500-6-3.900-6-7.500V5.200zM10 7v3.500M10 12.900v.1',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  sun: 'M10 13.200a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M15.300 4.700l-1 1M5.700 14.300l-1 1',
  moon: 'M16 11.800A6.500 6.500 0 0 1 8.200 4a6.500 6.500 0 1 0 7.800 7.800Z',
  download: 'M10 3.500v8.500M6.500 9 10 12.500 13.500 9M4 16h12',
  calendar: 'M4 5.500h12V16H4zM4 8.500h12M7 3.500v3M13 3.500v3',
  out: 'M8 4H4v12h4M12.500 13.500 16 10l-3.500-3.500M16 10H8',
  warn: 'M10 3.500 17.500 16h-15zM10 8v4M10 14v.1',
  check: 'M4.500 10.500 8.500 14l7-8',
  cross: 'M5.500 5.500l9 9M14.500 5.500l-9 9',
  left: 'M12 4.500 6.500 10l5.500 5.500',
  right: 'M8 4.500 13.500 10 8 15.500',
  help: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8.200a2 2 0 1 1 2.600 2c-.4.200-.6.500-.6 1v.4M10 13.700v.1',
  search: 'M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM12.600 12.600 16.500 16.500',
  table: 'M3.500 4.500h13v11h-13zM3.500 8.200h13M3.500 11.800h13M8 8.200v7.300',
  zoom: 'M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM12.600 12.600l3.900 3.900M7 9h4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor"
      stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
