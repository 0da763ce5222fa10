// Every allocation and every call of the file system fails once in turn: here a sample of both, chosen by HANSE_SEED.
// `nth_call_rounds.js` and `nth_allocation_rounds.js` try all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { whyNoFaultyDisk } from './support/faulty_disk.js';
import { workFolder } from './support/node.js';
import * as allocation from './support/nth_allocation.js';
import * as call from './support/nth_call.js';

const seed = Number(process.env.HANSE_SEED ?? Date.now() % 1000000);
const isSanitized = Number(process.env.HANSE_PATIENCE ?? 1) > 1;

async function sample(t, self, scenarios, sizes) {
  const all = { tried: 0, ended: 0, wentOn: 0 };
  for (const [i, name] of Object.keys(scenarios).entries()) {
    const counts = await self.all(name, { sample: sizes[i] });
    assert.deepEqual(counts.failures, [], `HANSE_SEED=${seed}`);
    for (const key of Object.keys(all)) all[key] += counts[key];
  }
  t.diagnostic(JSON.stringify(all));
  assert.ok(all.tried > 0, 'nothing was made to fail');
}

test(`a call of the file system fails (HANSE_SEED=${seed})`, { skip: whyNoFaultyDisk() ?? false }, async (t) => {
  const nth = await new call.NthCall(t, workFolder(t), { seed }).begin();
  // A name that may not survive a crash is an error: the folder's entry in its parent is synced by the second call.
  const { call: second, end } = await nth.try('init', 2, 'EIO');
  assert.match(second, /^sync directory /);
  assert.equal(end, 1);
  await sample(t, nth, call.scenarios, [1, 2, 1, 1, 1, 1, 1, 1]);
});

test(`an allocation of the program fails (HANSE_SEED=${seed})`, async (t) => {
  const nth = await new allocation.NthAllocation(t, workFolder(t), { seed }).begin();
  // The first of all, for the configuration, has been without a word.
  assert.match((await nth.try('a first start', 1)).word, /^hanse: out of memory/);
  await sample(t, nth, allocation.scenarios, [2, 2, 1, 1, 1, 1, 1]);
});

test(`an allocation of a library fails (HANSE_SEED=${seed})`, { skip: isSanitized && 'sanitizers replace the allocator themselves' }, async (t) => {
  const nth = await new allocation.NthAllocation(t, workFolder(t), { seed, ofLibraries: true }).begin();
  await sample(t, nth, { 'a first start': {} }, [2]);
});
