import { geoEqualEarth, geoPath } from 'd3-geo';
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import { useMemo, useState } from 'preact/hooks';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import atlas from '../generated/world.json';
import { countryName, SMALL } from '../lib/countries';
import { count } from '../lib/format';
import { shade, SHADES } from '../lib/shade';

export interface MapValue {
  country: string;
  value: number;
}

interface WorldMapProps {
  values: MapValue[];
  unit: string;
  onPick: (country: string) => void;
}

const WIDTH = 900;
const HEIGHT = 420;

const topology = atlas as unknown as Topology<{ countries: GeometryCollection }>;
const shapes = feature(topology, topology.objects.countries) as FeatureCollection<Geometry>;
const land = shapes.features.filter((f) => f.id !== 'aq');
const projection = geoEqualEarth().fitExtent(
  [[4, 4], [WIDTH - 4, HEIGHT - 4]],
  { type: 'FeatureCollection', features: land } as FeatureCollection<Geometry>,
);
const draw = geoPath(projection).digits(1);
const paths = land.map((f: Feature<Geometry>) => ({ code: String(f.id ?? ''), d: draw(f) ?? '' }));


export default function WorldMap({ values, unit, onPick }: WorldMapProps) {
  const [over, setOver] = useState<string>();
  const table = useMemo(() => new Map(values.map((v) => [v.country, v.value])), [values]);
  const most = Math.max(0, ...values.map((v) => v.value));
  const least = Math.min(most, ...values.map((v) => v.value).filter((v) => v > 0));
  const dots = Object.entries(SMALL).filter(([code]) => table.has(code));
  const hooks = (code: string) => ({
    class: `land shade-${shade(table.get(code) ?? 0, least, most)}${over === code ? ' over' : ''}`,
    onMouseEnter: () => setOver(code),
    onClick: () => table.has(code) && onPick(code),
  });
  return (
    <div class="map" onMouseLeave={() => setOver(undefined)}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`World map of ${unit}; the table beside it has the figures`}>
        {paths.map((shape, i) => (
          <path key={i} d={shape.d} {...hooks(shape.code)} />
        ))}
        {dots.map(([code, at]) => {
          const [x, y] = projection(at) ?? [0, 0];
          return <circle key={code} cx={x} cy={y} r="4" {...hooks(code)} />;
        })}
      </svg>
      <div class="map-foot">
        <span class="map-over" aria-hidden="true">
          {over ? `${countryName(over)}: ${count(table.get(over) ?? 0)} ${unit}` : `${unit} by country`}
        </span>
        <span class="map-scale" aria-hidden="true">
          {count(least)}
          {Array.from({ length: SHADES }, (_, i) => (
            <i key={i} class={`shade-${i + 1}`} />
          ))}
          {count(most)}
        </span>
      </div>
    </div>
  );
}
