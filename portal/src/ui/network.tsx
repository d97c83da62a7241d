/** "AS4134", or that none is known. */
export function asnText(asn: number): string {
  return asn > 0 ? `AS${asn}` : 'unknown';
}

/** "AS4134 CHINANET-BACKBONE": how a chart's legend and a sentence say it. */
export function networkText(asn: number, name: string | undefined): string {
  return asn > 0 && name ? `AS${asn} ${name}` : asnText(asn);
}

interface NetworkProps {
  asn: number;
  /** After the operator's databases: text from outside, of up to a hundred bytes. */
  name: string;
}

/** Number and name; a name for which there is no room ends in dots, and is whole under the mouse. */
export function Network({ asn, name }: NetworkProps) {
  if (asn <= 0) return <span class="muted">unknown</span>;
  return (
    <span class="network" title={networkText(asn, name)}>
      <b>{asnText(asn)}</b> {name && <bdi>{name}</bdi>}
    </span>
  );
}
