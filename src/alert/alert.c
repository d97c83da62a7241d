#include "alert/alert_int.h"

#include "record/proto.h"

#include <math.h>
#include <string.h>

void alert_done(struct alert *a)
{
    json_decref(a->evidence);
    a->evidence = NULL;
}

/* An array of `count` texts that stand `stride` bytes apart. */
static json_t *text_array(const char *first, size_t count, size_t stride)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++) {
        const char *text = first + i * stride;
        if (json_array_append_new(array, json_text(text, strlen(text))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *port_array(const struct alert *a)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < a->port_count; i++)
        if (json_array_append_new(array, json_integer(a->ports[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *host_array(const struct alert *a)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < a->host_sample; i++) {
        char text[IP_TEXT];
        if (json_array_append_new(array, json_string(ip_format(&a->hosts[i], text))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *proto_json(uint8_t proto)
{
    char text[PROTO_TEXT];
    return proto ? json_string(proto_format(proto, text)) : json_null();
}

/* Two digits are all the truth there is in it, and keep the text short. */
static json_t *confidence_json(double confidence)
{
    return json_real(round(confidence * 100.0) / 100.0);
}

json_t *alert_json(const struct alert *a)
{
    const struct {
        const char *name;
        json_t *value;
    } members[] = {
        {"version", json_integer(ALERT_VERSION)},
        {"id", json_string(a->id)},
        {"time", json_time(a->time)},
        {"start", json_time(a->start)},
        {"end", json_time(a->end)},
        {"kind", json_string(a->kind)},
        {"engine", text_array(a->engines[0], a->engine_count, sizeof a->engines[0])},
        {"severity", json_string(severity_name(a->severity))},
        {"confidence", confidence_json(a->confidence)},
        {"title", json_text(a->title, strlen(a->title))},
        {"explanation", json_text(a->explanation, strlen(a->explanation))},
        {"proto", proto_json(a->proto)},
        {"ports", port_array(a)},
        {"sites", text_array(a->sites[0], a->site_count, sizeof a->sites[0])},
        {"countries", text_array(a->countries[0], a->country_count, sizeof a->countries[0])},
        {"host_count", json_integer((json_int_t)a->host_count)},
        {"hosts", host_array(a)},
        {"tool", a->tool[0] ? json_string(a->tool) : json_null()},
        {"evidence", a->evidence ? json_incref(a->evidence) : json_object()},
        {"related", text_array(a->related[0], a->related_count, sizeof a->related[0])},
        {"tlp", json_string(a->tlp)},
        {"status", json_string(a->open ? "open" : "closed")},
        {"revision", json_integer(a->revision)},
    };
    json_t *object = json_object();
    bool whole = object != NULL;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        whole &= json_object_set_new(object, members[i].name, members[i].value) == 0;
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}
