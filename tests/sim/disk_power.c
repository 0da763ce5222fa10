/* What happens to the simulated disk: power failures, processes that are killed, and faults that the device
 * does not tell of.
 */
#include "engine/base/check.h"
#include "tests/sim/disk_internal.h"

#include <stdlib.h>

void hn_sim_disk_crash(hn_sim_disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++) {
        file *crashed = &disk->files[i];
        if (!crashed->is_used)
            continue;
        if (hn_sim_one_in(disk, 2))
            hn_sim_disk_grow_medium(crashed, crashed->visible_size);
        uint64_t common =
            crashed->visible_size < crashed->medium_size ? crashed->visible_size : crashed->medium_size;
        hn_sim_disk_tear(disk, crashed, 0, hn_bytes_of(crashed->visible, common));
    }
    for (size_t i = 0; i < disk->write_count; i++) {
        pending_write *write = &disk->writes[i];
        if (!write->is_lost)
            hn_sim_disk_tear(disk, &disk->files[write->file], write->offset, write->data);
        write->is_lost = true;
    }
    for (int i = 0; i < FILES_MAX; i++) {
        file *crashed = &disk->files[i];
        if (!crashed->is_used)
            continue;
        if (crashed->medium_size != 0)
            memcpy(crashed->visible, crashed->medium, crashed->medium_size);
        crashed->visible_size = crashed->medium_size;
    }
    disk->states[0] = disk->states[hn_prng_below(&disk->prng, disk->state_count)];
    disk->state_count = 1;
    for (int i = 0; i < HANDLES_MAX; i++)
        disk->handles[i] = -1;
    hn_sim_disk_collect(disk);
    disk->is_dead = true;
}

void hn_sim_disk_kill(hn_sim_disk *disk)
{
    for (size_t i = 0; i < disk->write_count; i++) {
        pending_write *write = &disk->writes[i];
        /* What the device had been given may still be done, and is then in its cache at least. */
        if (!write->is_lost && hn_sim_one_in(disk, 2))
            memcpy(disk->files[write->file].visible + write->offset, write->data.data, write->data.size);
        write->is_lost = true;
    }
    for (int i = 0; i < HANDLES_MAX; i++)
        disk->handles[i] = -1;
    hn_sim_disk_collect(disk);
    disk->is_dead = true;
}

void hn_sim_disk_restart(hn_sim_disk *disk)
{
    HN_CHECK(disk->write_count == 0);
    for (size_t i = 0; i < disk->recent_count; i++) {
        free(disk->recent[i].before);
        free(disk->recent[i].after);
    }
    disk->recent_count = 0;
    disk->is_dead = false;
    disk->faults = (hn_sim_faults){0};
}

void hn_sim_disk_settle(hn_sim_disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (disk->files[i].is_used && disk->files[i].visible_size != 0) {
            hn_sim_disk_grow_medium(&disk->files[i], disk->files[i].visible_size);
            memcpy(disk->files[i].medium, disk->files[i].visible, disk->files[i].visible_size);
        }
}

/* --- faults that nobody is told of
 * -------------------------------------------------------------------------- */

static void *copy_of(const void *from, size_t size)
{
    void *copy = malloc(size != 0 ? size : 1);
    HN_CHECK(copy != NULL);
    if (size != 0)
        memcpy(copy, from, size);
    return copy;
}

hn_sim_disk *hn_sim_disk_clone(const hn_sim_disk *disk)
{
    HN_CHECK(disk->write_count == 0);
    hn_sim_disk *clone = copy_of(disk, sizeof *disk);
    clone->states = copy_of(disk->states, CHANGES_MAX * sizeof *disk->states);
    for (int i = 0; i < FILES_MAX; i++) {
        if (disk->files[i].capacity == 0)
            continue;
        clone->files[i].visible = copy_of(disk->files[i].visible, disk->files[i].capacity);
        clone->files[i].medium = copy_of(disk->files[i].medium, disk->files[i].capacity);
    }
    for (size_t i = 0; i < disk->recent_count; i++) {
        clone->recent[i].before = copy_of(disk->recent[i].before, disk->recent[i].size);
        clone->recent[i].after = copy_of(disk->recent[i].after, disk->recent[i].size);
    }
    return clone;
}

static void put(hn_sim_disk *disk, int to, uint64_t offset, const uint8_t *bytes, size_t size)
{
    file *changed = &disk->files[to];
    memcpy(changed->visible + offset, bytes, size);
    hn_sim_disk_grow_medium(changed, changed->visible_size);
    memcpy(changed->medium + offset, bytes, size);
}

/* Another of the newest writes went there: what it wrote is to stay, as the proof that there was one before.
 */
static bool was_written(const hn_sim_disk *disk, const recent_write *lost, uint64_t offset)
{
    for (size_t i = 0; i < disk->recent_count; i++) {
        const recent_write *other = &disk->recent[i];
        if (other != lost && other->file == lost->file && other->offset < offset + lost->size &&
            offset < other->offset + other->size)
            return true;
    }
    return false;
}

bool hn_sim_disk_lose_write(hn_sim_disk *disk, uint64_t *token, size_t back, bool is_misdirected)
{
    if (back >= disk->recent_count)
        return false;
    const recent_write *lost = &disk->recent[disk->recent_count - 1 - back];
    const file *of = &disk->files[lost->file];
    if (!of->is_used || lost->offset + lost->size > of->visible_size)
        return false;
    *token = lost->token;
    put(disk, lost->file, lost->offset, lost->before, lost->size);
    uint64_t places = (of->visible_size - lost->size) / disk->alignment + 1;
    uint64_t to = hn_prng_below(&disk->prng, places) * disk->alignment;
    if (is_misdirected && !was_written(disk, lost, to))
        put(disk, lost->file, to, lost->after, lost->size);
    return true;
}

size_t hn_sim_disk_list(const hn_sim_disk *disk, const char **names, size_t capacity)
{
    size_t count = 0;
    for (int i = 0; i < FILES_MAX && count < capacity; i++)
        if (hn_sim_directory_now(disk)->names[i].file >= 0)
            names[count++] = hn_sim_directory_now(disk)->names[i].text;
    return count;
}
