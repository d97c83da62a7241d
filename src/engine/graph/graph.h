#ifndef ENGINE_GRAPH_GRAPH_H
#define ENGINE_GRAPH_GRAPH_H

#include "engine/engine.h"

/* Change points of the graph of who asks for what at a site, and the ports that explain them.
 * What it does and does not see: docs/engines/graph.md. Sources: the angle of the principal
 * direction after Ide, Kashima, "Eigenspace-based anomaly detection in computer systems", KDD
 * 2004; the baseline detector is ChangeFinder (num/sdar.h); the detector that is used bounds
 * its rate of false alarms (num/edetector.h). The choice of features and the search for the
 * ports that explain a change are this project's own.
 *
 * Windows of 5 minutes to 1 hour. Memory: 1.1 MiB a site, and for each window about 130 bytes a
 * contact. */
extern const struct engine engine_graph;

#endif
