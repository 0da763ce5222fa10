#!/usr/bin/env python3
"""`hanse evm` t8n, t9n, b11r, run and statetest on go-ethereum's vectors of its evm tool: exit status, and output field by
field or line by line.

    tests/conformance/evm_tool.py FOLDER COMMAND [ARGUMENT...]

COMMAND with its arguments is what `t8n` and the others are given to ("hanse evm"). Prints a line per difference and, at the end,
"N passed, N failed, N skipped"; a case is skipped when a file of it is not in the folder. Exit status 1 on a failure, 77
when the folder is not there.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple


class Case(NamedTuple):
    folder: str
    fork: str
    outputs: tuple = ('alloc', 'result')
    expected: str = 'exp.json'  # empty: the exit status alone
    status: int = 0
    txs: str = 'txs.json'
    env: str = 'env.json'
    reward: str = ''


CASES = (
    Case('1', 'Frontier+1346', status=3, expected=''),
    Case('1', 'Byzantium'),
    Case('3', 'Berlin'),
    Case('4', 'Berlin', status=4, expected=''),
    Case('5', 'Byzantium', reward='0x80'),
    Case('13', 'London', outputs=('body',)),
    Case('13', 'London', outputs=('result',), txs='signed_txs.rlp', expected='exp2.json'),
    Case('14', 'London', outputs=('result',)),
    Case('14', 'London', outputs=('result',), env='env.uncles.json', expected='exp2.json'),
    Case('14', 'Berlin', outputs=('result',), env='env.uncles.json', expected='exp_berlin.json'),
    Case('19', 'London', outputs=('result',), expected='exp_london.json'),
    Case('19', 'ArrowGlacier', outputs=('result',), expected='exp_arrowglacier.json'),
    Case('19', 'GrayGlacier', outputs=('result',), expected='exp_grayglacier.json'),
    Case('23', 'Berlin', outputs=('result',)),
    Case('24', 'Paris'),
    Case('24', 'Paris', outputs=(), env='env-missingrandom.json', status=3, expected=''),
    Case('25', 'Paris'),
    Case('26', 'Shanghai'),
    Case('28', 'Cancun', txs='txs.rlp'),
    Case('29', 'Cancun'),
    Case('30', 'Cancun', txs='txs_more.rlp'),
    Case('33', 'Prague'),
    Case('34', 'Osaka'),
)

# folder, fork, further options: every trace file in the folder is compared line by line
TRACES = (
    ('31', 'Cancun', ()),
    ('32', 'Paris', ('--trace.callframes',)),
)


# What cannot apply, and why.
NOT_APPLICABLE = (
    ('31 Cancun traces by a script', 'tracers written in JavaScript are not supported'),
)

# folder, transactions, fork, expected output (empty: none), exit status
T9N = (
    ('15', 'signed_txs.rlp', 'Homestead', 'exp.json', 0),
    ('15', 'signed_txs.rlp', 'London', 'exp2.json', 0),
    ('15', 'blockheader.rlp', 'London', 'exp3.json', 0),
    ('16', 'signed_txs.rlp', 'London', 'exp.json', 0),
    ('17', 'signed_txs.rlp', 'London', 'exp.json', 0),
    ('18', 'invalid.rlp', 'London', '', 11),
)

# folder, options and the files that they name, expected output
B11R = (
    ('20', (('header', 'header.json'), ('txs', 'txs.rlp'), ('ommers', 'ommers.json')), (), 'exp.json'),
    ('21', (('header', 'header.json'), ('txs', 'txs.rlp'), ('ommers', 'ommers.json')), (), 'exp.json'),
    ('21', (('header', 'header.json'), ('txs', 'txs.rlp'), ('ommers', 'ommers.json')), ('clique.json',), 'exp-clique.json'),
    ('22', (('header', 'header.json'), ('txs', 'txs.rlp'), ('ommers', 'ommers.json')), (), 'exp.json'),
    ('27', (('header', 'header.json'), ('txs', 'txs.rlp'), ('ommers', 'ommers.json'), ('withdrawals', 'withdrawals.json')), (),
     'exp.json'),
)

# number of the vector, arguments; "*": the outputs are patterns. @: the folder. What goes to standard output and to standard
# error is NUMBER.out.1.txt and .2.txt in evmrun, but for lines of geth's log.
RUNS = (
    ('1', ('run', '--trace', '--trace.format=json', '6040')),
    ('1', ('run', '--json', '6040')),
    ('2', ('run', '--trace', '--trace.format=struct', '0x6040')),
    ('3', ('run', '--trace', '--trace.format=struct', '--dump', '0x6040')),
    ('4', ('run', '--trace', '--dump', '0x6040')),
    ('5', ('run', '--trace', '--trace.format=md', '0x6040')),
    ('6', ('statetest', '--geth', '@/statetest.json')),
    ('7', ('statetest', '--trace', '--trace.format=md', '@/statetest.json')),
    ('8', ('statetest', '--trace', '--trace.format=json', '@/statetest.json')),
    ('9*', ('run', '--bench', '6040')),
    ('10*', ('statetest', '--bench', '@/statetest.json')),
)


def account(balance: str, code: str = '0x') -> dict:
    return {'balance': balance, 'code': code}


def sender_and_contract(code: str) -> dict:
    return {'0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b': account('0xde0b6b3a7640000'),
            '0x095e7baea6a6c7c4c2dfeb977efac326af552d87': account('0xde0b6b3a7640000', code)}


ENVIRONMENT_WITHOUT_BLOCK_4 = {
    'currentCoinbase': '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba', 'currentDifficulty': '0x20000',
    'currentGasLimit': '0x3b9aca00', 'currentNumber': '5', 'currentTimestamp': '1000',
    'blockHashes': {'1': '0xdac58aa524e50956d0c0bae7f3f8bb9d35381365d07804dd5b48a5a297c06af4'}}

# Files that a set may lack, worked out backwards from what the case expects and says of itself. What is in the set goes
# before. Keys: folder, expected output.
STAND_INS = {
    ('3', 'exp.json'): {'alloc.json': sender_and_contract('0x600140')},
    ('4', ''): {'alloc.json': sender_and_contract('0x600440'), 'env.json': ENVIRONMENT_WITHOUT_BLOCK_4},
    ('5', 'exp.json'): {'env.json': {
        'currentCoinbase': '0x' + 'aa' * 20, 'currentDifficulty': '0x20000', 'currentGasLimit': '0x750a163df65e8a',
        'currentNumber': '10', 'currentTimestamp': '1000',
        'ommers': [{'delta': 1, 'address': '0x' + 'bb' * 20}, {'delta': 2, 'address': '0x' + 'cc' * 20}]}},
    ('19', 'exp_london.json'): {'txs.json': []},
    ('19', 'exp_arrowglacier.json'): {'txs.json': []},
    ('19', 'exp_grayglacier.json'): {'txs.json': []},
    ('24', ''): {'alloc.json': {}},
    ('29', 'exp.json'): {'alloc.json': {
        '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b': account('0x16345785d8a0000'),
        '0x000f3df6d732807ef1319fb7b8bb8522d0beac02': account('0x1', '0x3373fffffffffffffffffffffffffffffffffffffffe1460'
            '4457602036146024575f5ffd5b620180005f350680545f35146037575f5ffd5b6201800001545f5260205ff35b620180004206428155'
            '5f359062018000015500')}},
}

# Accounts to begin with where "alloc.json" may lack: those that the case ends with, but for these. None: not there yet.
BEFORE = {
    ('28', 'exp.json'): {
        '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba': None,
        '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b': account('0x16345785d8a0000'),
        '0xb94f5374fce5edbc8e2a8697c15331677e6ebf0b': account('0x16345785d8a0000', '0x60004960015500')},
    ('33', 'exp.json'): {
        '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba': None,
        '0x703c4b2bd70c169f5717101caee543299fc946c7': None,
        '0x71562b71999873db5b286df957af199ec94617f7': account('0x6124fee993bc0000')},
}


class Missing(Exception):
    """A file of the case is not there."""


def need(path: str) -> str:
    if not os.path.exists(path):
        raise Missing(f'{path} is not there')
    return path


def need_input(root: str, case: Case, file: str, scratch: str) -> str:
    """The path of an input file, or of what stands in for it."""
    path = f'{root}/{case.folder}/{file}'
    key = (case.folder, case.expected)
    stand_in = STAND_INS.get(key, {}).get(file)
    if file == 'alloc.json' and key in BEFORE:
        with open(need(f'{root}/{case.folder}/{case.expected}'), encoding='utf-8') as opened:
            accounts = json.load(opened)['alloc'] | BEFORE[key]
        stand_in = {address: value for address, value in accounts.items() if value is not None}
    if os.path.exists(path) or stand_in is None:
        return need(path)
    path = f'{scratch}/{case.folder}-{file}'
    with open(path, 'w', encoding='utf-8') as opened:
        json.dump(stand_in, opened)
    return path


def differences(path: str, want: object, got: object) -> list[str]:
    """Where two JSON values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        found = []
        for key in sorted(want.keys() | got.keys()):
            if key not in want or key not in got:
                found.append(f'{path}.{key}: {"missing" if key in want else "not expected"}')
            else:
                found += differences(f'{path}.{key}', want[key], got[key])
        return found
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [line for i, pair in enumerate(zip(want, got)) for line in differences(f'{path}[{i}]', *pair)]
    return [] if want == got else [f'{path}: expected {want}, got {got}']


