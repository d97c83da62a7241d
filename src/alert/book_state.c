/* The book between two runs: JSON, with each alert in the form that everybody reads. */
#include "alert/book_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    STATE_VERSION = 1
};

static json_t *track_json(const struct track *t)
{
    json_t *scores = json_array();
    json_t *said = json_array();
    for (size_t i = 0; i < t->alert.engine_count; i++) {
        if (json_array_append_new(scores, json_real(t->scores[i])) != 0 ||
            json_array_append_new(said, json_text(t->said[i], strlen(t->said[i]))) != 0) {
            json_decref(scores);
            json_decref(said);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:f, s:b, s:b}", "alert", alert_json(&t->alert),
        "last", json_time(t->last), "scores", scores, "said", said, "lead_severity",
        severity_name(t->lead_severity), "confidence", t->alert.confidence, "changed",
        (int)t->changed, "one_target", (int)t->one_target);
}

enum err alert_book_save(const struct alert_book *b, struct buf *out)
{
    json_t *tracks = json_array();
    for (size_t i = 0; i < b->count; i++)
        if (json_array_append_new(tracks, track_json(b->tracks[i])) != 0) {
            json_decref(tracks);
            return ERR_NOMEM;
        }
    json_t *state = json_pack("{s:i, s:o}", "version", STATE_VERSION, "tracks", tracks);
    if (!state)
        return ERR_NOMEM;
    json_write(out, state);
    json_decref(state);
    return out->err;
}

static bool read_scores(const json_t *scores, const json_t *said, struct track *t)
{
    size_t count = t->alert.engine_count;
    if (json_array_size(scores) != count || json_array_size(said) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *score = json_array_get(scores, i);
        const char *text = json_string_value(json_array_get(said, i));
        if (!json_is_number(score) || !text || strlen(text) >= sizeof t->said[i])
            return false;
        t->scores[i] = json_number_value(score);
        memcpy(t->said[i], text, strlen(text) + 1);
    }
    return true;
}

static enum err read_track(json_t *value, struct track *t, struct fault *f)
{
    json_t *alert = NULL;
    json_t *scores = NULL;
    json_t *said = NULL;
    const char *last = NULL;
    const char *severity = NULL;
    int lead = 0;
    int changed = 0;
    int one_target = 0; /* states of before do not tell */
    double confidence = 0.0;
    if (json_unpack(value, "{s:o, s:s, s:o, s:o, s?i, s:s, s:F, s:b, s?b !}", "alert", &alert,
            "last", &last, "scores", &scores, "said", &said, "lead", &lead, "lead_severity",
            &severity, "confidence", &confidence, "changed", &changed, "one_target",
            &one_target) != 0)
        return fault_set(f, ERR_BAD, "not the members of a kept alert");
    enum err e = alert_from_json(alert, &t->alert, f);
    if (e)
        return e;
    t->changed = changed != 0;
    t->one_target = one_target != 0;
    t->alert.confidence = confidence;
    if (lead < 0 || (size_t)lead >= t->alert.engine_count || confidence < 0.0 ||
        confidence > 1.0 || !read_scores(scores, said, t) ||
        severity_parse(severity, &t->lead_severity) || time_parse(last, &t->last)) {
        alert_done(&t->alert);
        return fault_set(f, ERR_BAD, "wrong value beside a kept alert");
    }
    track_put_first(t, (size_t)lead); /* states of before had it at any place */
    return OK;
}

static enum err read_tracks(struct alert_book *fresh, const json_t *tracks, struct fault *f)
{
    for (size_t i = 0; i < json_array_size(tracks); i++) {
        struct track *t = calloc(1, sizeof *t);
        if (!t)
            return fault_set(f, ERR_NOMEM, "out of memory");
        enum err e = read_track(json_array_get(tracks, i), t, f);
        if (!e)
            e = book_add(fresh, t);
        if (e) {
            track_free(t);
            return e;
        }
    }
    return OK;
}

enum err alert_book_load(struct alert_book *b, struct bytes saved, struct fault *f)
{
    json_error_t where;
    json_t *state =
        json_loadb((const char *)saved.at, saved.left, JSON_REJECT_DUPLICATES, &where);
    if (!state)
        return fault_set(
            f, ERR_BAD, "alert state: offset %d: %.200s", where.position, where.text);
    struct alert_book fresh = *b;
    fresh.tracks = NULL;
    fresh.pending = NULL;
    fresh.count = fresh.room = fresh.pending_count = fresh.pending_room = 0;
    const json_t *tracks = json_object_get(state, "tracks");
    enum err e = OK;
    if (json_integer_value(json_object_get(state, "version")) != STATE_VERSION ||
        !json_is_array(tracks) || json_object_size(state) != 2)
        e = fault_set(f, ERR_BAD, "not a kept state of version %d", STATE_VERSION);
    else if (json_array_size(tracks) > 2 * b->most)
        e = fault_set(f, ERR_FULL, "more than %zu alerts", 2 * b->most);
    if (!e)
        e = read_tracks(&fresh, tracks, f);
    json_decref(state);
    if (e) {
        book_clear(&fresh);
        fault_prefix(f, "alert state");
        return e;
    }
    book_clear(b);
    *b = fresh;
    return OK;
}
