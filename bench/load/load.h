/* `hanse load`: the load generator. Its options are those of `hanse load --help`; README.md says how it
 * works. */
#ifndef HN_BENCH_LOAD_LOAD_H
#define HN_BENCH_LOAD_LOAD_H

/* argv[0] is "load". Returns the exit status: 0 all well, 1 something failed or the final state is wrong, 2
 * wrong usage. */
int hn_cli_load(int argc, char **argv);

#endif
