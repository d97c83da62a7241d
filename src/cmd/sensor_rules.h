#ifndef CMD_SENSOR_RULES_H
#define CMD_SENSOR_RULES_H

#include "fleet/apply.h"
#include "ingest/collector.h"

/* A sensor's document: what comes from the hub is kept in the sensor's folder, and becomes the
 * rules of its collector. */
struct sensor_rules;

struct sensor_rules_options {
    const char *site;
    const char *folder; /* gets document.json and anonymisation.keys */
    const struct site_document *first;
    const struct anon_policy *limit;
    int64_t window;
};

/* With the document that the folder has from before, if it will still do. */
enum err sensor_rules_new(struct sensor_rules **ret_rules,
    const struct sensor_rules_options *options, struct fault *f) MUST_CHECK;
/* After the collector is gone. NULL is fine. */
void sensor_rules_free(struct sensor_rules *r);

/* What came from the hub. */
void sensor_rules_offer(struct sensor_rules *r, struct bytes parcel);

struct collector_ruler sensor_rules_ruler(struct sensor_rules *r);
struct applier *sensor_rules_applier(struct sensor_rules *r);

#endif
