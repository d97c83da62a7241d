#!/usr/bin/env python3
"""The HTTP interface from outside, against its own description: test_api.py SERVER

SERVER is the api_server program. Every answer is checked against the schema that
/api/v1/openapi.json gives for it (with python3-jsonschema; without it that part is skipped and
said so). Output is TAP.
"""
import gzip
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import tap
from tap import same, says

try:
    import jsonschema
except ImportError:
    jsonschema = None

ADMIN = ('ann', "ann's long password")
VIEWER = ('vic', "vic's long password")
PARTNER = ('pam', "pam's long password")
ALERT = '20261122-53413udp-0001'


def expect(condition, *what):
    if not condition:
        raise AssertionError(' '.join(str(w) for w in what) or 'not as expected')


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()

    def json(self):
        return json.loads(self.raw)


class Server:
    def __init__(self, program, *args):
        self.process = subprocess.Popen([program, *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        expect(self.address, 'the server did not start')
        self.url = urllib.parse.urlsplit(self.address)

    def say(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        same(self.process.stdout.readline().strip(), 'done')

    def stop(self):
        self.process.stdin.close()
        last = self.process.stdout.readline().strip()
        same(self.process.wait(30), 0, 'exit status')
        return last

    def connect(self, timeout=20):
        if self.url.scheme == 'https':
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self.url.hostname, self.url.port,
                                               timeout=timeout, context=context)
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=timeout)

    def raw(self):
        return socket.create_connection((self.url.hostname, self.url.port), timeout=40)


class Client:
    """A browser: keeps cookie and CSRF value."""

    def __init__(self, server, user=None, token=None):
        self.server = server
        self.cookie = self.csrf = None
        self.token = token
        if user:
            answer = self.login(*user)
            same(answer.status, 200, answer.raw)

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if self.cookie:
            headers.setdefault('Cookie', self.cookie)
        if self.token:
            headers.setdefault('Authorization', 'Bearer ' + self.token)
        if self.csrf and method != 'GET':
            headers.setdefault('X-CSRF-Token', self.csrf)
        if isinstance(body, dict):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        if not path.startswith('/'):
            path = '/api/v1/' + path
        connection = self.server.connect()
        try:
            connection.request(method, path, body, {k: v for k, v in headers.items()
                                                    if v is not None})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask('GET', path, **headers)

    def login(self, user, password):
        answer = self.ask('POST', 'login', {'user': user, 'password': password})
        if answer.status == 200:
            self.cookie = answer.headers['Set-Cookie'].split(';')[0]
            self.csrf = answer.json()['csrf']
        return answer


class Document:
    """openapi.json, and what it says of each operation."""

    def __init__(self, document):
        self.document = document

    def follow(self, value):
        while '$ref' in value:
            at = self.document
            for part in value['$ref'][2:].split('/'):
                at = at[part]
            value = at
        return value

    def operations(self):
        for path, item in self.document['paths'].items():
            root = '' if item.get('servers') else '/api/v1'
            for method, operation in item.items():
                if method != 'servers':
                    yield method.upper(), root, path, operation

    def path(self, root, path):
        for name, value in (('alert', ALERT), ('address', '192.0.2.7'), ('site_name', 'jp-01'),
                            ('user', 'nobody'), ('token', '9'), ('version', '1'), ('suppression', '9')):
            path = path.replace('{' + name + '}', value)
        return root + path

    def check(self, schema, value):
        if jsonschema is None:
            return
        schema = dict(schema, components=self.document['components'])
        jsonschema.Draft202012Validator(schema).validate(value)

    def answers(self, operation, status):
        content = self.follow(operation['responses'].get(str(status), {})).get('content', {})
        return content


class World:
    pass


def check_problem(answer, status):
    same(answer.status, status, answer.raw)
    same(answer.headers['Content-Type'], 'application/problem+json')
    problem = answer.json()
    same(problem['status'], status)
    world.document.check({'$ref': '#/components/schemas/Problem'}, problem)
    return problem


world = World()


@says('every GET answers as openapi.json says, in JSON and in CSV')
def every_get(w):
    count = 0
    for method, root, path, operation in w.document.operations():
        if method != 'GET' or operation['operationId'] in ('events', 'packets'):
            continue
        answer = w.admin.get(w.document.path(root, path))
        same(answer.status, 200, path)
        content = w.document.answers(operation, 200)
        kind = answer.headers['Content-Type'].split(';')[0]
        expect(kind in content, path, kind)
        if kind == 'application/json':
            w.document.check(content[kind]['schema'], answer.json())
            count += 1
        if 'text/csv' in content:
            csv = w.admin.get(w.document.path(root, path), Accept='text/csv')
            same(csv.headers['Content-Type'].split(';')[0], 'text/csv', path)
            expect(csv.raw.endswith(b'\r\n') and b',' in csv.raw.splitlines()[0], path)
    expect(count >= 20)


@says('the fleet tells how each site is, and why')
def fleet(w):
    rows = {row['site']: row for row in w.admin.get('fleet').json()['rows']}
    same({name: row['state'] for name, row in rows.items()}, {'jp-01': 'down', 'kr-01': 'degraded', 'br-01': 'new'})
    same([r['reason'] for r in rows['jp-01']['reasons']], ['silent', 'disk'])
    same(rows['kr-01']['reasons'][0]['text'], '95 % of the disk are in use')
    day = w.viewer.get('fleet/jp-01?last=24h').json()
    expect(3600 <= day['range']['down'] < 3660, day['range'])  # until the question was asked
    same([event['state'] for event in day['events']], ['down', 'degraded'])
    check_problem(w.admin.get('fleet/nowhere'), 404)
    same(check_problem(w.admin.get('fleet/jp-01?last=10m'), 400)['field'], 'last')


@says('a document is checked, changed by one at a time, and taken back')
def documents(w):
    path = 'fleet/jp-01/config'
    def change(**body):
        return w.admin.ask('POST', '/api/v1/' + path, body)
    made = w.document.follow(w.document.document['paths']['/fleet/{site_name}/config']['post'])
    schema = w.document.answers(made, 200)['application/json']['schema']
    first = w.viewer.get(path).json()
    same((first['version'], first['document']['payload']), (1, 32))
    wrong = check_problem(change(document={'payload': 999}), 400)
    same(wrong['detail'], 'payload: must be a whole number from 0 to 256')
    check_problem(change(document={'filter': 'host example.com'}), 400)
    check_problem(change(), 400)
    check_problem(change(version=77), 404)
    tried = change(document={'payload': 48}, check=True).json()
    w.document.check(schema, tried)
    same(tried['changed'], [{'member': 'payload', 'before': 32, 'after': 48}])
    same(w.viewer.get(path).json()['version'], 1)
    done = change(document={'payload': 48}, base=1, note='more to see').json()
    w.document.check(schema, done)
    same((done['version'], done['same'], done['pushed']), (2, False, False))
    same(check_problem(change(document={'payload': 49}, base=1), 409)['field'], 'base')
    back = change(version=1, note='back').json()
    same((back['version'], back['changed'][0]['after']), (3, 32))
    config = w.viewer.get(path).json()
    same([v['note'] for v in config['versions']][:2], ['back', 'more to see'])
    same(config['versions'][1]['who'], 'ann')
    check_problem(w.viewer.ask('POST', '/api/v1/' + path, {'version': 1}), 403)
    same(w.viewer.get(path + '/2').json()['document']['payload'], 48)


@says('power is switched by an admin who types the name of the site, and it is on record')
def power(w):
    path = 'fleet/jp-01/power'
    def switch(client, action, **more):
        return client.ask('POST', path, {'action': action, **more})
    same(w.viewer.get(path).json(), {'kind': 'ipmi', 'allowed': True, 'address': None, 'user': None})
    same(w.viewer.get('fleet/kr-01/power').json()['kind'], None)
    same(switch(w.admin, 'status').json(), {'on': True})
    check_problem(switch(w.viewer, 'status'), 403)
    same(check_problem(switch(w.admin, 'off'), 400)['field'], 'confirm')
    same(check_problem(switch(w.admin, 'off', confirm='kr-01'), 400)['field'], 'confirm')
    same(switch(w.admin, 'off', confirm='jp-01').json(), {'on': False})
    same(check_problem(switch(w.admin, 'cycle', confirm='jp-01'), 502)['detail'], '192.0.2.7: nobody answers')
    check_problem(w.admin.ask('POST', 'fleet/kr-01/power', {'action': 'on', 'confirm': 'kr-01'}), 404)
    rows = w.viewer.get('fleet/jp-01/actions').json()['rows']
    same([(row['what'], row['who'], row['result']) for row in rows],
         [('power-cycle', 'ann', '192.0.2.7: nobody answers'), ('power-off', 'ann', '')])
    log = [row for row in w.admin.get('audit').json()['rows'] if row['subject'] == 'jp-01' and row['who'] == 'ann']
    expect(len(log) >= 2, log)


@says('where power is switched is set by an admin in person, and its password is told to nobody')
def power_door(w):
    path, secret = 'fleet/jp-01/power', 'not for "anybody" else'
    same(w.admin.get(path).json()['address'], '192.0.2.7')
    door = {'kind': 'redfish', 'address': 'https://192.0.2.9', 'user': 'root', 'password': secret, 'confirm': 'jp-01'}
    def put(client, where=path, **changed):
        return client.ask('PUT', where, {k: v for k, v in {**door, **changed}.items() if v is not None})
    check_problem(put(w.nobody), 401)
    check_problem(put(w.viewer), 403)
    csrf, w.admin.csrf = w.admin.csrf, None
    check_problem(put(w.admin), 403)
    w.admin.csrf = csrf
    token = w.admin.ask('POST', 'tokens', {'label': 'door', 'role': 'admin'}).json()
    check_problem(w.nobody.ask('PUT', path, door, Authorization='Bearer ' + token['token']), 403)
    check_problem(w.nobody.ask('DELETE', path, Authorization='Bearer ' + token['token']), 403)
    w.admin.ask('DELETE', 'tokens/' + token['id'])
    for field, wrong in (('confirm', 'kr-01'), ('confirm', None), ('kind', 'wire'), ('address', 'http://192.0.2.9'),
                         ('user', 'a b'), ('password', ''), ('password', 'x' * 128), ('password', 'two\nlines')):
        same(check_problem(put(w.admin, **{field: wrong}), 400)['field'], field, wrong)
    check_problem(put(w.admin, 'fleet/zz-99/power', confirm='zz-99'), 404)
    same(w.admin.get(path).json()['address'], '192.0.2.7')
    answer = put(w.admin)
    same(answer.json(), {'kind': 'redfish', 'allowed': True, 'address': 'https://192.0.2.9', 'user': 'root'})
    expect(secret not in answer.raw.decode() + w.admin.get(path).raw.decode())
    same(w.viewer.get(path).json()['address'], None)
    same(put(w.admin, kind='ipmi', address='192.0.2.10').json()['kind'], 'ipmi')
    check_problem(w.viewer.ask('DELETE', path), 403)
    same(w.admin.ask('DELETE', path).status, 204)
    check_problem(w.admin.ask('DELETE', path), 404)
    same(w.admin.get(path).json()['kind'], None)
    log = w.admin.get('audit')
    same([row['detail'] for row in log.json()['rows'] if row['what'] == 'site.power' and row['subject'] == 'jp-01'][:3],
         ['forgotten', 'ipmi at 192.0.2.10 as root', 'redfish at https://192.0.2.9 as root'])
    expect('anybody' not in log.raw.decode())


@says('the least revealing policy that serves is proposed, with what each answer makes impossible')
def questionnaire(w):
    asked = w.viewer.get('anonymisation').json()
    same([(a['name'], a['kind'], a['usual']) for a in asked['analyses']],
         [('surge', 'engine', True), ('sources', 'view', False)])
    same([n['needs'] for n in asked['analyses'][0]['needs']], ['the value itself', 'equality'])
    made = w.document.document['paths']['/anonymisation']['post']
    schema = w.document.answers(made, 200)['application/json']['schema']
    def propose(most, serve='surge'):
        answer = w.viewer.ask('POST', 'anonymisation', {'most': most, 'serve': serve})
        same(answer.status, 200, answer.raw)
        w.document.check(schema, answer.json())
        return answer.json()
    done = propose({'destination': 'keep', 'payload': 'keep'})
    policy = done['policy']
    same((policy['source'], policy['destination'], policy['destination_port'], policy['payload']),
         ('hash', 'drop', 'keep', 'drop'))
    same(done['conflicts'], [])
    port = next(f for f in done['fields'] if f['field'] == 'destination_port')
    same([(a['method'], [n['who'] for n in a['losses']]) for a in port['answers']],
         [('keep', []), ('class', ['surge']), ('drop', ['surge'])])
    done = propose({'destination_port': 'drop', 'source': 'drop'})
    same([(c['field'], c['vital'], c['allow']) for c in done['conflicts']],
         [('destination_port', True, 'keep'), ('source', False, 'hash')])
    same(propose({'source': 'keep'}, '')['policy']['source'], 'drop')
    def wrong(body):
        return check_problem(w.viewer.ask('POST', 'anonymisation', body), 400)
    same(wrong({'most': {'source': 'no'}, 'serve': ''})['field'], 'most')
    same(wrong({'most': {}, 'serve': 'surge,nobody'})['field'], 'serve')


@says('every parameter that is wrong is named, in every route')
def every_parameter(w):
    count = 0
    for method, root, path, operation in w.document.operations():
        target = w.document.path(root, path)
        if method != 'GET':
            continue
        for parameter in map(w.document.follow, operation.get('parameters', [])):
            name = parameter['name']
            if parameter['in'] == 'path':
                wrong = w.document.path(root, path.replace('{' + name + '}', '%01'))
                if name == 'alert':
                    wrong = root + '/alerts/' + 'a' * 64
            else:
                wrong = target + '?' + name + '=%01'
            problem = check_problem(w.admin.get(wrong), 400)
            same(problem['field'], name, path)
            expect(problem['allowed'], path, name)
            count += 1
        problem = check_problem(w.admin.get(target + '?no_such=1'), 400)
        same(problem['field'], 'no_such')
    expect(count > 100, count)


@says('a filter by what there is not is refused with what there is, in every route, and no list is empty for it')
def unknown_filters(w):
    for name, value, told in (('site', 'nowhere', 'there are jp-01, kr-01'), ('country', 'uk', 'ISO 3166'),
                              ('kind', 'nonsense', 'port-surge'), ('engine', 'sources', 'there are surge, lead'),
                              ('tool', 'nonsense', 'masscan'), ('alert', 'nonsense', 'no alert nonsense')):
        count = 0
        for method, root, path, operation in w.document.operations():
            names = [p['name'] for p in map(w.document.follow, operation.get('parameters', [])) if p['in'] == 'query']
            if method == 'GET' and name in names:
                problem = check_problem(w.admin.get(f'{w.document.path(root, path)}?{name}={value}'), 400)
                same(problem['field'], name, path)
                expect(told in problem['detail'], path, problem)
                count += 1
        expect(count, name)
    for known in ('totals?site=de-01', 'alerts?site=kr-01&engine=lead&kind=spread', 'ports?tool=mirai&country=xk'):
        same(w.admin.get(known).status, 200, known)
    for route in ('totals', 'alerts', 'packets', 'victims', 'series'):
        problem = check_problem(w.admin.get(route + '?from=2026-11-22&to=2026-11-21'), 400)
        same(problem['field'], 'from', route)


@says('nobody gets in without signing in, and a viewer cannot do what an admin may')
def roles(w):
    for method, root, path, operation in w.document.operations():
        target = w.document.path(root, path)
        role = operation['x-role']
        if role == 'public' or path == '/metrics':
            continue
        check_problem(w.nobody.ask(method, target), 401)
        check_problem(Client(w.server, token='kz_' + 'a' * 43).ask(method, target), 401)
        if role == 'admin':
            check_problem(w.viewer.ask(method, target), 403)


@says('what changes something needs the CSRF value and our own origin')
def csrf(w):
    change = ('PATCH', 'alerts/' + ALERT, {'state': 'seen'})
    same(w.admin.ask(*change).status, 200)
    check_problem(w.admin.ask(*change, X_CSRF_Token=None), 403)
    check_problem(w.admin.ask(*change, X_CSRF_Token='a' * 43), 403)
    check_problem(w.admin.ask(*change, X_CSRF_Token=w.viewer.csrf), 403)
    check_problem(w.admin.ask(*change, Origin='http://evil.example'), 403)
    check_problem(w.admin.ask(*change, Origin='null'), 403)
    check_problem(w.admin.ask(*change, Sec_Fetch_Site='cross-site'), 403)
    same(w.admin.ask(*change, Origin=w.server.address).status, 200)
    same(w.admin.ask(*change, Sec_Fetch_Site='same-origin').status, 200)
    form = {'user': ADMIN[0], 'password': ADMIN[1]}
    check_problem(w.nobody.ask('POST', 'login', form, Origin='http://evil.example'), 403)


@says('on loopback only names of this machine are served, for the portal too')
def rebinding(w):
    for path in ('/', '/healthz', '/api/v1/me', '/metrics'):
        for host in ('evil.example', 'evil.example:80', '127.0.0.1.evil.example', '192.0.2.1', ''):
            check_problem(w.nobody.get(path, Host=host), 421)
        for host in ('localhost', 'localhost:9999', '127.0.0.1', '[::1]:80', 'LOCALHOST'):
            expect(w.nobody.get(path, Host=host).status in (200, 401), path, host)


@says('an answer that has not changed is not sent again')
def etag(w):
    first = w.viewer.get('ports')
    tag = first.headers['ETag']
    expect(tag.startswith('"'))
    again = w.viewer.get('ports', If_None_Match=tag)
    same((again.status, again.raw), (304, b''))
    same(again.headers['ETag'], tag)
    other = w.viewer.get('ports?limit=1', If_None_Match=tag)
    same(other.status, 200)
    expect('Cookie' in first.headers['Vary'] and first.headers['Cache-Control'] ==
           'private, no-cache')


@says('large answers are compressed for those who can read it')
def compressed(w):
    plain = w.viewer.get('series?by=class')
    small = w.viewer.get('series?by=class', Accept_Encoding='gzip, br')
    same(small.headers['Content-Encoding'], 'gzip')
    same(gzip.decompress(small.raw), plain.raw)
    expect(len(small.raw) < len(plain.raw) / 2 and small.headers['ETag'] != plain.headers['ETag'])
    same(w.viewer.get('series?by=class', Accept_Encoding='gzip',
                      If_None_Match=small.headers['ETag']).status, 304)
    same(w.viewer.get('me', Accept_Encoding='gzip').headers['Content-Encoding'], None)


@says('HEAD gives the headers of GET and no body')
def head(w):
    answer = w.viewer.ask('HEAD', 'ports')
    same((answer.status, answer.raw), (200, b''))
    same(answer.headers['Content-Length'], str(len(w.viewer.get('ports').raw)))


@says('every answer carries the headers that browsers are to keep to')
def security_headers(w):
    for path in ('/', '/api/v1/me', '/api/v1/openapi.json', '/api/v1/nothing', '/nothing.js'):
        headers = w.viewer.get(path).headers
        same(headers['X-Content-Type-Options'], 'nosniff', path)
        same(headers['Referrer-Policy'], 'no-referrer', path)
        policy = headers['Content-Security-Policy']
        expect("frame-ancestors 'none'" in policy and "default-src 'none'" in policy, path)
        expect('unsafe' not in policy, path)
    same(w.viewer.get('me').headers['Cache-Control'], 'no-store')


@says('pages follow one another to the end, in JSON and in the Link header')
def pages(w):
    rows, path = [], 'ports?limit=1'
    for _ in range(10):
        answer = w.viewer.get(path)
        rows += answer.json()['rows']
        cursor = answer.json()['next']
        link = answer.headers['Link']
        if cursor is None:
            same(link, None)
            break
        expect(link.endswith('>; rel="next"') and 'limit=1' in link, link)
        path = link[1:].split('>')[0]
    same(rows, w.viewer.get('ports').json()['rows'])
    second = w.viewer.get('ports?limit=1&from=-3h').json()['next']
    page = w.viewer.get('ports?limit=1&from=-3h&cursor=' + second).json()
    same((page['from'], page['to']), ('2026-11-22T21:00:00Z', '2026-11-23T00:00:00Z'))
    for wrong in ('x', '1~2', '2~1~1', '1~2~x~', '1~~1', 'g~h~1', '-1~5~1', '1' * 17 + '~1~1'):
        same(check_problem(w.viewer.get('ports?cursor=' + wrong), 400)['field'], 'cursor')
    ids = []
    path = 'alerts?limit=2'
    while path:
        answer = w.viewer.get(path)
        ids += [row['id'] for row in answer.json()['rows']]
        path = (answer.headers['Link'] or '')[1:].split('>')[0]
    same(len(ids), 3)
    same(len(set(ids)), 3)


@says('a series has one value a step, zero where nothing came, and adds up')
def series(w):
    answer = w.viewer.get('series?from=2026-11-22T00:00:00Z&to=2026-11-22T06:00:00Z&step=10m'
                          '&by=class').json()
    same((answer['step_s'], answer['by'], answer['measure']), (600, 'class', 'packets'))
    same([line['key'] for line in answer['series']], ['scan', 'backscatter', 'other'])
    for line in answer['series']:
        same(len(line['values']), 36)
        expect(2 < line['values'].count(0) < 5, line['values'])
        same(sum(line['values']), line['total'])
    day = w.viewer.get('series?from=-24h').json()
    same(day['step_s'], 600)
    same(len(day['series'][0]['values']), 144)
    same(w.viewer.get('series?from=-2h').json()['step_s'], 60)
    same(w.viewer.get('series?from=2026-01-01&to=2027-01-01').json()['step_s'], 86400)
    problem = check_problem(w.viewer.get('series?step=1m&from=2020-01-01'), 400)
    same(problem['field'], 'step')
    check_problem(w.viewer.get('series?step=90s'), 400)
    check_problem(w.viewer.get('series?from=2026-11-22&to=2026-11-21'), 400)


@says('losses are a series by cause, and a site has its own')
def losses(w):
    answer = w.viewer.get('losses?from=2026-11-22T00:00:00Z&to=2026-11-22T06:00:00Z&step=10m'
                          '&site=jp-01').json()
    same((answer['step_s'], answer['by'], answer['measure']), (600, 'cause', 'packets'))
    same(len(answer['series'][0]['values']), 36)
    same(w.viewer.get('sites/jp-01').json()['losses']['by'], 'cause')
    check_problem(w.viewer.get('losses?step=90s'), 400)
    check_problem(w.viewer.get('losses?by=cause'), 400)


@says('networks have names beside their numbers, in lists and in charts')
def names(w):
    for path in ('asns', 'sources', 'tagged', 'victims'):
        same(w.viewer.get(path).json()['rows'][0]['as_name'], 'EXAMPLE-AS')
    lines = w.viewer.get('series?by=asn&from=-2h').json()['series']
    same([(line['key'], line['as_name']) for line in lines],
         [('64500', 'EXAMPLE-AS'), ('64501', ''), ('other', '')])
    expect('as_name' not in w.viewer.get('series?by=class&from=-2h').json()['series'][0])


@says('several classes are asked for or left out at once')
def classes(w):
    for given in ('scan,worm', '-survey,-backscatter'):
        same(w.viewer.get('ports?class=' + given).status, 200)
    for given in ('scan,-worm', 'scan,scan', 'scan,', '-'):
        same(check_problem(w.viewer.get('ports?class=' + given), 400)['field'], 'class')


@says('the audit log tells an admin, page by page, who did what')
def audit(w):
    w.nobody.login('ann', 'wrong "password"')
    same(w.admin.ask('PATCH', 'alerts/' + ALERT, {'state': 'seen', 'note': 'x, y'}).status, 200)
    whole = w.admin.get('audit?limit=10000').json()
    same(whole['next'], None)
    newest = [(row['who'], row['what'], row['subject']) for row in whole['rows'][:2]]
    expect(('ann', 'login.refused', 'ann') in newest, newest)
    expect(newest[0][2] == ALERT, newest)
    rows, path = [], 'audit?limit=3'
    while path:
        answer = w.admin.get(path)
        page = answer.json()
        expect(0 < len(page['rows']) <= 3)
        rows += page['rows']
        path = (answer.headers['Link'] or '')[1:].split('>')[0]
    same(rows, whole['rows'])
    csv = w.admin.get('audit?format=csv&limit=2').raw.decode().splitlines()
    same((csv[0], len(csv)), ('time,who,what,subject,detail', 3))
    for cursor in ('0', '-1', '12x', 'x'):
        same(check_problem(w.admin.get('audit?cursor=' + cursor), 400)['field'], 'cursor')


@says('alerts are narrowed, opened and judged, and all readers hear of it')
def alerts(w):
    same([row['id'] for row in w.viewer.get('alerts?status=open&severity=notice').json()['rows']],
         [ALERT])
    same(len(w.viewer.get('alerts?status=closed').json()['rows']), 1)
    same(len(w.viewer.get('alerts?q=TENFOLD').json()['rows']), 3)
    same(len(w.viewer.get('alerts?q=nothing').json()['rows']), 0)
    for narrow in ('kind', 'engine'):
        rows = w.viewer.get('alerts').json()['rows']
        one = rows[0][narrow] if narrow == 'kind' else rows[0][narrow][0]
        same(w.viewer.get('alerts?%s=%s' % (narrow, one)).json()['rows'],
             [row for row in rows if one in row[narrow]])
        same(check_problem(w.viewer.get('alerts?%s=A' % narrow), 400)['field'], narrow)
    whole = w.viewer.get('alerts/' + ALERT).json()
    expect(whole['evidence']['surge']['series'] and whole['hosts'] == ['192.0.2.7'])
    with Events(w.viewer) as events:
        note = 'seen in the "list", x'
        answer = w.admin.ask('PATCH', 'alerts/' + ALERT, {'state': 'right', 'note': note})
        workflow = answer.json()['workflow']
        same((workflow['state'], workflow['note'], workflow['by']), ('right', note, 'ann'))
        heard = events.wait('alert')
        same((heard['id'], heard['workflow']), (ALERT, workflow))
        w.document.check({'$ref': '#/components/schemas/AlertSummary'}, heard)
    csv = w.viewer.get('alerts?format=csv').raw.decode()
    expect('"seen in the ""list"", x"' in csv, csv)
    check_problem(w.admin.ask('PATCH', 'alerts/none', {'state': 'seen'}), 404)
    check_problem(w.admin.ask('PATCH', 'alerts/' + ALERT, {'state': 'old'}), 400)
    check_problem(w.admin.ask('PATCH', 'alerts/' + ALERT, {}), 400)
    check_problem(w.viewer.get('alerts/none'), 404)
    check_problem(w.viewer.get('alerts?cursor=x'), 400)


class Events:
    def __init__(self, client, timeout=10):
        self.connection = client.server.connect(timeout)
        self.connection.request('GET', '/api/v1/events', headers={'Cookie': client.cookie})
        self.response = self.connection.getresponse()
        same(self.response.status, 200)
        same(self.response.headers['Content-Type'], 'text/event-stream; charset=utf-8')

    def __enter__(self):
        same(self.next()[0], 'hello')
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        fields = {}
        while True:
            line = self.response.readline()
            expect(line, 'the stream has ended')
            if line == b'\n':
                return fields['event'], json.loads(fields['data'])
            name, value = line.decode().rstrip('\n').split(': ', 1)
            fields[name] = value

    def wait(self, name):
        while True:
            event, data = self.next()
            if event == name:
                return data


@says('ticks come every two seconds and fit their schema')
def ticks(w):
    with Events(w.viewer) as events:
        tick = events.wait('tick')
        start = time.monotonic()
        w.document.check({'$ref': '#/components/schemas/Tick'}, tick)
        same((tick['pps'], len(tick['sites'])), (12.5, 2))
        events.wait('tick')
        expect(0.5 < time.monotonic() - start < 30)


@says('a reader of events that does not read is cut off, and the others go on')
def slow_reader(w):
    slow = w.server.raw()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: ' +
                 w.viewer.cookie.encode() + b'\r\n\r\n')
    time.sleep(0.3)
    before = w.viewer.get('status').json()['clients']
    heard = [0]
    with Events(w.viewer) as events:
        def listen():
            while heard[0] < 1000:
                if events.next()[0] == 'alert':
                    heard[0] += 1
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        for _ in range(50):
            w.server.say('flood 20')
            time.sleep(0.02)
        thread.join(20)
    same(heard[0], 1000)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        after = w.viewer.get('status').json()['clients']
        if after['events_cut_off'] == before['events_cut_off'] + 1 and \
           after['events'] < before['events'] + 1:
            break
        time.sleep(0.2)
    same(after['events_cut_off'], before['events_cut_off'] + 1)
    slow.close()


