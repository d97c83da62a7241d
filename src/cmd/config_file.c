#include "cmd/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    CONFIG_CAP = 1 << 20
};

struct config_reader {
    const char *path;
    struct conf *conf;
    yaml_document_t *document;
    struct fault *fault;
};

static enum err at_line(
    const struct config_reader *r, const yaml_node_t *node, enum err e, const char *text)
{
    return fault_set(r->fault, e, "%s:%zu: %s", r->path, node->start_mark.line + 1, text);
}

static enum err value_take(
    struct config_reader *r, const char *name, const char *value, const yaml_node_t *node)
{
    struct fault f;
    enum err e = conf_set(r->conf, name, value, &f);
    return e ? at_line(r, node, e, f.text) : OK;
}

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                  : NULL;
}

/* "surge: {alpha: 0.01}" becomes "surge.alpha=0.01". */
static enum err settings_take(
    struct config_reader *r, const char *engine, const yaml_node_t *options)
{
    if (options->type != YAML_MAPPING_NODE)
        return at_line(r, options, ERR_BAD, "options of an engine are a mapping");
    for (yaml_node_pair_t *pair = options->data.mapping.pairs.start;
         pair < options->data.mapping.pairs.top; pair++) {
        const yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
        const char *name = scalar(yaml_document_get_node(r->document, pair->key));
        char setting[512];
        if (!name || !value || !scalar(value))
            return at_line(r, options, ERR_BAD, "an engine's option is a name and one value");
        if (snprintf(setting, sizeof setting, "%s.%s=%s", engine, name, scalar(value)) >=
            (int)sizeof setting)
            return at_line(r, value, ERR_RANGE, "the value is too long");
        enum err e = value_take(r, "set", setting, value);
        if (e)
            return e;
    }
    return OK;
}

static enum err engines_take(struct config_reader *r, const yaml_node_t *engines)
{
    enum err e = OK;
    for (yaml_node_pair_t *pair = engines->data.mapping.pairs.start;
         pair < engines->data.mapping.pairs.top && !e; pair++) {
        const char *engine = scalar(yaml_document_get_node(r->document, pair->key));
        const yaml_node_t *options = yaml_document_get_node(r->document, pair->value);
        e = engine ? settings_take(r, engine, options)
                   : at_line(r, engines, ERR_BAD, "the name of an engine is one word");
    }
    return e;
}

static enum err list_take(struct config_reader *r, const char *name, const yaml_node_t *list)
{
    enum err e = OK;
    for (yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top && !e; item++) {
        const yaml_node_t *value = yaml_document_get_node(r->document, *item);
        e = scalar(value) ? value_take(r, name, scalar(value), value)
                          : at_line(r, value, ERR_BAD, "a list holds plain values");
    }
    return e;
}

static enum err option_take(
    struct config_reader *r, const yaml_node_t *key, const yaml_node_t *value)
{
    const char *name = scalar(key);
    const struct conf_item *item = name ? conf_find(r->conf, name) : NULL;
    char text[200];
    if (!item) {
        snprintf(text, sizeof text, "there is no option \"%.80s\"", name ? name : "");
        return at_line(r, key, ERR_NOTFOUND, text);
    }
    if (conf_given(r->conf, name))
        return OK;
    if (scalar(value))
        return value_take(r, name, scalar(value), value);
    if (value->type == YAML_SEQUENCE_NODE &&
        (item->type == CONF_LIST || item->type == CONF_FILES))
        return list_take(r, name, value);
    if (value->type == YAML_MAPPING_NODE && strcmp(name, "set") == 0)
        return engines_take(r, value);
    snprintf(text, sizeof text, "%.80s takes one value", name);
    return at_line(r, value, ERR_BAD, text);
}

static enum err document_take(struct config_reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root)
        return OK;
    if (root->type != YAML_MAPPING_NODE)
        return at_line(r, root, ERR_BAD, "the file is not a mapping of options to values");
    enum err e = OK;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top && !e; pair++)
        e = option_take(r, yaml_document_get_node(r->document, pair->key),
            yaml_document_get_node(r->document, pair->value));
    return e;
}

static enum err text_take(
    struct conf *conf, const char *path, const uint8_t *text, size_t len, struct fault *f)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return fault_set(f, ERR_NOMEM, "%s: out of memory", path);
    yaml_parser_set_input_string(&parser, text, len);
    if (!yaml_parser_load(&parser, &document)) {
        enum err e = fault_set(f, ERR_BAD, "%s:%zu: %s", path, parser.problem_mark.line + 1,
            parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return e;
    }
    struct config_reader r = {path, conf, &document, f};
    enum err e = document_take(&r);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return e;
}

enum err config_file_read(struct conf *conf, const char *path, struct fault *f)
{
    FILE *file = fopen(path, "rb");
    uint8_t *text = file ? malloc(CONFIG_CAP + 1) : NULL;
    if (!text) {
        enum err e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return e;
    }
    size_t len = fread(text, 1, CONFIG_CAP + 1, file);
    enum err e = OK;
    if (ferror(file))
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    else if (len > CONFIG_CAP)
        e = fault_set(f, ERR_RANGE, "%s: longer than the %d bytes allowed", path, CONFIG_CAP);
    else
        e = text_take(conf, path, text, len, f);
    fclose(file);
    free(text);
    return e;
}
