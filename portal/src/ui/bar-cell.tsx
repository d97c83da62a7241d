/** A thin bar under a figure: its part of the largest in the column. */
export function BarCell({ value, most }: { value: number; most: number }) {
  const width = most > 0 ? Math.max(1, Math.round((value / most) * 100)) : 0;
  return <i class="cell-bar" style={{ width: `${width}%` }} aria-hidden="true" />;
}
