#include "engine/base/check.h"
#include "tests/sim/disk_internal.h"

#include <stdlib.h>

/* Counts an operation; false when the process is dead. */
static bool lives(hn_sim_disk *disk)
{
    disk->operations++;
    if (disk->faults.dies_after != 0 && --disk->faults.dies_after == 0)
        disk->is_dead = true;
    return !disk->is_dead;
}

/* The same for a synchronous call that changes something: it may fail. */
static hn_err begin(hn_sim_disk *disk)
{
    if (!lives(disk) || hn_sim_one_in(disk, disk->faults.call_fails_one_in))
        return HN_ERR_IO;
    return HN_OK;
}

static name *find(const hn_sim_disk *disk, const char *text)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (hn_sim_directory_now(disk)->names[i].file >= 0 &&
            strcmp(hn_sim_directory_now(disk)->names[i].text, text) == 0)
            return &hn_sim_directory_now(disk)->names[i];
    return NULL;
}

void hn_sim_disk_collect(hn_sim_disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++) {
        bool is_named = false;
        for (size_t state = 0; state < disk->state_count; state++)
            for (int n = 0; n < FILES_MAX; n++)
                is_named |= disk->states[state].names[n].file == i;
        for (int n = 0; n < HANDLES_MAX; n++)
            is_named |= disk->handles[n] == i;
        disk->files[i].is_used = disk->files[i].is_used && is_named;
    }
}

/* A new state of the directory, a copy of the newest. As a journal does, it commits by itself now and then.
 */
static void begin_change(hn_sim_disk *disk)
{
    if (disk->state_count == CHANGES_MAX) {
        disk->states[0] = *hn_sim_directory_now(disk);
        disk->state_count = 1;
        hn_sim_disk_collect(disk);
    }
    disk->states[disk->state_count] = *hn_sim_directory_now(disk);
    disk->state_count++;
}

static file *file_of(hn_sim_disk *disk, hn_io_file handle)
{
    HN_CHECK(handle >= 0 && handle < HANDLES_MAX && disk->handles[handle] >= 0);
    return &disk->files[disk->handles[handle]];
}

/* --- operations
 * --------------------------------------------------------------------------------------------- */

static hn_err disk_open(void *self, hn_io_file *out, const char *text, hn_io_mode mode)
{
    hn_sim_disk *disk = self;
    if (!lives(disk) || (mode != HN_IO_READ && hn_sim_one_in(disk, disk->faults.call_fails_one_in)))
        return HN_ERR_IO;
    name *entry = find(disk, text);
    if (mode == HN_IO_CREATE && entry != NULL)
        return HN_ERR_EXISTS;
    if (mode != HN_IO_CREATE && entry == NULL)
        return HN_ERR_NOT_FOUND;
    if (mode == HN_IO_CREATE) {
        begin_change(disk);
        int free_file = 0;
        while (disk->files[free_file].is_used)
            HN_CHECK(++free_file < FILES_MAX);
        entry = hn_sim_directory_now(disk)->names;
        while (entry->file >= 0)
            entry++;
        strncpy(entry->text, text, NAME_MAX_BYTES - 1);
        entry->file = free_file;
        file *created = &disk->files[free_file];
        created->is_used = true;
        created->visible_size = created->medium_size = 0;
    }
    int handle = 0;
    while (disk->handles[handle] >= 0)
        HN_CHECK(++handle < HANDLES_MAX);
    disk->handles[handle] = entry->file;
    *out = handle;
    return HN_OK;
}

static void disk_close(void *self, hn_io_file handle)
{
    hn_sim_disk *disk = self;
    if (!disk->is_dead)
        disk->handles[handle] = -1;
}

static hn_err disk_size(void *self, uint64_t *out, hn_io_file handle)
{
    if (!lives(self))
        return HN_ERR_IO;
    *out = file_of(self, handle)->visible_size;
    return HN_OK;
}

static hn_err disk_read(void *self, void *to, hn_io_file handle, uint64_t offset, size_t size)
{
    if (!lives(self))
        return HN_ERR_IO;
    const file *from = file_of(self, handle);
    if (offset > from->visible_size || size > from->visible_size - offset)
        return HN_ERR_TRUNCATED;
    if (size != 0)
        memcpy(to, from->visible + offset, size);
    return HN_OK;
}

static void grow(file *grown, uint64_t size)
{
    HN_CHECK(size <= FILE_BYTES_MAX);
    if (size > grown->capacity) {
        grown->capacity = size;
        grown->visible = realloc(grown->visible, size);
        grown->medium = realloc(grown->medium, size);
        HN_CHECK(grown->visible != NULL && grown->medium != NULL);
    }
    if (size > grown->visible_size)
        memset(grown->visible + grown->visible_size, 0, size - grown->visible_size);
    grown->visible_size = size;
}

void hn_sim_disk_grow_medium(file *grown, uint64_t size)
{
    if (size > grown->medium_size)
        memset(grown->medium + grown->medium_size, 0, size - grown->medium_size);
    grown->medium_size = size;
}

