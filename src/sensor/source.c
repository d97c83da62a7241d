#include "sensor/source.h"
