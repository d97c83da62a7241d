import { portText, serviceName } from '../lib/ports';
import { href } from '../lib/route';

/** "3389/tcp RDP", a link to its page in the ports explorer. */
export function PortName({ proto, port, plain }: { proto: string; port: number; plain?: boolean }) {
  const service = serviceName(proto, port);
  const text = (
    <>
      <span class="port">{portText(proto, port)}</span>
      {service && <span class="service">{service}</span>}
    </>
  );
  if (plain) return <span class="port-name">{text}</span>;
  return (
    <a class="port-name" href={href(['ports', proto, String(port)])}>
      {text}
    </a>
  );
}
