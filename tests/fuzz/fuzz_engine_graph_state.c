/* A state that graph_load() takes is saved as the same bytes, and the engine works on from it.
 */
#include "engine/graph/graph.h"
#include "engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_state_try(&engine_graph, data, size);
    return 0;
}