def run(command: list[str], text: str = '') -> subprocess.CompletedProcess:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def check_output(case: Case, done: subprocess.CompletedProcess, folder: str) -> list[str]:
    if done.returncode != case.status:
        return [f'expected exit status {case.status}, got {done.returncode}: {done.stderr.strip()}']
    if not case.expected:
        return []
    with open(need(f'{folder}/{case.expected}'), encoding='utf-8') as file:
        want = json.load(file)
    return differences('', want, json.loads(done.stdout))


def output_options(case: Case) -> list[str]:
    return [text for name in ('alloc', 'result', 'body')
            for text in (f'--output.{name}', 'stdout' if name in case.outputs else '')]


def settings(case: Case) -> list[str]:
    return ['--state.fork', case.fork] + (['--state.reward', case.reward] if case.reward else [])


def by_files(command: list[str], root: str, scratch: str, case: Case) -> list[str]:
    folder = f'{root}/{case.folder}'
    if case.expected:
        need(f'{folder}/{case.expected}')
    inputs = [text for name, file in (('alloc', 'alloc.json'), ('txs', case.txs), ('env', case.env))
              for text in (f'--input.{name}', need_input(root, case, file, scratch))]
    return check_output(case, run(command + ['t8n'] + output_options(case) + inputs + settings(case)), folder)


