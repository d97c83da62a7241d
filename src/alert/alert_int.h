#ifndef ALERT_ALERT_INT_H
#define ALERT_ALERT_INT_H

#include "alert/alert.h"

#include <stdbool.h>

enum {
    ALERT_ENGINES = 8,
    ALERT_ENGINE_TEXT = 16,
    ALERT_RELATED = 4
};

/* An alert and what merging has to remember beside it. */
struct track {
    struct alert alert;
    int64_t last;                  /* time of the last finding */
    double scores[ALERT_ENGINES];  /* of the strongest finding of each engine */
    char said[ALERT_ENGINES][480]; /* its explanation */
    enum severity lead_severity;   /* of the first engine, whose finding gave the title */
    bool one_target;               /* so said one of its findings */
    bool changed;
};

/* Do findings of these kinds, about the same ports, become one alert? */
bool kinds_join(const char *kind, const char *other);
/* Do the finding and the alert tell of the same thing? */
bool track_matches(const struct track *t, const struct finding *f, int64_t quiet);
/* Begin an alert with its first finding. */
enum err track_begin(struct track *t, const struct finding *f) MUST_CHECK;
/* Let it grow by one more. */
enum err track_grow(struct track *t, const struct finding *f) MUST_CHECK;
/* Put an engine of the alert before the others, in the place of the first. */
void track_put_first(struct track *t, size_t engine);
/* Put `other` among the related of `t` if hosts, or time and origin, tie them together. */
void track_relate(struct track *t, const struct track *other);

/* How likely the alert is true as it stands; `score` is the largest of its findings. */
double confidence_of(const struct alert *a, double score);

/* Is `value` evidence of the form that record/finding.h makes, for each engine in it? */
enum err evidence_check(const json_t *value, struct fault *f) MUST_CHECK;

#endif
