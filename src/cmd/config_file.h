#ifndef CMD_CONFIG_FILE_H
#define CMD_CONFIG_FILE_H

#include "base/conf.h"

/**
 * Read options from a YAML file: a mapping whose keys are the names of options. A list stands
 * for an option given several times; under `set` a mapping of mappings stands for --set:
 *
 *     data: /var/lib/kizashi
 *     interface: [jp-01=eth1]
 *     set:
 *       surge: {alpha: 0.01}
 *
 * Options that were given on the command line keep their value. The fault names file and line.
 * At most 1 MiB, 4 levels.
 */
enum err config_file_read(struct conf *conf, const char *path, struct fault *f) MUST_CHECK;

#endif
