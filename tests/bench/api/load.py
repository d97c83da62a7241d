#!/usr/bin/env python3
"""Load on the HTTP interface: load.py SERVER [READERS]

Starts the api_server program (a made-up store behind the real interface), asks it with wrk over 100 connections, then
again with READERS readers of /events beside it, and prints requests a second, latency and memory.
"""
import asyncio
import http.client
import json
import os
import re
import subprocess
import sys

PATHS = ('/api/v1/ports', '/api/v1/overview', '/api/v1/series?by=class', '/api/v1/me', '/', '/healthz')


class Load:
    def __init__(self, program, readers):
        self.readers = readers
        self.ticks = self.ended = 0
        self.process = subprocess.Popen([program, '-r', '1000000', '-n', '8192', '-a', '8192'],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.host, self.port = self.address[len('http://'):].split(':')
        self.cookie = self.sign_in()

    def sign_in(self):
        connection = http.client.HTTPConnection(self.host, int(self.port))
        connection.request('POST', '/api/v1/login',
                           json.dumps({'user': 'ann', 'password': "ann's long password"}),
                           {'Content-Type': 'application/json'})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.headers['Set-Cookie'].split(';')[0]

    def memory(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as status:
            return int(re.search(r'VmRSS:\s+(\d+)', status.read()).group(1)) / 1024

    def wrk(self, path):
        run = subprocess.run(['wrk', '-t1', '-c100', '-d8', '--latency', '-H', 'Cookie: ' + self.cookie,
                              self.address + path], capture_output=True, text=True, check=True)
        rate = re.search(r'Requests/sec:\s+(\S+)', run.stdout).group(1)
        middle, last = (re.search(rf'^\s+{share}%\s+(\S+)', run.stdout, re.M).group(1)
                        for share in (50, 99))
        bad = ' '.join(re.findall(r'Non-2xx.*|Socket errors.*', run.stdout))
        print(f'{path:28} {float(rate):8.0f} requests/s  p50 {middle:>8}  p99 {last:>8}  {bad}', flush=True)

    async def read_events(self):
        reader, writer = await asyncio.open_connection(self.host, int(self.port))
        writer.write(f'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\n\r\n'
                     .encode())
        while True:
            data = await reader.read(65536)
            if not data:
                self.ended += 1
                return
            self.ticks += data.count(b'event: tick')

    async def run(self):
        print(f'load average {os.getloadavg()[0]:.1f}; memory {self.memory():.0f} MB at rest')
        for path in PATHS:
            await asyncio.to_thread(self.wrk, path)
        print(f'memory {self.memory():.0f} MB')
        tasks = [asyncio.create_task(self.read_events()) for _ in range(self.readers)]
        await asyncio.sleep(5)
        before = self.ticks
        await asyncio.sleep(10)
        print(f'{self.readers} readers of events: {self.ticks - before} ticks in 10 s of '
              f'{5 * self.readers}, {self.ended} ended; memory {self.memory():.0f} MB')
        for path in PATHS[:2]:
            await asyncio.to_thread(self.wrk, path)
        print(f'{self.ended} readers ended; memory {self.memory():.0f} MB')
        for task in tasks:
            task.cancel()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def main():
    load = Load(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
    asyncio.run(load.run())
    load.stop()


main()