@says('packets come as a stream of lines, as CSV, and no more than are wanted')
def packets(w):
    answer = w.viewer.get('packets')
    same(answer.headers['Content-Type'], 'application/x-ndjson')
    rows = [json.loads(line) for line in answer.raw.splitlines()]
    same([row['ts'] for row in rows], list(range(len(rows))))
    expect(len(rows) >= 1000)
    same(len(w.viewer.get('packets?limit=7').raw.splitlines()), 7)
    same(len(w.viewer.get('packets?limit=7&format=csv').raw.splitlines()), 8)
    same(w.viewer.get('packets?limit=1', Accept='text/csv').headers['Content-Type'].split(';')[0],
         'text/csv')


@says('exports beyond the limit are told to wait, and a reader that leaves frees its place')
def exports(w):
    held = []
    for _ in range(4):
        s = w.big.raw()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b'GET /api/v1/packets HTTP/1.1\r\nHost: localhost\r\nCookie: ' +
                  w.big_client.cookie.encode() + b'\r\n\r\n')
        expect(s.recv(12) == b'HTTP/1.1 200')
        held.append(s)
    problem = w.big_client.get('packets')
    check_problem(problem, 503)
    expect(int(problem.headers['Retry-After']) > 0)
    for s in held:
        s.close()
    deadline = time.monotonic() + 20
    status = 0
    while status != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
        status = w.big_client.get('packets?limit=1').status
    same(status, 200)