static hn_err disk_truncate(void *self, hn_io_file handle, uint64_t size)
{
    hn_sim_disk *disk = self;
    HN_TRY(begin(disk));
    file *changed = file_of(disk, handle);
    uint64_t growth = size > changed->visible_size ? size - changed->visible_size : 0;
    if (disk->faults.space_bytes != 0 && hn_sim_disk_used(disk) + growth > disk->faults.space_bytes)
        return HN_ERR_NO_SPACE;
    grow(changed, size);
    return HN_OK;
}

static hn_err disk_write(void *self, hn_io_file handle, uint64_t offset, hn_bytes data)
{
    if (((hn_sim_disk *)self)->is_dead)
        return HN_ERR_IO; /* its handles are gone */
    file *to = file_of(self, handle);
    if (offset + data.size > to->visible_size)
        HN_TRY(disk_truncate(self, handle, offset + data.size));
    HN_TRY(begin(self));
    if (data.size != 0)
        memcpy(to->visible + offset, data.data, data.size);
    return HN_OK;
}

static hn_err disk_sync(void *self, hn_io_file handle)
{
    HN_TRY(begin(self));
    file *synced = file_of(self, handle);
    hn_sim_disk_grow_medium(synced, synced->visible_size);
    if (synced->visible_size != 0)
        memcpy(synced->medium, synced->visible, synced->visible_size);
    return HN_OK;
}

static hn_err disk_rename(void *self, const char *from, const char *to)
{
    hn_sim_disk *disk = self;
    HN_TRY(begin(disk));
    if (find(disk, from) == NULL)
        return HN_ERR_NOT_FOUND;
    begin_change(disk);
    name *target = find(disk, to);
    if (target != NULL)
        target->file = -1;
    strncpy(find(disk, from)->text, to, NAME_MAX_BYTES - 1);
    return HN_OK;
}

static hn_err disk_remove(void *self, const char *text)
{
    hn_sim_disk *disk = self;
    HN_TRY(begin(disk));
    if (find(disk, text) == NULL)
        return HN_ERR_NOT_FOUND;
    begin_change(disk);
    find(disk, text)->file = -1;
    return HN_OK;
}

static hn_err disk_sync_directory(void *self)
{
    hn_sim_disk *disk = self;
    HN_TRY(begin(disk));
    disk->states[0] = *hn_sim_directory_now(disk);
    disk->state_count = 1;
    hn_sim_disk_collect(disk);
    return HN_OK;
}

static hn_err disk_list(void *self, void (*each)(void *context, const char *text), void *context)
{
    hn_sim_disk *disk = self;
    if (!lives(disk))
        return HN_ERR_IO;
    for (int i = FILES_MAX - 1; i >= 0; i--)
        if (hn_sim_directory_now(disk)->names[i].file >= 0)
            each(context, hn_sim_directory_now(disk)->names[i].text);
    return HN_OK;
}

/* --- asynchronous writes
 * ------------------------------------------------------------------------------------ */

static hn_err disk_submit_write(void *self, hn_io_file handle, uint64_t offset, hn_bytes data, uint64_t token)
{
    hn_sim_disk *disk = self;
    if (!lives(disk))
        return HN_ERR_IO;
    HN_CHECK(offset % disk->alignment == 0 && data.size % disk->alignment == 0 && data.size != 0 &&
             (uintptr_t)data.data % disk->alignment == 0);
    const file *to = file_of(disk, handle);
    HN_CHECK(offset + data.size <= to->visible_size);
    if (disk->write_count == WRITES_MAX || hn_sim_one_in(disk, disk->faults.busy_one_in))
        return HN_ERR_AGAIN;
    disk->writes[disk->write_count++] = (pending_write){
        .token = token,
        .offset = offset,
        .data = data,
        .file = disk->handles[handle],
        .is_stuck = hn_sim_one_in(disk, disk->faults.stuck_one_in),
    };
    return HN_OK;
}

void hn_sim_disk_tear(hn_sim_disk *disk, file *to, uint64_t offset, hn_bytes data)
{
    for (size_t at = 0; at < data.size; at += SECTOR) {
        size_t size = data.size - at < SECTOR ? data.size - at : SECTOR;
        if (offset + at + size <= to->medium_size && hn_sim_one_in(disk, 2))
            memcpy(to->medium + offset + at, data.data + at, size);
    }
}

/* Keeps what the newest durable writes wrote and overwrote. */
static void remember(hn_sim_disk *disk, const pending_write *write)
{
    if (disk->recent_count == RECENT_MAX) {
        free(disk->recent[0].before);
        free(disk->recent[0].after);
        memmove(disk->recent, disk->recent + 1, (RECENT_MAX - 1) * sizeof disk->recent[0]);
        disk->recent_count--;
    }
    recent_write *kept = &disk->recent[disk->recent_count++];
    *kept = (recent_write){
        .token = write->token,
        .offset = write->offset,
        .size = write->data.size,
        .file = write->file,
        .before = malloc(write->data.size),
        .after = malloc(write->data.size),
    };
    HN_CHECK(kept->before != NULL && kept->after != NULL);
    memcpy(kept->before, disk->files[write->file].visible + write->offset, write->data.size);
    memcpy(kept->after, write->data.data, write->data.size);
}

