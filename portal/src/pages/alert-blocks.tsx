import type { Alert } from '../api/client';
import { blockPeak, columnName, evidenceBlocks, rowName, type Block, type DrawnBlock } from '../lib/alerts';
import { saveEvidence } from '../lib/evidence-csv';
import { short } from '../lib/format';
import { Card } from '../ui/card';
import { Icon } from '../ui/icon';
import { Scroll } from '../ui/scroll';

/** Shades of a cell, as of the map. */
const SHADES = 6;
/** So many columns have room in half a card. */
const NARROW = 11;

/** Who is in the group, and what put it together: hosts by port and by time, with the factors beside them. */
export function BlocksCard({ alert }: { alert: Alert }) {
  const blocks = evidenceBlocks(alert);
  if (blocks.length === 0) return null;
  return (
    <Card title="The group" class="card-blocks" note="Hosts against what they asked and when they came; the bars are the factors that put them together"
      tools={
        <button class="button button-small csv" type="button" onClick={() => saveEvidence(alert, 'blocks')}>
          <Icon name="download" size={14} />
          CSV
        </button>
      }>
      <div class="grid blocks">
        {blocks.map((drawn) => (
          <BlockTable key={`${drawn.engine} ${drawn.block.across}`} {...drawn} />
        ))}
      </div>
    </Card>
  );
}

function BlockTable({ engine, block }: DrawnBlock) {
  const most = blockPeak(block);
  const day = block.across === 'time' ? `, ${block.columns[0]?.slice(0, 10) ?? ''} UTC` : '';
  return (
    <div class={`evidence${block.columns.length > NARROW ? ' block-wide' : ''}`}>
      <h3>
        {block.name}
        <span class="muted"> · {engine}{day}</span>
      </h3>
      <Scroll class="block-wrap">
        <table class="block-table">
          <caption class="visually-hidden">
            {block.name}, {block.unit}: the first {block.rows_in} rows are the group
          </caption>
          <thead>
            {block.column_weights && (
              <tr class="block-factors">
                <th scope="row" colSpan={2}>factor</th>
                {block.columns.map((column, k) => (
                  <td key={column}>
                    <Bar weight={block.column_weights?.[k]} upright />
                  </td>
                ))}
              </tr>
            )}
            <tr>
              <th scope="col">host</th>
              <th scope="col">factor</th>
              {block.columns.map((column, k) => (
                <th key={column} scope="col" class={k < block.columns_in ? 'strong' : 'muted'} title={column}>
                  <span>{columnName(block, k)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.cells.map((cells, row) => (
              <tr key={row} class={row + 1 === block.rows_in && row + 1 < block.cells.length ? 'block-last' : ''}>
                <th scope="row" class={row < block.rows_in ? 'mono' : 'mono muted'}>{rowName(block, row)}</th>
                <td>
                  <Bar weight={block.row_weights?.[row]} />
                </td>
                {cells.map((value, k) => (
                  <Cell key={k} block={block} row={row} column={k} value={value ?? 0} most={most} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="small muted">
        {block.rows_in} {block.rows_in === 1 ? 'host' : 'hosts'} of the group
        {block.rows_in < block.cells.length && `, then ${block.cells.length - block.rows_in} others below the line`}. Cells: {block.unit}, at most {short(most)}.
      </p>
    </div>
  );
}

interface CellProps {
  block: Block;
  row: number;
  column: number;
  value: number;
  most: number;
}

/** The number is there for who cannot tell shades apart, and under the mouse for everybody. */
function Cell({ block, row, column, value, most }: CellProps) {
  const shade = value > 0 ? Math.max(1, Math.ceil((value / most) * SHADES)) : 0;
  const inside = row < block.rows_in && column < block.columns_in;
  return (
    <td class={`block-cell${shade > 0 ? ` shade-${shade}` : ''}${inside ? ' block-in' : ''}`}
      title={`${rowName(block, row)}, ${columnName(block, column)}: ${short(value)} ${block.unit}`}>
      <span class="visually-hidden">{short(value)}</span>
    </td>
  );
}

function Bar({ weight, upright }: { weight: number | null | undefined; upright?: boolean }) {
  if (weight === null || weight === undefined) return <span class="muted">–</span>;
  const steps = Math.round(Math.min(Math.max(weight, 0), 1) * 20);
  return (
    <svg class="factor" width={upright ? 12 : 44} height={upright ? 24 : 8} role="img" aria-label={`factor ${weight.toFixed(2)}`}>
      <title>{`factor ${weight.toFixed(2)}`}</title>
      {upright ? <rect x="2" y={24 - steps * 1.2} width="8" height={steps * 1.2} /> : <rect x="0" y="0" width={steps * 2.2} height="8" />}
    </svg>
  );
}