@says('a store that fails gives 5xx and no details, and healthz says so')
def failing(w):
    server = Server(w.program)
    client = Client(server, VIEWER)
    server.say('fail')
    for path in ('ports', 'series', 'overview', 'sites', 'packets', 'status'):
        expect(client.get(path).status >= 500, path)
        expect(b'says no' not in client.get(path).raw, path)
    health = client.get('/healthz')
    same((health.status, health.json()['status']), (503, 'failing'))
    same(health.json()['reasons'][0]['part'], 'store')
    server.say('mend')
    same(client.get('ports').status, 200)
    same(client.get('/healthz').status, 200)
    same(server.stop(), 'stopped')


@says('guessing passwords is slowed down, for the account and for the address')
def guessing(w):
    server = Server(w.program)
    client = Client(server)
    wrong = client.login('ann', 'wrong password')
    unknown = client.login('nobody', 'wrong password')
    same(check_problem(wrong, 401)['detail'], check_problem(unknown, 401)['detail'])
    for _ in range(12):
        client.login('ann', 'wrong password')
    refused = client.login(*ADMIN)
    check_problem(refused, 429)
    expect(0 < int(refused.headers['Retry-After']) < 100)
    server.stop()


@says('signing out ends the session, and a changed password ends the others')
def sessions(w):
    one, two = Client(w.server, VIEWER), Client(w.server, VIEWER)
    cookie = one.ask('POST', 'login', {'user': VIEWER[0], 'password': VIEWER[1]})
    flags = cookie.headers['Set-Cookie']
    expect('HttpOnly' in flags and 'SameSite=Strict' in flags and 'Path=/' in flags, flags)
    same(one.get('me').status, 200)
    same(one.ask('POST', 'logout').status, 204)
    same(one.get('me').status, 401)
    same(two.get('me').status, 200)
    same(w.admin.ask('POST', 'users', {'user': 'pat', 'password': 'a first password'}).status, 201)
    pat, other = Client(w.server, ('pat', 'a first password')), \
        Client(w.server, ('pat', 'a first password'))
    same(check_problem(pat.ask('POST', 'me/password', {'old': 'no', 'new': 'x' * 12}), 403)
         ['field'], 'old')
    check_problem(pat.ask('POST', 'me/password', {'old': 'a first password', 'new': 'short'}), 400)
    answer = pat.ask('POST', 'me/password', {'old': 'a first password', 'new': 'a second one..'})
    same(answer.status, 204)
    pat.cookie = answer.headers['Set-Cookie'].split(';')[0]
    same(pat.get('me').status, 200)
    same(other.get('me').status, 401)
    same(other.login('pat', 'a first password').status, 401)
    same(other.login('pat', 'a second one..').status, 200)


