// Every call of the file system fails once in turn, with every error that fits it:
//   HANSE_BINARY=... HANSE_FAULTY_DISK=... node nth_call_rounds.js [--scenario NAME] [--sample N] [--seed N]
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';

import { whyNoFaultyDisk } from './support/faulty_disk.js';
import { workFolder } from './support/node.js';
import { NthCall, scenarios } from './support/nth_call.js';

const { values } = parseArgs({ options: { scenario: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string', default: '1' } } });

for (const name of values.scenario ? [values.scenario] : Object.keys(scenarios))
  test(name, { skip: whyNoFaultyDisk() ?? false }, async (t) => {
    const nth = await new NthCall(t, workFolder(t), { seed: Number(values.seed) }).begin();
    const report = (line) => console.log(line);
    const counts = await nth.all(name, { sample: values.sample ? Number(values.sample) : undefined, report });
    t.diagnostic(JSON.stringify({ ...counts, failures: counts.failures.length }));
    assert.deepEqual(counts.failures, []);
  });
