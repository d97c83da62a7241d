/* What a random line of a large table costs on this machine: when the next address depends on
 * it, when many reads go on together, and when each was asked for sixteen reads before. The
 * second is the floor of whatever looks up a source or a contact for each packet. */
#include "base/hash.h"
#include "base/memory.h"
#include "bench.h"

enum {
    LINE = 64,
    READS = 2000000,
    AHEAD = 16,
    ROUNDS = 5
};

static size_t place(uint64_t i, size_t lines)
{
    return hash_u64(i) % lines * LINE;
}

static void measure(size_t megabytes)
{
    const size_t bytes = megabytes << 20, lines = bytes / LINE;
    struct bench waits = {0}, together = {0}, asked = {0};
    uint64_t sum = 0;
    char name[64];
    uint8_t *table = memory_resize(NULL, 0, bytes);
    if (!table)
        return;
    for (size_t i = 0; i < bytes; i += LINE)
        table[i] = 1;
    for (int round = 0; round < ROUNDS; round++) {
        bench_begin(&waits);
        for (size_t i = 0; i < READS; i++)
            sum += table[place(i + sum, lines)];
        bench_end(&waits);
        bench_begin(&together);
        for (size_t i = 0; i < READS; i++)
            sum += table[place(i, lines)];
        bench_end(&together);
        bench_begin(&asked);
        for (size_t i = 0; i < READS; i++) {
            __builtin_prefetch(&table[place(i + AHEAD, lines)]);
            sum += table[place(i, lines)];
        }
        bench_end(&asked);
    }
    memory_free(table, bytes);
    snprintf(name, sizeof name, "%zu MB, one after another", megabytes);
    bench_print(&waits, name, "lines", sum ? READS : 0);
    snprintf(name, sizeof name, "%zu MB, together", megabytes);
    bench_print(&together, name, "lines", READS);
    snprintf(name, sizeof name, "%zu MB, asked for before", megabytes);
    bench_print(&asked, name, "lines", READS);
}

int main(void)
{
    for (size_t megabytes = 1; megabytes <= 512; megabytes *= 8)
        measure(megabytes);
    return 0;
}
