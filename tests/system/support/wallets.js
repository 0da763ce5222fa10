// Keys of the development ledger, and transactions signed with them, good and bad.
import { concat, decodeRlp, encodeRlp, getBytes, HDNodeWallet, keccak256, Mnemonic, toBeHex, Transaction } from 'ethers';

export const developmentChain = 31337;
const phrase = 'test test test test test test test test test test test junk';
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(phrase), "m/44'/60'/0'/0");

// The ten accounts that `hanse node --dev` funds.
export const accounts = Array.from({ length: 10 }, (_, i) => root.deriveChild(i));
// One that nobody has funded.
export const poor = root.deriveChild(1000);
export const gwei = 10n ** 9n;
export const ether = 10n ** 18n;
// Nobody's addresses.
export const stranger = (number) => '0x' + (0xabcd00000000n + BigInt(number)).toString(16).padStart(40, '0');

// Raw bytes of a signed transaction as "0x..."; plain transfers of 1 wei unless told otherwise.
export function sign(wallet, fields) {
  const transaction = Transaction.from({
    type: 2,
    chainId: developmentChain,
    to: stranger(1),
    value: 1n,
    gasLimit: 21000n,
    ...((fields.type ?? 2) >= 2
      ? { maxFeePerGas: 100n * gwei, maxPriorityFeePerGas: gwei }
      : { gasPrice: 100n * gwei }),
    ...fields,
  });
  transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
  return transaction.serialized;
}

export const hashOf = (raw) => keccak256(raw);
export const bytesOf = (raw) => Buffer.from(getBytes(raw));

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const trim = (value) => (BigInt(value) === 0n ? '0x' : toBeHex(BigInt(value)));

// A legacy transaction put together by hand, so that parts of it can be wrong.
export function signLegacyByHand(wallet, fields, { highS = false, chainId = developmentChain, r, s, v } = {}) {
  const { nonce = 0, gasPrice = 100n * gwei, gasLimit = 21000n, to = stranger(1), value = 1n, data = '0x' } = fields;
  const body = [trim(nonce), trim(gasPrice), trim(gasLimit), to, trim(value), data];
  const protectedBody = chainId === null ? body : [...body, trim(chainId), '0x', '0x'];
  const signature = wallet.signingKey.sign(keccak256(encodeRlp(protectedBody)));
  let yParity = BigInt(signature.yParity);
  let signatureS = BigInt(signature.s);
  if (highS) {
    signatureS = order - signatureS;
    yParity ^= 1n;
  }
  const signatureV = chainId === null ? 27n + yParity : 35n + 2n * BigInt(chainId) + yParity;
  return encodeRlp([...body, trim(v ?? signatureV), trim(r ?? signature.r), trim(s ?? signatureS)]);
}

// A typed transaction from its fields, whatever they are.
function signTypedByHand(wallet, type, fields) {
  const signature = wallet.signingKey.sign(keccak256(concat([type, encodeRlp(fields)])));
  return concat([type, encodeRlp([...fields, trim(signature.yParity), trim(signature.r), trim(signature.s)])]);
}

const feeFields = (nonce, tip, fee) => [trim(developmentChain), trim(nonce), trim(tip), trim(fee), trim(21000), stranger(1)];

// A transfer whose fees ethers would not sign.
export const signFees = (wallet, nonce, { tip, fee }) =>
  signTypedByHand(wallet, '0x02', [...feeFields(nonce, tip, fee), '0x01', '0x', []]);

// A blob transaction without its sidecar, as it stands in a block.
export const signBlob = (wallet, nonce) =>
  signTypedByHand(wallet, '0x03', [
    ...feeFields(nonce, gwei, 100n * gwei), '0x', '0x', [], trim(gwei), ['0x01' + '00'.repeat(31)],
  ]);

// The fields of a legacy transaction, to change one of them.
export const fieldsOf = (raw) => [...decodeRlp(raw)];
