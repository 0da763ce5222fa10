// Genesis files: every fork from the first block on, the development accounts funded.
import { accounts, ether } from './wallets.js';

export function genesis({ chainId, config = {}, alloc, ...fields }) {
  const funded = Object.fromEntries(accounts.map((wallet) => [wallet.address, { balance: (10000n * ether).toString() }]));
  return JSON.stringify(
    {
      config: {
        chainId, homesteadBlock: 0, eip150Block: 0, eip155Block: 0, eip158Block: 0, byzantiumBlock: 0,
        constantinopleBlock: 0, petersburgBlock: 0, istanbulBlock: 0, berlinBlock: 0, londonBlock: 0,
        mergeNetsplitBlock: 0, terminalTotalDifficulty: 0, shanghaiTime: 0, cancunTime: 0, pragueTime: 0,
        osakaTime: 0, ...config,
      },
      difficulty: '0x0',
      gasLimit: '0x1c9c380',
      timestamp: '0x0',
      alloc: alloc ?? funded,
      ...fields,
    },
    null,
    2,
  );
}
