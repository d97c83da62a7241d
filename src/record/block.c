#include "record/block.h"
