// Every allocation fails once in turn: of each place in the program the first and the last one, with --every all of
// them, with --libraries those of shared libraries (release builds):
//   HANSE_BINARY=... HANSE_FAILING=... HANSE_FAILING_LIBRARIES=... node nth_allocation_rounds.js
//     [--scenario NAME] [--every] [--libraries] [--sample N] [--seed N]
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';

import { workFolder } from './support/node.js';
import { NthAllocation, scenarios } from './support/nth_allocation.js';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string', default: '1' },
    every: { type: 'boolean', default: false }, libraries: { type: 'boolean', default: false },
  },
});

for (const name of values.scenario ? [values.scenario] : Object.keys(scenarios))
  test(name, async (t) => {
    const nth = await new NthAllocation(t, workFolder(t), { seed: Number(values.seed), ofLibraries: values.libraries }).begin();
    const counts = await nth.all(name, {
      sample: values.sample ? Number(values.sample) : undefined,
      isEvery: values.every,
      report: (line) => console.log(line),
    });
    t.diagnostic(JSON.stringify({ ...counts, failures: counts.failures.length }));
    assert.deepEqual(counts.failures, []);
  });
