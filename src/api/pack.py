#!/usr/bin/env python3
"""Pack files into the program: pack.py NAME OUT.c OUT.S OUT.bin (DIR | FILE.yaml)

Writes one blob with every file of a folder, plain and (where it pays) gzipped, and the table that
pack_int.h describes. A folder that is not there gives an empty table. A YAML file is packed as
JSON. Output is written only when it changes, so that nothing is built again for nothing.
"""
import gzip
import hashlib
import json
import os
import re
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
    '.json': 'application/json', '.map': 'application/json', '.svg': 'image/svg+xml',
    '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp', '.ico': 'image/x-icon',
    '.woff2': 'font/woff2', '.txt': 'text/plain; charset=utf-8',
    '.webmanifest': 'application/manifest+json', '.wasm': 'application/wasm',
}
HASHED = re.compile(r'[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+(\.map)?$')


def files_of(source):
    if source.endswith('.yaml'):
        import yaml
        with open(source, encoding='utf-8') as f:
            document = yaml.safe_load(f)
        text = json.dumps(document, ensure_ascii=False, separators=(',', ':'))
        name = os.path.basename(source)[:-len('.yaml')]
        return {'/' + name + '.json': text.encode()}
    found = {}
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as f:
                found['/' + os.path.relpath(path, source).replace(os.sep, '/')] = f.read()
    return found


def write(path, data):
    try:
        with open(path, 'rb') as f:
            if f.read() == data:
                return
    except FileNotFoundError:
        pass
    with open(path, 'wb') as f:
        f.write(data)


def main():
    name, out_c, out_s, out_bin, source = sys.argv[1:]
    files = files_of(source)
    blob = bytearray()
    rows = []
    for path, data in sorted(files.items(), key=lambda item: item[0].encode()):
        kind = TYPES.get(os.path.splitext(path)[1])
        if kind is None:
            sys.exit(f'pack.py: {path}: no content type is known for this ending')
        at = len(blob)
        blob += data
        small = gzip.compress(data, 9, mtime=0)
        small_at = len(blob)
        small = small if len(small) < len(data) * 0.9 else b''
        blob += small
        etag = hashlib.blake2b(data, digest_size=16).hexdigest()
        hashed = 'true' if HASHED.search(os.path.basename(path)) else 'false'
        rows.append(f'    {{{json.dumps(path)}, "{kind}", "\\"{etag}\\"", {hashed}, '
                    f'{at}, {len(data)}, {small_at}, {len(small)}}},\n')
    digest = hashlib.blake2b(bytes(blob), digest_size=16).hexdigest()
    table = f'static const struct pack_row rows[] = {{\n{"".join(rows)}    {{0}},\n}};\n'
    write(out_c, f'''/* Made by pack.py. */
#include "api/pack_int.h"

extern const uint8_t pack_{name}_blob[];

{table}
const struct pack *pack_{name}(void)
{{
    static const struct pack pack = {{pack_{name}_blob, rows, {len(rows)}}};
    return &pack;
}}
'''.encode())
    write(out_bin, bytes(blob) or b'\0')
    write(out_s, f'''/* Made by pack.py; content {digest} */
    .section .rodata
    .global pack_{name}_blob
    .balign 16
pack_{name}_blob:
    .incbin "{os.path.abspath(out_bin)}"
    .section .note.GNU-stack,"",%progbits
'''.encode())


main()