static size_t disk_poll(void *self, hn_io_completion *out, size_t capacity)
{
    hn_sim_disk *disk = self;
    size_t count = 0;
    (void)lives(disk);
    for (size_t i = 0; i < disk->write_count && count < capacity;) {
        pending_write *write = &disk->writes[i];
        if (!write->is_lost && !disk->is_dead &&
            (write->is_stuck || hn_sim_one_in(disk, disk->faults.stays_one_in))) {
            i++;
            continue;
        }
        hn_err err = write->is_lost || disk->is_dead ? HN_ERR_IO : HN_OK;
        file *to = &disk->files[write->file];
        if (err == HN_OK && hn_sim_one_in(disk, disk->faults.write_fails_one_in)) {
            hn_sim_disk_tear(disk, to, write->offset, write->data);
            err = HN_ERR_IO;
        }
        if (err == HN_OK) {
            remember(disk, write);
            memcpy(to->visible + write->offset, write->data.data, write->data.size);
            if (to->medium_size < to->visible_size)
                hn_sim_disk_grow_medium(to, to->visible_size);
            memcpy(to->medium + write->offset, write->data.data, write->data.size);
        }
        if (disk->is_dead && !write->is_lost) {
            out[count++] = (hn_io_completion){.token = write->token, .err = HN_ERR_IO};
            hn_sim_disk_tear(disk, to, write->offset, write->data);
        } else {
            out[count++] = (hn_io_completion){.token = write->token, .err = err};
        }
        *write = disk->writes[--disk->write_count];
    }
    return count;
}

static void disk_wait(void *self, uint64_t timeout_ns)
{
    (void)self;
    (void)timeout_ns;
}

static size_t disk_alignment(void *self)
{
    const hn_sim_disk *disk = self;
    return disk->alignment;
}

static const hn_io_operations operations = {
    .open = disk_open,
    .close = disk_close,
    .size = disk_size,
    .read = disk_read,
    .write = disk_write,
    .sync = disk_sync,
    .truncate = disk_truncate,
    .rename = disk_rename,
    .remove = disk_remove,
    .sync_directory = disk_sync_directory,
    .list = disk_list,
    .submit_write = disk_submit_write,
    .poll = disk_poll,
    .wait = disk_wait,
    .alignment = disk_alignment,
};

/* --- the disk itself
 * ---------------------------------------------------------------------------------------- */

hn_sim_disk *hn_sim_disk_create(uint64_t seed, size_t alignment)
{
    hn_sim_disk *disk = calloc(1, sizeof *disk);
    HN_CHECK(disk != NULL);
    hn_prng_init(&disk->prng, seed);
    disk->alignment = alignment;
    disk->states = calloc(CHANGES_MAX, sizeof *disk->states);
    HN_CHECK(disk->states != NULL);
    disk->state_count = 1;
    for (int i = 0; i < FILES_MAX; i++)
        disk->states[0].names[i].file = -1;
    for (int i = 0; i < HANDLES_MAX; i++)
        disk->handles[i] = -1;
    return disk;
}

void hn_sim_disk_destroy(hn_sim_disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++) {
        free(disk->files[i].visible);
        free(disk->files[i].medium);
    }
    for (size_t i = 0; i < disk->recent_count; i++) {
        free(disk->recent[i].before);
        free(disk->recent[i].after);
    }
    free(disk->states);
    free(disk);
}

hn_io hn_sim_disk_io(hn_sim_disk *disk)
{
    return (hn_io){.operations = &operations, .self = disk};
}

void hn_sim_disk_set_faults(hn_sim_disk *disk, const hn_sim_faults *faults)
{
    disk->faults = *faults;
}

bool hn_sim_disk_is_dead(const hn_sim_disk *disk)
{
    return disk->is_dead;
}

uint64_t hn_sim_disk_operations(const hn_sim_disk *disk)
{
    return disk->operations;
}

uint64_t hn_sim_disk_used(const hn_sim_disk *disk)
{
    uint64_t used = 0;
    for (int i = 0; i < FILES_MAX; i++)
        if (hn_sim_directory_now(disk)->names[i].file >= 0)
            used += disk->files[hn_sim_directory_now(disk)->names[i].file].visible_size;
    return used;
}

uint8_t *hn_sim_disk_file(hn_sim_disk *disk, const char *text, uint64_t *size)
{
    const name *entry = find(disk, text);
    if (entry == NULL)
        return NULL;
    *size = disk->files[entry->file].visible_size;
    return disk->files[entry->file].visible;
}
