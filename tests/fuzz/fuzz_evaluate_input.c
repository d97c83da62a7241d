/* The files that `kizashi evaluate` compares: alerts as lines, and host counts as CSV. Whatever
 * they hold, what is taken keeps within its bounds and can be sorted. */
#include "base/clock.h"
#include "evaluate/host_counts.h"
#include "evaluate/warning.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The readers take paths; a file in memory has one. */
static int file_of(const uint8_t *data, size_t size, char path[32])
{
    int file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

static void read_alerts(const char *path)
{
    struct warnings w = {0};
    struct fault f;
    if (warnings_read(&w, path, SEVERITY_INFO, &f) == OK)
        for (size_t i = 0; i < w.count; i++)
            if (w.list[i].port_count > FINDING_PORTS || w.list[i].lines == 0)
                abort();
    warnings_done(&w);
}

static void read_counts(const char *path)
{
    struct host_counts h = {.window = 10 * US_MINUTE};
    struct fault f;
    if (host_counts_read(&h, path, &f) == OK) {
        host_counts_sort(&h);
        for (size_t i = 0; i < h.count; i++)
            if (h.rows[i].site >= h.site_count || h.rows[i].window >= h.windows)
                abort();
    }
    host_counts_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    int file = file_of(data, size, path);
    read_alerts(path);
    read_counts(path);
    close(file);
    return 0;
}