@says('tokens work until they are withdrawn, and are worth no more than their maker')
def tokens(w):
    same(w.admin.ask('POST', 'users', {'user': 'kim', 'password': 'a long password',
                                       'role': 'admin'}).status, 201)
    kim = Client(w.server, ('kim', 'a long password'))
    made = kim.ask('POST', 'tokens', {'label': 'export', 'role': 'admin'})
    same(made.status, 201)
    w.document.check({'$ref': '#/components/schemas/TokenMade'}, made.json())
    program = Client(w.server, token=made.json()['token'])
    same(program.get('users').status, 200)
    same(program.ask('PATCH', 'alerts/' + ALERT, {'state': 'known'}).json()['workflow']['by'],
         'token:export')
    check_problem(program.ask('POST', 'tokens', {'label': 'more'}), 403)
    check_problem(program.ask('POST', 'logout'), 403)
    rows = kim.get('tokens').json()['rows']
    same([(row['label'], row['user'], row['role']) for row in rows],
         [('export', 'kim', 'admin')])
    expect(rows[0]['last_used'])
    check_problem(w.viewer.ask('DELETE', 'tokens/' + rows[0]['id']), 404)
    check_problem(w.viewer.ask('POST', 'tokens', {'label': 'x', 'role': 'admin'}), 403)
    same(w.admin.ask('PATCH', 'users/kim', {'role': 'viewer'}).status, 200)
    check_problem(program.get('users'), 401)
    same(kim.get('me').status, 401)
    mine = w.viewer.ask('POST', 'tokens', {'label': 'mine', 'expires_in': '1h'}).json()
    same(Client(w.server, token=mine['token']).get('ports').status, 200)
    same(w.viewer.ask('DELETE', 'tokens/' + mine['id']).status, 204)
    same(Client(w.server, token=mine['token']).get('ports').status, 401)
    check_problem(w.admin.ask('PATCH', 'users/ann', {'disabled': True}), 409)
    check_problem(w.admin.ask('POST', 'users', {'user': 'ann', 'password': 'x' * 12}), 409)
    # And no longer than he is there.
    kim.login('kim', 'a long password')
    made = kim.ask('POST', 'tokens', {'label': 'last', 'role': 'viewer'}).json()
    program = Client(w.server, token=made['token'])
    same(program.get('ports').status, 200)
    check_problem(w.viewer.ask('DELETE', 'users/kim'), 403)
    same(w.admin.ask('DELETE', 'users/kim').status, 204)
    check_problem(program.get('ports'), 401)
    same(kim.get('me').status, 401)
    check_problem(w.admin.ask('DELETE', 'users/kim'), 404)
    refused = check_problem(w.admin.ask('DELETE', 'users/ann'), 409)
    expect('another admin' in refused['detail'], refused)