def by_standard_input(command: list[str], root: str, scratch: str, case: Case) -> list[str]:
    """The same as one object on standard input."""
    folder = f'{root}/{case.folder}'
    if case.expected:
        need(f'{folder}/{case.expected}')
    members = {}
    txs = 'txsRlp' if case.txs.endswith('.rlp') else 'txs'
    for name, file in (('alloc', 'alloc.json'), (txs, case.txs), ('env', case.env)):
        with open(need_input(root, case, file, scratch), encoding='utf-8') as opened:
            members[name] = json.load(opened)
    inputs = [text for name in ('alloc', 'txs', 'env') for text in (f'--input.{name}', 'stdin')]
    done = run(command + ['t8n'] + output_options(case) + inputs + settings(case), json.dumps(members))
    return check_output(case, done, folder)


def trace(command: list[str], root: str, folder: str, fork: str, options: tuple) -> list[str]:
    source = f'{root}/{folder}'
    files = sorted(name for name in os.listdir(source) if name.startswith('trace-') and name.endswith('.jsonl'))
    if not files:
        raise Missing(f'{source} has no traces')
    inputs = [f'--input.{name}={need(f"{source}/{name}.json")}' for name in ('alloc', 'txs', 'env')]
    with tempfile.TemporaryDirectory() as output:
        done = run(command + ['t8n', *inputs, '--state.fork', fork, '--trace', *options, '--output.basedir', output])
        if done.returncode != 0:
            return [f'exit status {done.returncode}: {done.stderr.strip()}']
        found = []
        for name in files:
            with open(f'{source}/{name}', encoding='utf-8') as file:
                want = file.read().splitlines()
            try:
                with open(f'{output}/{name}', encoding='utf-8') as file:
                    got = file.read().splitlines()
            except FileNotFoundError:
                found.append(f'{name}: not written')
                continue
            found += [f'{name}:{i + 1}: expected {x}, got {y}' for i, (x, y) in enumerate(zip(want, got)) if x != y]
            if len(want) != len(got):
                found.append(f'{name}: expected {len(want)} lines, got {len(got)}')
        return found


def check_t9n(command: list[str], root: str, folder: str, txs: str, fork: str, expected: str, status: int) -> list[str]:
    source = f'{root}/{folder}'
    done = run(command + ['t9n', '--input.txs', need(f'{source}/{txs}'), '--state.fork', fork])
    return check_output(Case(folder, fork, expected=expected, status=status), done, source)


def check_b11r(command: list[str], root: str, scratch: str, folder: str, parts: tuple, clique: tuple,
               expected: str) -> list[str]:
    source = f'{root}/{folder}'
    need(f'{source}/{expected}')
    by_files = []
    for name, file in parts:
        if not can_do_without(source, expected, name, file):
            by_files += [f'--input.{name}', b11r_file(source, expected, file, scratch)]
    if clique:
        by_files += ['--seal.clique', b11r_file(source, expected, clique[0], scratch)]
    case = Case(folder, '', expected=expected)
    return check_output(case, run(command + ['b11r', *by_files, '--output.block', 'stdout']), source)


