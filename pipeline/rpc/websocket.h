/* WebSocket connections: h2o's sockets under sessions. Only http.c, server.c and websocket.c include it.
 *
 * Messages are taken as request bodies; answers and notifications are put into a bounded queue, which is
 * written when the loop turns, so that what comes together goes together. A connection that has enough
 * unanswered, or enough unsent, is not read meanwhile; one whose queue passes its bound is closed with the
 * reason.
 */
#ifndef HN_PIPELINE_RPC_WEBSOCKET_H
#define HN_PIPELINE_RPC_WEBSOCKET_H

#include "pipeline/rpc/http.h"

/* The request wants to become a WebSocket. */
bool hn_rpc_websocket_is_wanted(const h2o_req_t *request);

/* Makes it one; false: the handshake is wrong (400) or memory is out. */
bool hn_rpc_websocket_accept(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger);

/* After each turn of the loop: writes what was queued, looks at clocks. True: the loop must not wait. */
bool hn_rpc_websockets_turn(hn_rpc_server *server, uint64_t now_ms);

/* Tells all that the server goes away, and lets them go. */
void hn_rpc_websockets_close(hn_rpc_server *server);

/* All at once, whatever is on its way. */
void hn_rpc_websockets_destroy(hn_rpc_server *server);

#endif
