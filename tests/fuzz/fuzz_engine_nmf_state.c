/* A state that nmf_load() takes is saved as the same bytes, and the engine works on from it. */
#include "engine/nmf/nmf.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_nmf, data, size);
    return 0;
}
