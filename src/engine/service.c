#include "engine/service.h"

#include <stdio.h>

const char *service_format(uint32_t service, char text[SERVICE_TEXT])
{
    char proto[PROTO_TEXT];
    proto_format(service_proto(service), proto);
    if (service < SERVICE_ICMP)
        snprintf(text, SERVICE_TEXT, "%u/%s", service_port(service), proto);
    else if (service < SERVICE_OTHER)
        snprintf(text, SERVICE_TEXT, "%s type %u", proto, service_port(service));
    else
        snprintf(text, SERVICE_TEXT, "protocol %s", proto);
    return text;
}
