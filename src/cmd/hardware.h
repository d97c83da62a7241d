#ifndef CMD_HARDWARE_H
#define CMD_HARDWARE_H

#include <stdint.h>

/* What a machine tells of itself without privileges: /proc, /sys and system calls. A figure
 * that it does not tell is INT64_MIN. */
struct hardware {
    int64_t clock_offset_us;      /* against the time source; positive: ahead */
    int64_t uptime;               /* s */
    int64_t load_percent;         /* of the last minute, against the processors */
    int64_t disk_free, disk_size; /* of the disk that a folder is on */
    int64_t memory_free, memory_size;
    int64_t temperature;   /* C, the hottest sensor */
    int64_t smart_failing; /* disks that say they will fail */
};
void hardware_look(const char *folder, struct hardware *ret_hardware);

#endif
