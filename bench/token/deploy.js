// Compiles Token.sol with solc and deploys it with ethers: node deploy.js RPC_URL. Prints the address.
const fs = require("fs");
const path = require("path");
const solc = require("solc");
const { ContractFactory, JsonRpcProvider, Wallet } = require("ethers");

// The first account of the development ledger; its key is publicly known.
const key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const supply = 10n ** 30n;

function readImport(name) {
    try {
        return { contents: fs.readFileSync(require.resolve(name, { paths: [__dirname] }), "utf8") };
    } catch (error) {
        return { error: `${name}: ${error.message}` };
    }
}

function compile() {
    const input = {
        language: "Solidity",
        sources: { "Token.sol": { content: fs.readFileSync(path.join(__dirname, "Token.sol"), "utf8") } },
        settings: {
            evmVersion: "prague",
            optimizer: { enabled: true, runs: 1000 },
            outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
        },
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
    const errors = (output.errors || []).filter((problem) => problem.severity === "error");
    if (errors.length !== 0) throw new Error(errors.map((problem) => problem.formattedMessage).join("\n"));
    return output.contracts["Token.sol"].Token;
}

async function main() {
    const provider = new JsonRpcProvider(process.argv[2], undefined, { pollingInterval: 50 });
    const token = compile();
    const factory = new ContractFactory(token.abi, token.evm.bytecode.object, new Wallet(key, provider));
    const contract = await factory.deploy(supply);
    await contract.waitForDeployment();
    const name = await contract.name();
    if (name !== "Hanse Demo Token") throw new Error(`the deployed token calls itself "${name}"`);
    console.log(await contract.getAddress());
    provider.destroy();
}

main().catch((error) => {
    console.error(`deploy.js: ${error.message}`);
    process.exit(1);
});
