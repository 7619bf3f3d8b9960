// The calls of libibverbs and librdmacm that the RDMA transport makes, without their types: handles are pointers that
// only these functions look behind. A function that returns an int returns 0, or the error's number; nothing is left
// half done then. What it makes is stored through its last argument.
#pragma once

#include <stdint.h>

// Devices.

typedef struct {
  uint8_t number;
  uint8_t state;       // as enum ibv_port_state: 4 is active
  uint8_t link_layer;  // 1 InfiniBand, 2 Ethernet
  uint16_t active_mtu; // in bytes
  uint16_t max_mtu;
  int32_t gid_count;
} ring_port;

typedef struct {
  uint8_t bytes[16];
  uint8_t type; // 0 InfiniBand, 1 RoCE v1, 2 RoCE v2
} ring_gid;

// Whether the kernel has any device.
int ring_has_devices(void);
// Whether there are device files and this process may open none of them, which the libraries take for no device.
int ring_devices_denied(void);
// All devices, opened or not; to be freed. The count may be 0.
int ring_devices_list(int32_t *count, void **list);
void ring_devices_free(void *list);
const char *ring_devices_name(void *list, int32_t index);
int ring_device_open(void *list, int32_t index, void **device);
void ring_device_close(void *device);
const char *ring_device_name(void *device);
// Ports are numbered from 1.
int ring_device_port_count(void *device, uint8_t *count);
int ring_port_query(void *device, uint8_t port, ring_port *result);
// Whether the port's table has a GID at that index, and which.
int ring_gid_query(void *device, uint8_t port, int32_t index, ring_gid *gid);

// Connections. Events of all identifiers on a channel come through its descriptor, which does not block.

typedef struct {
  int32_t kind; // as enum rdma_cm_event_type
  int32_t status;
  uint64_t context;   // of the identifier that it concerns; for a request, of the listener
  void *request;      // for a request: the new identifier
  uint8_t data[256];
  uint8_t data_length;
} ring_connection_event;

typedef struct {
  const void *data;
  uint8_t data_length;
  uint8_t retry_count;
  uint8_t receiver_retry_count;
  uint8_t read_depth; // how many reads each way may be under way, as far as the device and the peer allow
  uint32_t queue; // the number of this end's queue pair
} ring_connection_parameters;

int ring_event_channel_create(void **channel);
void ring_event_channel_destroy(void *channel);
int ring_event_channel_descriptor(void *channel);
// The next event, acknowledged; EAGAIN if there is none.
int ring_event_channel_next(void *channel, ring_connection_event *event);

int ring_identifier_create(void *channel, uint64_t context, void **identifier);
int ring_identifier_destroy(void *identifier);
void ring_identifier_set_context(void *identifier, uint64_t context);
// The device that the identifier is bound to, or null; and the port.
void *ring_identifier_device(void *identifier);
uint8_t ring_identifier_port(void *identifier);
// Its own address, a sockaddr.
const void *ring_identifier_local_address(void *identifier);
const void *ring_identifier_peer_address(void *identifier);
int ring_identifier_set_traffic_class(void *identifier, uint8_t traffic_class);
int ring_identifier_bind(void *identifier, const void *address);
int ring_identifier_listen(void *identifier, int backlog);
int ring_identifier_resolve_address(void *identifier, const void *source, const void *destination, int milliseconds);
int ring_identifier_resolve_route(void *identifier, int milliseconds);
int ring_identifier_connect(void *identifier, const ring_connection_parameters *parameters);
int ring_identifier_accept(void *identifier, const ring_connection_parameters *parameters);
int ring_identifier_reject(void *identifier, const void *data, uint8_t data_length);
int ring_identifier_establish(void *identifier);
int ring_identifier_disconnect(void *identifier);

// Memory and queues.

typedef struct {
  void *handle;
  uint32_t local_key;
  uint32_t remote_key;
} ring_memory;

int ring_domain_create(void *device, void **domain);
int ring_domain_destroy(void *domain);
// Registers memory, for the peer to write to as well (1), or to read from (2), or neither (0).
int ring_memory_register(void *domain, void *address, uint64_t length, int access, ring_memory *memory);
int ring_memory_deregister(void *memory);

int ring_completion_channel_create(void *device, void **channel);
int ring_completion_channel_destroy(void *channel);
int ring_completion_channel_descriptor(void *channel);
// Takes one event, acknowledged; EAGAIN if there is none.
int ring_completion_channel_next(void *channel);

typedef struct {
  uint64_t number; // of the work request
  int32_t status;  // as enum ibv_wc_status: 0 is success
  uint32_t length;
  uint32_t immediate;
  uint8_t is_receive;
  uint8_t has_immediate;
} ring_completion;

int ring_completion_queue_create(void *device, int32_t entries, void *channel, void **queue);
int ring_completion_queue_destroy(void *queue);
// Of the next completion, or of the next that is solicited or in error.
int ring_completion_queue_request_notification(void *queue, int solicited_only);
// Takes at most `most` completions, 16 at a time; how many, or below 0.
int ring_completion_queue_poll(void *queue, int32_t most, ring_completion *completions);
const char *ring_completion_status_text(int32_t status);

typedef struct {
  void *handle;
  uint32_t number;
  uint32_t inline_size; // granted
} ring_queue_pair;

int ring_queue_pair_create(
    void *domain, void *completion_queue, uint32_t send_entries, uint32_t receive_entries, uint32_t inline_size,
    ring_queue_pair *pair);
int ring_queue_pair_destroy(void *pair);

// What is set on the way to the peer, where it is not left as the connection has it: 0, and below 0.
typedef struct {
  uint16_t mtu; // in bytes
  int16_t traffic_class;
  int16_t service_level;
  int16_t retry_count;
  int16_t receiver_retry_count;
  uint8_t read_depth; // as agreed: of reads that the peer has under way here (2), or this end there (3)
} ring_path;

// Takes the pair from one state to the next: 1 initialized, 2 ready to receive, 3 ready to send. The path's MTU is
// replaced by the one in use, and so is the depth of reads.
int ring_queue_pair_advance(void *pair, void *identifier, int state, ring_path *path);
// The queue pair's requests all end, those that come too.
int ring_queue_pair_fail(void *pair);

// Posts `count` receives; each has room for `length` bytes at `address`, or none.
int ring_queue_pair_post_receives(
    void *pair, int32_t count, void *address, uint32_t length, uint32_t local_key);

typedef struct {
  uint64_t number;
  const void *address;
  uint32_t length;
  uint32_t local_key;
  uint64_t remote_address;
  uint32_t remote_key;
  uint32_t immediate;
  uint8_t kind; // 0 send, 1 write, 2 write with immediate, 3 read
  uint8_t is_signaled;
  uint8_t is_inline;
  uint8_t is_solicited;
} ring_send_request;

int ring_queue_pair_post_send(void *pair, const ring_send_request *request);