def rlp_item(data: bytes, at: int = 0) -> tuple:
    """A decoded RLP item (bytes, or a list) and the place behind it."""
    first = data[at]
    if first < 0x80:
        return data[at:at + 1], at + 1
    base, wide = (0x80, 0xb7) if first < 0xc0 else (0xc0, 0xf7)
    width = max(first - wide, 0)
    begin = at + 1 + width
    end = begin + (int.from_bytes(data[at + 1:begin], 'big') if width else first - base)
    if first < 0xc0:
        return data[begin:end], end
    items = []
    while begin < end:
        item, begin = rlp_item(data, begin)
        items.append(item)
    return items, end


HEADER_KEYS = ('parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty',
               'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce', 'baseFeePerGas', 'withdrawalsRoot',
               'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash')
NUMBER_KEYS = ('difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas')
# The key that most of the vectors sign with.
COMMON_KEY = '0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8'


def b11r_file(source: str, expected: str, file: str, scratch: str) -> str:
    """A block's header, or what it is sealed with; worked out from the expected block when it is not there."""
    if os.path.exists(f'{source}/{file}') or file not in ('header.json', 'clique.json'):
        return need(f'{source}/{file}')
    with open(f'{source}/{expected}', encoding='utf-8') as opened:
        header = rlp_item(bytes.fromhex(json.load(opened)['rlp'][2:]))[0][0]
    fields = {key: '0x' + (value.hex().lstrip('0') or '0' if key in NUMBER_KEYS else value.hex())
              for key, value in zip(HEADER_KEYS, header)}
    if file == 'clique.json':
        fields = {'secretKey': COMMON_KEY, 'voted': fields['miner'], 'authorize': fields['nonce'] == '0x' + '00' * 8,
                  'vanity': fields['extraData'][:66]}
    path = f'{scratch}/{os.path.basename(source)}-{file}'
    with open(path, 'w', encoding='utf-8') as opened:
        json.dump(fields, opened)
    return path


def can_do_without(source: str, expected: str, name: str, file: str) -> bool:
    """The file with the uncles may lack where the block that must come out has none."""
    with open(f'{source}/{expected}', encoding='utf-8') as opened:
        uncles = rlp_item(bytes.fromhex(json.load(opened)['rlp'][2:]))[0][2]
    return name == 'ommers' and not os.path.exists(f'{source}/{file}') and not uncles


def lines_without_log(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(('INFO ', 'WARN '))]


def check_run(command: list[str], root: str, number: str, arguments: tuple) -> list[str]:
    is_pattern = number.endswith('*')
    number = number.rstrip('*')
    texts = [text.replace('@', root) for text in arguments]
    wanted = [f'{root}/evmrun/{number}.out.{stream}.txt' for stream in (1, 2)]
    if not any(os.path.exists(path) for path in wanted):
        raise Missing(f'{wanted[0]} and its like are not there')
    if texts[0] == 'statetest':
        need(texts[-1])
    done = run(command + texts)
    found = [] if done.returncode == 0 else [f'exit status {done.returncode}']
    for path, got in zip(wanted, (done.stdout, done.stderr)):
        if not os.path.exists(path):
            continue
        with open(path, encoding='utf-8') as file:
            want = file.read()
        if is_pattern:
            found += [] if re.search(want, got) else [f'{path}: {got!r} does not match']
        elif lines_without_log(want) != lines_without_log(got):
            pairs = zip(lines_without_log(want) + [None], lines_without_log(got) + [None])
            found.append(next(f'{path}: expected {x}, got {y}' for x, y in pairs if x != y))
    return found


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, command = sys.argv[1], sys.argv[2:]
    if not os.path.isdir(root):
        print(f'SKIP {root} is not there')
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        return run_all(root, command, scratch)


def run_all(root: str, command: list[str], scratch: str) -> int:
    jobs = []
    for case in CASES:
        for way in (by_files, by_standard_input):
            name = f'{case.folder} {case.fork} {case.txs} {case.env} {case.expected} ({way.__name__})'
            jobs.append((name, way, (command, root, scratch, case)))
    jobs += [(f'{folder} {fork} traces', trace, (command, root, folder, fork, options))
             for folder, fork, options in TRACES]
    jobs += [(f't9n {case[0]} {case[1]} {case[2]}', check_t9n, (command, root, *case)) for case in T9N]
    jobs += [(f'b11r {case[0]} {case[3]}', check_b11r, (command, root, scratch, *case)) for case in B11R]
    jobs += [(f'evmrun {number} {" ".join(arguments)}', check_run, (command, root, number, arguments))
             for number, arguments in RUNS]
    passed = failed = 0
    skipped = len(NOT_APPLICABLE)
    for name, reason in NOT_APPLICABLE:
        print(f'SKIP {name}: {reason}')
    for name, check, arguments in jobs:
        try:
            found = check(*arguments)
        except Missing as missing:
            print(f'SKIP {name}: {missing}')
            skipped += 1
            continue
        for line in found:
            print(f'FAIL {name}: {line}')
        passed += not found
        failed += bool(found)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
