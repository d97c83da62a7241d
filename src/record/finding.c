#include "record/finding.h"
