#include "cmd/hardware.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <unistd.h>

#define UNKNOWN INT64_MIN

enum {
    SENSORS_MAX = 64
};

/* The first line of a small file; false: there is none. */
static bool line_read(const char *path, char *text, size_t len)
{
    FILE *file = fopen(path, "r");
    bool read = file && fgets(text, (int)len, file);
    if (file)
        fclose(file);
    return read;
}

/* How far the kernel still has to move the clock: what ntpd or chrony told it. Unknown while
 * the clock follows no source. */
static int64_t clock_offset(void)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    if (state < 0 || state == TIME_ERROR || t.status & STA_UNSYNC)
        return UNKNOWN;
    int64_t offset = t.status & STA_NANO ? t.offset / 1000 : t.offset;
    return -offset; /* the kernel's is what is to be added */
}

static void disk_look(const char *folder, struct hardware *h)
{
    struct statvfs v;
    if (statvfs(folder, &v) != 0)
        return;
    h->disk_free = (int64_t)(v.f_bavail * v.f_frsize);
    h->disk_size = (int64_t)(v.f_blocks * v.f_frsize);
}

static void memory_look(struct hardware *h)
{
    static const char total[] = "MemTotal:", available[] = "MemAvailable:";
    char line[256];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, total, sizeof total - 1) == 0)
            h->memory_size = strtoll(line + sizeof total - 1, NULL, 10) << 10;
        else if (strncmp(line, available, sizeof available - 1) == 0)
            h->memory_free = strtoll(line + sizeof available - 1, NULL, 10) << 10;
    }
    if (file)
        fclose(file);
}

/* Every temperature that hwmon(4) and the thermal zones give, in thousandths of a degree; what
 * no machine that still runs can have is a sensor that is not connected. */
static void temperature_take(const char *path, struct hardware *h)
{
    char text[64];
    if (!line_read(path, text, sizeof text))
        return;
    long value = strtol(text, NULL, 10) / 1000;
    if (value > 0 && value < 150 && value > h->temperature)
        h->temperature = value;
}

static void temperatures_look(struct hardware *h)
{
    char path[320];
    for (int i = 0; i < SENSORS_MAX; i++) {
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", i);
        if (access(path, R_OK) != 0)
            break;
        temperature_take(path, h);
    }
    for (int i = 0; i < SENSORS_MAX; i++) {
        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d", i);
        if (access(path, R_OK) != 0)
            break;
        for (int k = 1; k < SENSORS_MAX; k++) {
            snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/temp%d_input", i, k);
            if (access(path, R_OK) != 0)
                break;
            temperature_take(path, h);
        }
    }
}

/* SMART needs root and commands to the disk, which a sensor has given up: smartd(8), where it
 * runs with "-A" or "-s", leaves its attribute files; their last line tells reallocated (5),
 * pending (197) and uncorrectable (198) sectors as "ID;normalised;raw;". */
static int attributes_fail(const char *path)
{
    static const char *const marks[] = {"\t5;", "\t197;", "\t198;"};
    char tail[8192];
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    /* The file has all of the disk's life. Where it is shorter than the tail, the tail is it.
     */
    size_t len = 0;
    if (fseek(file, -(long)(sizeof tail - 1), SEEK_END) == 0 || fseek(file, 0, SEEK_SET) == 0)
        len = fread(tail, 1, sizeof tail - 1, file);
    fclose(file);
    while (len && tail[len - 1] == '\n')
        len--;
    tail[len] = 0;
    const char *end = strrchr(tail, '\n');
    const char *last = end ? end + 1 : tail;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(last, marks[i]);
        const char *raw = at ? strchr(at + strlen(marks[i]), ';') : NULL;
        if (raw && strtoll(raw + 1, NULL, 10) > 0)
            return 1;
    }
    return last[0] ? 0 : -1;
}

static void smart_look(struct hardware *h)
{
    static const char folder[] = "/var/lib/smartmontools";
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char path[512];
        size_t len = strlen(entry->d_name);
        if (strncmp(entry->d_name, "attrlog.", 8) != 0 || len < 12 ||
            strcmp(entry->d_name + len - 4, ".csv") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        int fails = attributes_fail(path);
        if (fails >= 0)
            h->smart_failing = (h->smart_failing == UNKNOWN ? 0 : h->smart_failing) + fails;
    }
    if (d)
        closedir(d);
}

void hardware_look(const char *folder, struct hardware *ret_hardware)
{
    struct hardware h = {
        UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
    struct sysinfo info;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    h.clock_offset_us = clock_offset();
    if (sysinfo(&info) == 0) {
        h.uptime = info.uptime;
        if (processors > 0)
            h.load_percent = (int64_t)((double)info.loads[0] / (1 << SI_LOAD_SHIFT) * 100 /
                                       (double)processors);
    }
    disk_look(folder, &h);
    memory_look(&h);
    temperatures_look(&h);
    smart_look(&h);
    *ret_hardware = h;
}
