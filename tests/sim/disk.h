/* A disk in memory that behaves as badly as a real one may: the io of simulations and of the log's unit
 * tests.
 *
 * What was written is visible at once, and on the medium only after its sync, or after the completion of an
 * asynchronous durable write. A crash leaves the medium, and of everything that was still on its way an
 * arbitrary choice of sectors; of the directory's changes an arbitrary beginning. Completions come in any
 * order and any time later. All choices follow from one seed.
 */
#ifndef HN_TESTS_SIM_DISK_H
#define HN_TESTS_SIM_DISK_H

#include "shard/log/io.h"

typedef struct hn_sim_disk hn_sim_disk;

typedef struct hn_sim_faults {
    uint64_t space_bytes;        /* of all files together; 0: no bound */
    uint32_t write_fails_one_in; /* asynchronous writes that end with HN_ERR_IO; 0: none */
    uint32_t busy_one_in;        /* submissions that are refused with HN_ERR_AGAIN; 0: none */
    uint32_t stays_one_in; /* of pending writes at each poll: the longer they stay, the more reordering */
    uint32_t stuck_one_in; /* asynchronous writes that never complete; 0: none */
    uint32_t call_fails_one_in; /* synchronous calls that change something and end with HN_ERR_IO; 0: none */
    uint64_t
        dies_after; /* operations from now on until all fail, as if the process had been killed; 0: never */
} hn_sim_faults;

hn_sim_disk *hn_sim_disk_create(uint64_t seed, size_t alignment);
void hn_sim_disk_destroy(hn_sim_disk *disk);

hn_io hn_sim_disk_io(hn_sim_disk *disk);
void hn_sim_disk_set_faults(hn_sim_disk *disk, const hn_sim_faults *faults);

/* Power failure. Everything fails from here on, and writes in flight are given back as failed, so that a log
 * can be closed; then the restart lets the disk work again. */
void hn_sim_disk_crash(hn_sim_disk *disk);
void hn_sim_disk_restart(hn_sim_disk *disk);

/* The process is killed, the machine goes on: what was written stays visible, and on the medium is what was
 * there; of the writes in flight an arbitrary choice is done. As after a crash, a restart follows. */
void hn_sim_disk_kill(hn_sim_disk *disk);

/* A copy, while no write is in flight: to damage and to try. */
hn_sim_disk *hn_sim_disk_clone(const hn_sim_disk *disk);

/* The device was wrong when it said that a durable write of this life was done, the newest but `back`: it did
 * nothing, or wrote somewhere else in that file. Its token tells which one it was. False: there is no such
 * write. Before the restart. */
bool hn_sim_disk_lose_write(hn_sim_disk *disk, uint64_t *token, size_t back, bool is_misdirected);

/* Names of files, valid until the next change; returns how many. */
size_t hn_sim_disk_list(const hn_sim_disk *disk, const char **names, size_t capacity);

bool hn_sim_disk_is_dead(const hn_sim_disk *disk);
/* Calls so far: the same in every run with the same seed. */
uint64_t hn_sim_disk_operations(const hn_sim_disk *disk);
uint64_t hn_sim_disk_used(const hn_sim_disk *disk);

/* A file's content, to look at and to damage; NULL when there is none. Changes count as being on the medium.
 */
uint8_t *hn_sim_disk_file(hn_sim_disk *disk, const char *name, uint64_t *size);
/* Brings the medium up to what is visible. */
void hn_sim_disk_settle(hn_sim_disk *disk);

#endif
