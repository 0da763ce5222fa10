// Compiles the contracts of the load generator into contracts.inc, which is committed.
//
//     npm install solc@0.8.28 && node bench/load/contracts/compile.js
//
// The EVM version is that of Paris, so that the code runs on every ledger since the merge; no metadata is appended, so
// that the same source gives the same bytes.
const fs = require("fs");
const path = require("path");
const solc = require(require.resolve("solc", { paths: [process.cwd()] }));

const contracts = { token: "Token", pair: "Pair" };
const sources = {};
for (const file of Object.keys(contracts))
  sources[`${file}.sol`] = { content: fs.readFileSync(path.join(__dirname, `${file}.sol`), "utf8") };
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources,
      settings: {
        optimizer: { enabled: true, runs: 10000 },
        evmVersion: "paris",
        metadata: { appendCBOR: false, bytecodeHash: "none" },
        outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.methodIdentifiers"] } },
      },
    })
  )
);
for (const problem of output.errors || []) console.error(problem.formattedMessage);

let text = `/* Made by compile.js with solc ${solc.version()}; do not edit. Creation code in hexadecimal. */\n`;
for (const [file, name] of Object.entries(contracts)) {
  const contract = output.contracts[`${file}.sol`][name];
  text += `static const char ${file}_code[] =`;
  for (const line of contract.evm.bytecode.object.match(/.{1,96}/g)) text += `\n    "${line}"`;
  text += ";\n";
  for (const [signature, selector] of Object.entries(contract.evm.methodIdentifiers))
    text += `/* ${selector} ${name}.${signature} */\n`;
}
fs.writeFileSync(path.join(__dirname, "contracts.inc"), text);
