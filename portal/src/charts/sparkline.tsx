import { peak, thin } from '../lib/series';

interface SparklineProps {
  values: (number | null)[];
  /** What a value had to pass. */
  threshold?: (number | null)[] | undefined;
  width?: number;
  height?: number;
  color?: string;
  label: string;
}

const POINTS = 72;

/** A line without axes: the shape of a thing, beside its name. */
export function Sparkline(props: SparklineProps) {
  const { width = 120, height = 32, color = 'c1' } = props;
  const values = thin(props.values.map((v) => v ?? 0), POINTS);
  const limits = props.threshold ? thin(props.threshold.map((v) => v ?? 0), POINTS) : [];
  const most = Math.max(1, ...values, ...limits);
  const path = (points: number[]) =>
    points
      .map((v, i) => {
        const x = points.length > 1 ? (i / (points.length - 1)) * (width - 4) + 2 : width / 2;
        const y = height - 2 - (v / most) * (height - 6);
        return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      })
      .join('');
  const line = path(values);
  const best = peak(values);
  const x = values.length > 1 ? (best / (values.length - 1)) * (width - 4) + 2 : width / 2;
  const y = height - 2 - ((values[best] ?? 0) / most) * (height - 6);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img"
      aria-label={props.label} style={{ color: `var(--${color})` }}>
      {line && <path d={`${line}L${width - 2} ${height - 2}L2 ${height - 2}Z`} fill="currentColor" opacity="0.13" />}
      {limits.length > 0 && <path d={path(limits)} class="spark-limit" fill="none" />}
      <path d={line} fill="none" stroke="currentColor" stroke-width="1.500" stroke-linejoin="round" />
      {best >= 0 && <circle cx={x} cy={y} r="2.300" fill="currentColor" />}
    </svg>
  );
}
