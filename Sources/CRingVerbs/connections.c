#include "CRingVerbs.h"

// Without the trait nothing of the system's RDMA libraries is compiled or linked.
#ifdef RDMA

#include <errno.h>
#include <fcntl.h>
#include <rdma/rdma_cma.h>
#include <string.h>
#include <unistd.h>

// librdmacm's calls return -1 and leave the error's number in errno.
static int checked(int status) { return status == 0 ? 0 : (errno != 0 ? errno : EIO); }

int ring_event_channel_create(void **result) {
  // The library complains on standard error where the kernel has no RDMA.
  if (!ring_has_devices()) return ENODEV;
  if (ring_devices_denied()) return EACCES;
  errno = 0;
  struct rdma_event_channel *channel = rdma_create_event_channel();
  if (channel == NULL) {
    int number = errno != 0 ? errno : ENODEV;
    // The library looks for the file elsewhere then, and says that it is not there.
    return access("/dev/infiniband/rdma_cm", R_OK | W_OK) != 0 && errno == EACCES ? EACCES : number;
  }
  int flags = fcntl(channel->fd, F_GETFL);
  if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    int number = errno;
    rdma_destroy_event_channel(channel);
    return number;
  }
  *result = channel;
  return 0;
}

void ring_event_channel_destroy(void *channel) { rdma_destroy_event_channel(channel); }

int ring_event_channel_descriptor(void *channel) { return ((struct rdma_event_channel *)channel)->fd; }

int ring_event_channel_next(void *channel, ring_connection_event *result) {
  struct rdma_cm_event *event;
  int status = checked(rdma_get_cm_event(channel, &event));
  if (status != 0) return status;
  memset(result, 0, sizeof *result);
  result->kind = event->event;
  result->status = event->status;
  if (event->event == RDMA_CM_EVENT_CONNECT_REQUEST) {
    result->context = (uint64_t)(uintptr_t)event->listen_id->context;
    result->request = event->id;
  } else {
    result->context = (uint64_t)(uintptr_t)event->id->context;
  }
  if (event->param.conn.private_data != NULL) {
    result->data_length = event->param.conn.private_data_len;
    memcpy(result->data, event->param.conn.private_data, result->data_length);
  }
  // At once: whoever destroys an identifier waits until its events have been acknowledged.
  rdma_ack_cm_event(event);
  return 0;
}

int ring_identifier_create(void *channel, uint64_t context, void **result) {
  struct rdma_cm_id *identifier;
  int status = checked(rdma_create_id(channel, &identifier, (void *)(uintptr_t)context, RDMA_PS_TCP));
  if (status == 0) *result = identifier;
  return status;
}

int ring_identifier_destroy(void *identifier) { return checked(rdma_destroy_id(identifier)); }

void ring_identifier_set_context(void *identifier, uint64_t context) {
  ((struct rdma_cm_id *)identifier)->context = (void *)(uintptr_t)context;
}

void *ring_identifier_device(void *identifier) { return ((struct rdma_cm_id *)identifier)->verbs; }

uint8_t ring_identifier_port(void *identifier) { return ((struct rdma_cm_id *)identifier)->port_num; }

const void *ring_identifier_local_address(void *identifier) { return rdma_get_local_addr(identifier); }

const void *ring_identifier_peer_address(void *identifier) { return rdma_get_peer_addr(identifier); }

int ring_identifier_set_traffic_class(void *identifier, uint8_t traffic_class) {
  return checked(
      rdma_set_option(identifier, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS, &traffic_class, sizeof traffic_class));
}

int ring_identifier_bind(void *identifier, const void *address) {
  return checked(rdma_bind_addr(identifier, (struct sockaddr *)address));
}

int ring_identifier_listen(void *identifier, int backlog) { return checked(rdma_listen(identifier, backlog)); }

int ring_identifier_resolve_address(
    void *identifier, const void *source, const void *destination, int milliseconds) {
  return checked(rdma_resolve_addr(
      identifier, (struct sockaddr *)source, (struct sockaddr *)destination, milliseconds));
}

int ring_identifier_resolve_route(void *identifier, int milliseconds) {
  return checked(rdma_resolve_route(identifier, milliseconds));
}

static struct rdma_conn_param native(const ring_connection_parameters *parameters) {
  struct rdma_conn_param native;
  memset(&native, 0, sizeof native);
  native.private_data = parameters->data;
  native.private_data_len = parameters->data_length;
  native.retry_count = parameters->retry_count;
  native.rnr_retry_count = parameters->receiver_retry_count;
  native.qp_num = parameters->queue;
  return native;
}

int ring_identifier_connect(void *identifier, const ring_connection_parameters *parameters) {
  struct rdma_conn_param native_parameters = native(parameters);
  struct ibv_device_attr device;
  errno = 0;
  int status = checked(ibv_query_device(((struct rdma_cm_id *)identifier)->verbs, &device));
  if (status != 0) return status;
  int depth = parameters->read_depth;
  native_parameters.initiator_depth = (uint8_t)(device.max_qp_init_rd_atom < depth ? device.max_qp_init_rd_atom : depth);
  native_parameters.responder_resources = (uint8_t)(device.max_qp_rd_atom < depth ? device.max_qp_rd_atom : depth);
  return checked(rdma_connect(identifier, &native_parameters));
}

int ring_identifier_accept(void *identifier, const ring_connection_parameters *parameters) {
  struct rdma_conn_param native_parameters = native(parameters);
  // As the peer's request has it, as far as the device goes.
  native_parameters.initiator_depth = RDMA_MAX_INIT_DEPTH;
  native_parameters.responder_resources = RDMA_MAX_RESP_RES;
  return checked(rdma_accept(identifier, &native_parameters));
}

int ring_identifier_reject(void *identifier, const void *data, uint8_t data_length) {
  return checked(rdma_reject(identifier, data, data_length));
}

int ring_identifier_establish(void *identifier) { return checked(rdma_establish(identifier)); }

int ring_identifier_disconnect(void *identifier) { return checked(rdma_disconnect(identifier)); }

#endif