@says('a partner gets what is published and its own session, by password or token, and nothing else')
def partners(w):
    same(w.admin.ask('POST', 'users', {'user': PARTNER[0], 'password': PARTNER[1], 'role': 'partner'}).status, 201)
    partner = Client(w.server, PARTNER)
    same(partner.get('me').json()['role'], 'partner')
    made = w.admin.ask('POST', 'tokens', {'label': 'feed', 'role': 'partner'}).json()
    token = Client(w.server, token=made['token'])
    for method, root, path, operation in w.document.operations():
        target = w.document.path(root, path)
        if operation['x-role'] in ('public', 'partner'):
            continue
        check_problem(partner.ask(method, target), 403)
        check_problem(token.ask(method, target), 403)
    deadline = time.monotonic() + 30
    while not token.get('published').json()['steps']:
        expect(time.monotonic() < deadline, 'nothing was published')
        time.sleep(0.2)
    rows = token.get('published/ports?limit=10').json()['rows']
    same(sorted(rows[0]), ['port', 'proto', 'published', 'sources', 'step_s', 'time'])
    same({row['port'] for row in rows} - {23, 3389}, set())  # 53413 has 20 sources
    csv = partner.get('published/ports?limit=10', Accept='text/csv').raw.decode().splitlines()
    same((csv[0], len(csv)), ('time,step_s,proto,port,sources,published', 1 + len(rows)))
    same(w.nobody.get('published/ports').status, 401)
    same(w.viewer.ask('POST', 'tokens', {'label': 'x', 'role': 'admin'}).status, 403)
    same(w.admin.ask('PATCH', 'users/pam', {'disabled': True}).status, 200)
    check_problem(partner.get('published'), 401)


