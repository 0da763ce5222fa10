/* Transactions of every type, made and signed with ethers 6 by the key of transaction_signer: what decoding
 * must find in them. Numbers beyond 64 bits are decimal text. */
#ifndef HN_TESTS_TRANSACTION_VECTORS_H
#define HN_TESTS_TRANSACTION_VECTORS_H

#include "engine/types/transaction.h"

/* The first account of the mnemonic "test test ... junk". */
static const char transaction_signer[] = "f39fd6e51aad88f6f4ce6ab8827279cfffb92266";

typedef struct transaction_vector {
    const char *name;
    const char *raw;
    const char *hash;
    const char *signing_hash;
    hn_transaction_type type;
    uint64_t chain_id;
    uint64_t nonce;
    uint64_t gas_limit;
    bool is_create;
    const char *max_fee;
    const char *priority_fee;
    const char *value;
    size_t data_size;
    uint32_t access_count;
    uint32_t blob_count;
    uint32_t authorization_count;
} transaction_vector;

static const transaction_vector transaction_vectors[] = {
    {"legacy without replay protection",
     "f85f80018252089470997970c51812dc3a010c7d01b50e0d17dc79c801801ca06397a8bdff366429cb4a8d8abf"
     "0be3a9e1d63b32efb6b8cb2756330b436cb3c7a047b4002d5d0527162b1a7ca77a2eae8c91854f98dad79bde66"
     "f06d8ba9dab9b6",
     "de17a97cf9522fa53bf1eff09f8c1ca529c2f590718b5ceae554b4b35d1bc197",
     "178b711447db58199d60ff07dd3140cf993022ece043f053b4b0257b5f378c89", .type = 0, .chain_id = 0u,
     .nonce = 0u, .gas_limit = 21000u, .is_create = false, .max_fee = "1", .priority_fee = "1", .value = "1",
     .data_size = 0, .access_count = 0, .blob_count = 0, .authorization_count = 0},
    {"legacy, smallest and largest numbers",
     "f885808088ffffffffffffffff9470997970c51812dc3a010c7d01b50e0d17dc79c8a0ffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffff7f25a0b512fb7cc3cbcc6b287c4da401e4ab3c27c9bbf0"
     "4e91d9daab58c78ddc095734a029bdeb8c340f9b80c27279d17c2d1af0d4534cbc54812c2a5fd87b161e9baa69",
     "5be00a92de974f427a2ca708f5ad9d71c8990fbabf55f62491b3f39fb1dee91b",
     "85e9db229cecc6d1a2b8c88983714e9834ce4695a1ab6ddfb15002cbdb62ca26", .type = 0, .chain_id = 1u,
     .nonce = 0u, .gas_limit = 18446744073709551615u, .is_create = false, .max_fee = "0", .priority_fee = "0",
     .value = "115792089237316195423570985008687907853269984665640564039457584007913129639935",
     .data_size = 1, .access_count = 0, .blob_count = 0, .authorization_count = 0},
    {"legacy create on the largest chain id",
     "f9018881808504a817c80082cf088080b9012c6060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "606060606060606060606060606060606060606060606060606060606060606060606060606060606060606060"
     "6060606089020000000000000022a0926c35fa96a84f488bc046a271426a3278bdd2565e67debc2569fb56effd"
     "c447a0531633a33abaa240d646bf3f7e888536ca2b91c8fbcb1363bfa488c9e88e0ce6",
     "62bcee7f9d44d51befc78c8c4c57461915529d669c84b9833f26c0b8eb1be314",
     "365665cf1e96ace1fa176adab23cecb736aa1967d27c5923c0f04e74bf3f077e", .type = 0,
     .chain_id = 18446744073709551615u, .nonce = 128u, .gas_limit = 53000u, .is_create = true,
     .max_fee = "20000000000", .priority_fee = "20000000000", .value = "0", .data_size = 300,
     .access_count = 0, .blob_count = 0, .authorization_count = 0},
    {"access list",
     "01f8e8827a6981ff843b9aca00830186a09470997970c51812dc3a010c7d01b50e0d17dc79c8880de0b6b3a764"
     "000084a9059cbbf872f859945fbdb2315678afecb367f032d93f642f64180aa3f842a000000000000000000000"
     "00000000000000000000000000000000000000000001a0ffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffd6940000000000000000000000000000000000000000c001a004d4d6c5ec960aa81cc0"
     "3698e56e5de6243ec2e58a9ba891ffbb7bb179c3db9fa0642532f152ebff2a1c60e14f0ddda56914182a8e88ca"
     "2eff1e55fafcbe020f68",
     "a824dbf295d1cd867ffed7d50072a8587cc3104f605c533d41de6eb19f95c41a",
     "65fb498ae09a2b2a6b5adcaa1c98d877b479d25f5257cb7d38f48a48d81f6d3b", .type = 1, .chain_id = 31337u,
     .nonce = 255u, .gas_limit = 100000u, .is_create = false, .max_fee = "1000000000",
     .priority_fee = "1000000000", .value = "1000000000000000000", .data_size = 4, .access_count = 2,
     .blob_count = 0, .authorization_count = 0},
    {"access list, empty, create",
     "01f88f827a69820100843b9aca00830186a08080b8380000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000000000000000000000c080a0ea85a620efb9c0c438"
     "465410b3ff43d95f7532696b98e42c4423c588a093ce31a02d60e3fb53baa9763b649c6c5e53b706f318117feb"
     "0eafb1821985423c15f8e6",
     "692553eea6e12514ded664a0338edfe13989cd079f9c19ac0989f6e6026cc37a",
     "849709235f74db305c9028b678a83e58ab99b5b58bcdda2d8de2ac0dbc4136ee", .type = 1, .chain_id = 31337u,
     .nonce = 256u, .gas_limit = 100000u, .is_create = true, .max_fee = "1000000000",
     .priority_fee = "1000000000", .value = "0", .data_size = 56, .access_count = 0, .blob_count = 0,
     .authorization_count = 0},
    {"dynamic fee",
     "02f875827a6901029101000000000000000000000000000000008252089470997970c51812dc3a010c7d01b50e"
     "0d17dc79c80580c080a0c35572cb5bc3f43038c150ef282630dfbbaeb76bd982bdcab746ca2668b8e0e4a07384"
     "f7160f1e6fba3896c39d27156e58f79ab937d79c0a6b049ccfcf372578fd",
     "6309ab08e1c7309887ca9a85573194a43505db3755477d18a3e8df9a8168d4d9",
     "7103c47755ad42cff2a3bc662ca46aa63a0de8e5cd397a901c8a1195af49e56f", .type = 2, .chain_id = 31337u,
     .nonce = 1u, .gas_limit = 21000u, .is_create = false,
     .max_fee = "340282366920938463463374607431768211456", .priority_fee = "2", .value = "5", .data_size = 0,
     .access_count = 0, .blob_count = 0, .authorization_count = 0},
    {"dynamic fee with access list",
     "02f8db0185010000000080078275309470997970c51812dc3a010c7d01b50e0d17dc79c8808180f872f859945f"
     "bdb2315678afecb367f032d93f642f64180aa3f842a00000000000000000000000000000000000000000000000"
     "000000000000000001a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd69400"
     "00000000000000000000000000000000000000c001a079c54925b800cebfd119e0532167b93ead480d5a3bed50"
     "2fd8ebf4f65c4d4d0ea0791db80d6eec709ee53a36579d5ee3ef0db4056cba9157202b01138f9886e698",
     "88d6498324007988c58f6bb9eb839cf5ae5d58a9089fcc5111237bbbf890b378",
     "a16a4f791eb408fc45e9245ecbac21d8928ce7ca0a8532226822c23dc2649398", .type = 2, .chain_id = 1u,
     .nonce = 4294967296u, .gas_limit = 30000u, .is_create = false, .max_fee = "7", .priority_fee = "0",
     .value = "0", .data_size = 1, .access_count = 2, .blob_count = 0, .authorization_count = 0},
    {"blob",
     "03f90105010301648252089470997970c51812dc3a010c7d01b50e0d17dc79c88080f85bf859945fbdb2315678"
     "afecb367f032d93f642f64180aa3f842a000000000000000000000000000000000000000000000000000000000"
     "00000001a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8203e8f842a001aa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa001bbbbbbbbbbbbbbbbbbbbbbbbbb"
     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb80a08798fb05a34943ae977745af96076a4309cdbaca45f6daecd5"
     "f0a63722f5c52fa06fc6f5ac283498028dc957ec2c5d644b417e99f41895c35883ac96381f52276e",
     "0605fc3a6cd3f20ac891f4abf4a69ce727ad3ca8d84e15120106e9da92730c7a",
     "72aaf1f5c7791dac5a6150897c221747b6c426d40da263144032f3dba6c4553a", .type = 3, .chain_id = 1u,
     .nonce = 3u, .gas_limit = 21000u, .is_create = false, .max_fee = "100", .priority_fee = "1",
     .value = "0", .data_size = 0, .access_count = 1, .blob_count = 2, .authorization_count = 0},
    {"set code",
     "04f9011f0104016483030d409470997970c51812dc3a010c7d01b50e0d17dc79c880820102c0f8b8f85a019470"
     "997970c51812dc3a010c7d01b50e0d17dc79c80501a054414ca17520ef4c6aca64057315e05a73245c7493b434"
     "d278013ac3ba950a60a03d78b130aacafce212c7e20076d5f8cefd05285356e326f39717ffb742fd4f6bf85a80"
     "945fbdb2315678afecb367f032d93f642f64180aa38080a0489d4374966b7f9e0262bb448aafa1bf4eecfd7a46"
     "f326474d0f0cc0357cbd7ca002bbafda92c54160f8fb79ed3fbaab936ec206050421556378868c52891159a301"
     "a06afdac14bdd786ceff6bb4678b25d5460b4f281b6e0ab148267d93d1f8dea761a06be18231b21a5498fc6cff"
     "fc6d129b8b245657340164f91970fbdba7fea97f7e",
     "6ef002a17a62fa21737940b7673d1f36525ba13b4d50df44d6f5f4c1365b91d5",
     "10d367a68859bdeeef18ae2ea7df914772f6b153a73807dc459222702efd5a0f", .type = 4, .chain_id = 1u,
     .nonce = 4u, .gas_limit = 200000u, .is_create = false, .max_fee = "100", .priority_fee = "1",
     .value = "0", .data_size = 2, .access_count = 0, .blob_count = 0, .authorization_count = 2},
};

enum { TRANSACTION_VECTOR_COUNT = sizeof transaction_vectors / sizeof *transaction_vectors };

#endif
