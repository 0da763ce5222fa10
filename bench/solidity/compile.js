// Compiles loops.sol into loops.inc, which is committed.
//
//     npm install solc@0.8.28 && node bench/solidity/compile.js
//
// The settings are those of bench/load/contracts/compile.js.
const fs = require("fs");
const path = require("path");
const solc = require(require.resolve("solc", { paths: [process.cwd()] }));

const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { "loops.sol": { content: fs.readFileSync(path.join(__dirname, "loops.sol"), "utf8") } },
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

const { evm } = output.contracts["loops.sol"].Loops;
let text = `/* Made by compile.js with solc ${solc.version()}; do not edit. Creation code in hexadecimal. */\n`;
text += "static const char loops_code[] =";
for (const line of evm.bytecode.object.match(/.{1,96}/g)) text += `\n    "${line}"`;
text += ";\n";
for (const [signature, selector] of Object.entries(evm.methodIdentifiers)) text += `/* ${selector} Loops.${signature} */\n`;
fs.writeFileSync(path.join(__dirname, "loops.inc"), text);