@says('what is known is suppressed until a date, counted, listed and revoked')
def suppressions(w):
    path = 'alerts/' + ALERT
    shown = len(w.viewer.get('alerts?suppressed=exclude').json()['rows'])
    whole = w.viewer.get(path).json()
    for wrong in ({'state': 'known', 'until': '2030-01-01'},
                  {'state': 'right', 'note': 'x', 'until': '2030-01-01'},
                  {'state': 'known', 'note': 'x', 'until': '1999-01-01'},
                  {'state': 'known', 'note': 'x', 'until': 'soon'},
                  {'state': 'known', 'note': 'x', 'until': '2030-01-01', 'scope': 'colour'},
                  {'state': 'known', 'note': 'x', 'scope': 'port'}):
        check_problem(w.admin.ask('PATCH', path, wrong), 400)
    same(w.viewer.get('suppressions').json()['rows'], [])
    note = 'survey of a university'
    form = {'state': 'known', 'note': note, 'until': '2030-01-01', 'scope': 'port,site'}
    answer = w.admin.ask('PATCH', path, form).json()
    row, = w.viewer.get('suppressions').json()['rows']
    same(answer['workflow']['suppression'], row['id'])
    same((row['why'], row['by'], row['state'], row['until'], row['alert']),
         (note, 'ann', 'known', '2030-01-01T00:00:00Z', ALERT))
    same(row['scope'], {'proto': whole['proto'], 'ports': whole['ports'], 'sites': whole['sites']})
    listed = w.viewer.get('alerts?suppressed=exclude').json()
    same(len(listed['rows']) + listed['left_out'], shown)
    same(listed['left_out'], row['alerts'])
    expect(ALERT in [a['id'] for a in w.viewer.get('alerts?suppressed=only').json()['rows']])
    expect(ALERT in [a['id'] for a in w.viewer.get('alerts').json()['rows']])
    only = w.viewer.get('alerts?suppressed=only&status=open').json()['rows']
    same(w.viewer.get('overview').json()['alerts']['suppressed'], len(only))
    check_problem(w.viewer.ask('DELETE', 'suppressions/%d' % row['id']), 403)
    same(w.admin.ask('DELETE', 'suppressions/%d' % row['id']).status, 204)
    check_problem(w.admin.ask('DELETE', 'suppressions/%d' % row['id']), 404)
    row, = w.viewer.get('suppressions').json()['rows']
    expect(row['revoked'] and row['revoked_by'] == 'ann' and row['alerts'] == 0)
    back = w.viewer.get(path).json()['workflow']
    same((back['suppression'], back['state'], back['back']),
         (None, 'new', 'the suppression was revoked'))


