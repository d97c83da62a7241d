// What usually listens on a port: a help for reading, not a statement about the traffic.
const TCP: Record<number, string> = {
  21: 'FTP', 22: 'SSH', 23: 'Telnet', 25: 'SMTP', 53: 'DNS', 80: 'HTTP', 81: 'HTTP, cameras', 88: 'Kerberos',
  110: 'POP3', 111: 'portmapper', 135: 'MS RPC', 139: 'NetBIOS', 143: 'IMAP', 179: 'BGP', 389: 'LDAP',
  443: 'HTTPS', 445: 'SMB', 465: 'SMTPS', 502: 'Modbus', 554: 'RTSP cameras', 587: 'submission', 631: 'IPP',
  873: 'rsync', 993: 'IMAPS', 995: 'POP3S', 1080: 'SOCKS', 1433: 'MS SQL', 1521: 'Oracle', 1701: 'L2TP',
  1723: 'PPTP', 1883: 'MQTT', 2000: 'MikroTik test', 2222: 'SSH, second', 2323: 'Telnet, second',
  2375: 'Docker', 2376: 'Docker TLS', 2379: 'etcd', 3128: 'proxy', 3306: 'MySQL', 3389: 'RDP',
  4444: 'Metasploit default', 4567: 'router management', 5000: 'UPnP, NAS', 5038: 'Asterisk', 5060: 'SIP',
  5358: 'Telnet on devices', 5432: 'PostgreSQL', 5500: 'VNC', 5555: 'Android debug', 5601: 'Kibana',
  5672: 'AMQP', 5900: 'VNC', 5984: 'CouchDB', 5985: 'WinRM', 6379: 'Redis', 6443: 'Kubernetes',
  7001: 'WebLogic', 7547: 'TR-069', 8000: 'HTTP, other', 8080: 'HTTP proxy', 8081: 'HTTP, other',
  8088: 'HTTP, YARN', 8291: 'MikroTik Winbox', 8443: 'HTTPS, other', 8545: 'Ethereum RPC', 8728: 'MikroTik API',
  8888: 'HTTP, other', 9000: 'HTTP, other', 9001: 'Tor, other', 9100: 'printer', 9200: 'Elasticsearch',
  10250: 'kubelet', 11211: 'memcached', 20012: 'unassigned', 23023: 'Telnet on devices', 27017: 'MongoDB',
  37215: 'Huawei routers', 49152: 'UPnP', 52869: 'Realtek UPnP', 53413: 'Netis routers', 60023: 'Telnet on devices',
};
const UDP: Record<number, string> = {
  17: 'QOTD', 19: 'chargen', 53: 'DNS', 67: 'DHCP', 69: 'TFTP', 111: 'portmapper', 123: 'NTP', 137: 'NetBIOS',
  161: 'SNMP', 389: 'CLDAP', 427: 'SLP', 500: 'IKE', 520: 'RIP', 623: 'IPMI', 1194: 'OpenVPN', 1434: 'MS SQL browser',
  1701: 'L2TP', 1900: 'SSDP', 3478: 'STUN', 3702: 'WS-Discovery', 5060: 'SIP', 5351: 'NAT-PMP', 5353: 'mDNS',
  5683: 'CoAP', 10001: 'Ubiquiti', 11211: 'memcached', 17185: 'VxWorks', 19000: 'Jenkins', 27015: 'game servers',
  30718: 'Lantronix', 33434: 'traceroute', 37810: 'DVR discovery', 47808: 'BACnet', 51820: 'WireGuard',
  53413: 'Netis routers',
};
const ICMP: Record<number, string> = {
  0: 'echo reply', 3: 'unreachable', 5: 'redirect', 8: 'echo request', 11: 'time exceeded', 13: 'timestamp',
};

/** "RDP"; empty if nothing is known. */
export function serviceName(proto: string, port: number): string {
  const table = proto === 'tcp' ? TCP : proto === 'udp' ? UDP : proto === 'icmp' ? ICMP : undefined;
  return table?.[port] ?? '';
}

/** "3389/tcp", "icmp type 8" */
export function portText(proto: string, port: number): string {
  return proto.startsWith('icmp') ? `${proto} type ${port}` : `${port}/${proto}`;
}

/** "3389", "3389/tcp" or "tcp/3389"; undefined if it is no port. */
export function parsePort(text: string): { proto?: string; port: number } | undefined {
  const match = /^(?:(tcp|udp|icmp|icmpv6)\/)?(\d{1,5})(?:\/(tcp|udp|icmp|icmpv6))?$/i.exec(text.trim());
  if (!match) return undefined;
  const port = Number(match[2]);
  if (port > 65_535) return undefined;
  const proto = (match[1] ?? match[3])?.toLowerCase();
  return proto ? { proto, port } : { port };
}
