/* How a simulated node ends, and what starts from a disk that is not what it should be. */
#include "engine/base/check.h"
#include "pipeline/stage/snapshot_writer.h"
#include "tests/sim/node_sim_internal.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512, NAMES_MAX = 64 };

static bool one_in(simulation *sim, uint32_t n)
{
    return hn_prng_below(&sim->prng, n) == 0;
}

/* --- the history's directory
 * -------------------------------------------------------------------------------- */

void hn_node_sim_empty_directory(const char *directory)
{
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[PATH_BYTES];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (unlink(path) != 0) {
            hn_node_sim_empty_directory(path);
            rmdir(path);
        }
    }
    closedir(listing);
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[16384];
    if (in != NULL && out != NULL)
        for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) != 0;)
            HN_CHECK(fwrite(bytes, 1, size, out) == size);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        HN_CHECK(fclose(out) == 0);
}

/* The history as it is, for a node that is only tried. */
static void copy_history(const simulation *sim, char to[PATH_BYTES])
{
    static const char *const names[] = {"data.mdb", "marker"};
    char from_path[PATH_BYTES + 32], to_path[PATH_BYTES + 32];
    snprintf(to, PATH_BYTES, "%.400s/tried", sim->directory);
    mkdir(to, 0755);
    snprintf(to_path, sizeof to_path, "%s/history", to);
    mkdir(to_path, 0755);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(from_path, sizeof from_path, "%.400s/history/%s", sim->directory, names[i]);
        snprintf(to_path, sizeof to_path, "%s/history/%s", to, names[i]);
        copy_file(from_path, to_path);
    }
}

/* --- deaths
 * ------------------------------------------------------------------------------------------------- */

/* The device did not do one of the last writes; whether that is told is seen when the node starts from it. */
static void keep_lie(simulation *sim, uint64_t complete)
{
    hn_node_sim_forget_lie(sim);
    hn_sim_disk *clone = hn_sim_disk_clone(sim->disk);
    uint64_t token = 0;
    bool is_misdirected = one_in(sim, 2);
    if (!hn_sim_disk_lose_write(clone, &token, hn_prng_below(&sim->prng, 4), is_misdirected) ||
        token >> 63 != 0) {
        hn_sim_disk_destroy(clone);
        return;
    }
    hn_sim_disk_restart(clone);
    sim->lie = (lie){
        .disk = clone, .lost = token, .complete = complete, .is_history_lost = sim->world.is_history_lost};
}

void hn_node_sim_forget_lie(simulation *sim)
{
    if (sim->lie.disk != NULL)
        hn_sim_disk_destroy(sim->lie.disk);
    sim->lie.disk = NULL;
}

void hn_node_sim_die(simulation *sim)
{
    bool is_power = one_in(sim, 2);
    uint64_t complete = 0;
    if (sim->node != NULL && sim->node->log != NULL)
        complete = hn_log_durable_index(sim->node->log);
    if (is_power) {
        hn_sim_disk_crash(sim->disk);
        sim->result->crashes++;
    } else {
        hn_sim_disk_kill(sim->disk);
        sim->result->kills++;
    }
    if (sim->node != NULL && sim->node->snapshots != NULL)
        sim->result->snapshots += hn_node_snapshot_status(sim->node).written;
    sim->world.is_dead = true;
    hn_sim_traffic_connect(sim->traffic, NULL);
    hn_node_destroy(sim->node);
    sim->node = NULL;
    sim->world.is_dead = false;
    sim->world.commits_fail_one_in = 0;
    /* Where it cannot be made again it is synced; and then its disk may fail. */
    sim->world.is_history_lost = sim->recycles ? hn_prng_below(&sim->recycling, 8) == 0 : is_power;
    if (sim->recycles && sim->world.is_history_lost)
        hn_sim_traffic_let_forget(sim->traffic);
    if (complete != 0 && sim->result->is_good && one_in(sim, 3))
        keep_lie(sim, complete);
    hn_sim_disk_restart(sim->disk);
}

/* --- trying
 * ------------------------------------------------------------------------------------------------- */

/* Starts a node from this disk. It may say that something is wrong. If it does not, its frames must be those
 * that were appended (this is seen while they are read), at least `least` of them, and its state what
 * follows. */