@says('forecasts are listed with their outcome and their score')
def forecasts(w):
    answer = w.viewer.get('forecasts').json()
    same([row['site'] for row in answer['rows']], ['kr-01', 'jp-01'])
    score = answer['score']
    same(score['counts'], {'open': 1, 'came': 1, 'late': 0, 'missed': 0, 'void': 0})
    same((score['came'], score['in_interval'], score['error_median_h']), (1.0, 1.0, 2.0))
    same([row['site'] for row in w.viewer.get('forecasts?state=open').json()['rows']], ['kr-01'])
    same(w.viewer.get('forecasts?site=de-01').json()['rows'], [])
    check_problem(w.viewer.get('forecasts?state=maybe'), 400)


@says('bodies that are too large, not JSON, or not wanted are refused')
def bodies(w):
    check_problem(w.admin.ask('POST', 'login', 'x' * 70000, Content_Type='application/json'), 413)
    check_problem(w.admin.ask('POST', 'login', '{}', Content_Type='text/plain'), 415)
    check_problem(w.admin.ask('POST', 'login', '{', Content_Type='application/json'), 400)
    check_problem(w.admin.ask('POST', 'logout', '{"a": 1}', Content_Type='application/json'), 400)
    s = w.server.raw()
    s.sendall(b'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json'
              b'\r\nTransfer-Encoding: chunked\r\n\r\n' + b'8000\r\n' + b'x' * 0x8000 + b'\r\n' +
              b'8001\r\n' + b'x' * 0x8001 + b'\r\n0\r\n\r\n')
    expect(s.recv(12) == b'HTTP/1.1 413')
    s.close()
    answer = w.admin.ask('DELETE', 'alerts')
    check_problem(answer, 405)
    same(answer.headers['Allow'], 'GET')


@says('one connection carries many requests')
def keep_alive(w):
    connection = w.server.connect()
    for path in ('ports', 'series', 'me', 'nothing', 'alerts') * 4:
        connection.request('GET', '/api/v1/' + path, headers={'Cookie': w.viewer.cookie})
        response = connection.getresponse()
        response.read()
        expect(response.status in (200, 404) and response.headers['Connection'] != 'close')
    connection.close()


