/* ICMPv6 of an ethdev port: echo and neighbour solicitation. Pure; private to this folder. */
#ifndef HN_PIPELINE_PORT_NEIGHBOUR_H
#define HN_PIPELINE_PORT_NEIGHBOUR_H

#include "pipeline/port/frame.h"

/* `frame` holds Ethernet and IPv6 headers, checked, and `length` bytes of ICMPv6 behind them. */
hn_frame_result hn_neighbour_answer(hn_port_counters *counters, uint8_t *frame, size_t length, size_t room,
                                    const hn_frame_identity *self);

#endif