static bool try_disk(simulation *sim, hn_sim_disk *disk, bool is_history_lost, uint64_t least,
                     const char *what)
{
    char directory[PATH_BYTES];
    copy_history(sim, directory);
    hn_sim_disk *sound = sim->world.disk;
    const hn_core *core = sim->world.core;
    bool was_history_lost = sim->world.is_history_lost;
    sim->world.disk = disk;
    sim->world.is_history_lost = is_history_lost;
    hn_node_options options = sim->node->options;
    options.data_directory = directory;
    hn_node *node = NULL;
    hn_node_problem problem = {.text = ""};
    hn_err err = hn_node_create(&node, &problem, &options);
    if (err != HN_OK && problem.text[0] == '\0')
        hn_node_sim_fail(sim, "%s: %s without a text", what, hn_err_name(err));
    bool is_told = err != HN_OK || node->has_lost_end;
    if (err == HN_OK) {
        uint64_t last = hn_log_last_index(node->log);
        if (last < least && !is_told)
            hn_node_sim_fail(
                sim, "%s: the log ends with frame %" PRIu64 " and nothing is said, %" PRIu64 " were durable",
                what, last, least);
        else
            hn_sim_oracle_compare(sim->oracle, node, last);
        sim->world.is_dead = true;
        hn_node_destroy(node);
        sim->world.is_dead = false;
    }
    if (!sim->result->is_good && strstr(sim->result->problem, what) == NULL) {
        size_t used = strlen(sim->result->problem);
        snprintf(sim->result->problem + used, sizeof sim->result->problem - used, " (%s)", what);
    }
    sim->world.disk = sound;
    sim->world.core = core;
    sim->world.is_history_lost = was_history_lost;
    hn_node_sim_empty_directory(directory);
    return is_told;
}

/* Changes bytes of one file: a bit, a byte, a few, or a sector. Returns how many. */
static uint64_t damage(simulation *sim, hn_sim_disk *disk, char what[160])
{
    const char *names[NAMES_MAX];
    size_t count = hn_sim_disk_list(disk, names, NAMES_MAX);
    const char *name = names[hn_prng_below(&sim->prng, count)];
    uint64_t size;
    uint8_t *bytes = hn_sim_disk_file(disk, name, &size);
    if (size == 0) {
        snprintf(what, 160, "nothing was changed in %.100s", name);
        return 0;
    }
    uint64_t at = hn_prng_below(&sim->prng, size);
    if (one_in(sim, 4) && size > 8192)
        at %= 8192; /* heads matter most */
    uint64_t run = 1;
    switch (hn_prng_below(&sim->prng, 4)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << hn_prng_below(&sim->prng, 8));
        break;
    case 1:
        run = 1 + hn_prng_below(&sim->prng, 24);
        run = run < size - at ? run : size - at;
        hn_prng_fill(&sim->prng, bytes + at, run);
        break;
    case 2:
        at &= ~UINT64_C(511);
        run = size - at < 512 ? size - at : 512;
        hn_prng_fill(&sim->prng, bytes + at, run);
        break;
    default:
        bytes[at] = (uint8_t)~bytes[at];
        break;
    }
    snprintf(what, 160, "%" PRIu64 " bytes changed in %.100s at %" PRIu64, run, name, at);
    return run;
}

void hn_node_sim_try_damage(simulation *sim)
{
    uint64_t last = hn_log_last_index(sim->node->log);
    /* Frames that the start cut, as nobody had been told of them, are still in the copy: nothing to compare.
     */
    if (sim->lie.disk != NULL && last + 1 < sim->lie.lost)
        hn_node_sim_forget_lie(sim);
    if (sim->lie.disk != NULL) {
        char what[160];
        snprintf(what, sizeof what, "the device lost frame %" PRIu64 " of %" PRIu64, sim->lie.lost, last);
        uint64_t proved = hn_sim_oracle_proved(sim->oracle, sim->lie.complete, sim->lie.lost);
        sim->result->lies++;
        sim->result->lies_told += try_disk(sim, sim->lie.disk, sim->lie.is_history_lost, proved, what);
        hn_node_sim_forget_lie(sim);
    }
    if (!sim->result->is_good || !one_in(sim, 3))
        return;
    char what[160];
    hn_sim_disk *clone = hn_sim_disk_clone(sim->disk);
    hn_sim_disk_kill(clone);
    hn_sim_disk_restart(clone);
    /* A newest frame whose whole first sector is gone cannot be told from rubbish behind the log's end, which
     * is cut: only what later frames prove must be missed. */
    uint64_t least =
        damage(sim, clone, what) < 512 ? last : hn_sim_oracle_proved(sim->oracle, last, UINT64_MAX);
    sim->result->damages++;
    sim->result->damages_told += try_disk(sim, clone, one_in(sim, 2), least, what);
    hn_sim_disk_destroy(clone);
}