@says('figures for Prometheus have names, types and values, without signing in on loopback')
def metrics(w):
    text = w.nobody.get('/metrics').raw.decode()
    names = set()
    for line in text.splitlines():
        if line.startswith('#'):
            expect(line.split()[1] in ('HELP', 'TYPE'), line)
        else:
            name, value = line.rsplit(' ', 1)
            float(value)
            names.add(name.split('{')[0])
    expect({'kizashi_build_info', 'kizashi_api_requests_total', 'kizashi_store_packets',
            'kizashi_site_received_total'} <= names, names)


@says('over TLS the cookie is Secure and plain pages of the same host may not ask')
def tls(w):
    with tempfile.TemporaryDirectory() as folder:
        cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
        made = subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                               'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
                               '-days', '1', '-keyout', key, '-out', cert], capture_output=True)
        same(made.returncode, 0, made.stderr)
        server = Server(w.program, '-c', cert, '-k', key)
        expect(server.address.startswith('https://'))
        client = Client(server)
        answer = client.login(*ADMIN)
        expect('; Secure' in answer.headers['Set-Cookie'])
        same(client.get('overview').status, 200)
        plain = server.address.replace('https', 'http')
        check_problem(client.ask('PATCH', 'alerts/' + ALERT, {'state': 'seen'}, Origin=plain), 403)
        same(client.ask('PATCH', 'alerts/' + ALERT, {'state': 'seen'},
                        Origin=server.address).status, 200)
        server.stop()
        refused = subprocess.run([w.program, '-c', key, '-k', cert], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True)
        same(refused.returncode, 1)
        refused = subprocess.run([w.program, '-c', cert], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True)
        expect('both' in refused.stderr, refused.stderr)


@says('behind a proxy its word for address and scheme is taken, and from nobody else')
def proxy(w):
    server = Server(w.program, '-x', '127.0.0.1')
    client = Client(server)
    tries = (client.ask('POST', 'login', {'user': f'u{i}', 'password': 'x'},
                        X_Forwarded_For='10.0.0.9, 192.0.2.1') for i in range(200))
    same(next(answer.status for answer in tries if answer.status != 401), 429)
    answer = client.ask('POST', 'login', {'user': ADMIN[0], 'password': ADMIN[1]},
                        X_Forwarded_For='192.0.2.1, 192.0.2.2', X_Forwarded_Proto='https')
    same(answer.status, 200)
    expect('; Secure' in answer.headers['Set-Cookie'])
    check_problem(client.get('/metrics', X_Forwarded_For='192.0.2.2'), 401)
    server.stop()
    expect('Secure' not in w.nobody.ask('POST', 'login', {'user': ADMIN[0], 'password': ADMIN[1]},
                                        X_Forwarded_Proto='https').headers['Set-Cookie'])


@says('too many requests of one session are told when to come again, and others go on')
def rates(w):
    server = Server(w.program, '-r', '10')
    one, two = Client(server, ADMIN), Client(server, VIEWER)
    answers = [one.get('me') for _ in range(49)]
    same([answer.status for answer in answers], [200] * 49)
    # On a slow machine some of the rate comes back meanwhile.
    answer = next(a for a in (one.get('me') for _ in range(1000)) if a.status != 200)
    check_problem(answer, 429)
    same(answer.headers['Retry-After'], '1')
    same(two.get('me').status, 200)
    server.stop()


@says('addresses that cannot be listened on are named')
def listening(w):
    for listen, what in (('127.0.0.1', 'ADDR:PORT'), ('localhost:80', 'no address'),
                         ('127.0.0.1:99999', '0 to 65535'), ('127.0.0.1:', '0 to 65535'),
                         ('192.0.2.1:0', 'Cannot assign'), ('::1:80', '[ADDR]:PORT'),
                         (f'127.0.0.1:{w.server.url.port}', 'another program')):
        run = subprocess.run([w.program, '-l', listen], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True)
        same(run.returncode, 1, listen)
        expect(what in run.stderr and listen in run.stderr, listen, run.stderr)


@says('the server stops cleanly while events, exports and questions run')
def stopping(w):
    server = Server(w.program, '-p', '100000000')
    client = Client(server, VIEWER)
    events = [Events(client) for _ in range(20)]
    s = server.raw()
    s.sendall(b'GET /api/v1/packets HTTP/1.1\r\nHost: localhost\r\nCookie: ' +
              client.cookie.encode() + b'\r\n\r\n')
    expect(s.recv(12) == b'HTTP/1.1 200')
    busy = True

    def ask():
        while busy:
            try:
                client.get('overview')
            except (OSError, http.client.HTTPException):
                pass
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    start = time.monotonic()
    same(server.stop(), 'stopped')
    busy = False
    expect(time.monotonic() - start < 10)
    for one in events:
        one.response.read()
        one.connection.close()
    s.close()


@says('a peer that sends a byte now and then is shown out')
def dripping(w):
    w.dripper.join(40)
    expect(15 < w.dripped < 30, 'closed after', w.dripped, 's')


def drip(w):
    s = w.server.raw()
    start = time.monotonic()
    s.sendall(b'GET / HTTP/1.1\r\nX: ')
    s.settimeout(1)
    while time.monotonic() - start < 35:
        try:
            s.sendall(b'a')
            if s.recv(1) == b'':
                break
        except socket.timeout:
            continue
        except OSError:
            break
    w.dripped = time.monotonic() - start
    s.close()


def main():
    world.program = sys.argv[1]
    world.server = Server(world.program, '-P', '-r', '100000')
    world.big = Server(world.program, '-p', '100000000')
    world.nobody = Client(world.server)
    world.admin = Client(world.server, ADMIN)
    world.viewer = Client(world.server, VIEWER)
    world.big_client = Client(world.big, VIEWER)
    world.document = Document(world.nobody.get('openapi.json').json())
    world.dripper = threading.Thread(target=drip, args=(world,), daemon=True)
    world.dripper.start()
    if jsonschema is None:
        print('# skipped: answers against schemas; python3-jsonschema is not installed')
    try:
        tap.main(world)
    finally:
        world.server.stop()
        world.big.stop()


main()
