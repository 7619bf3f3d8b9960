#include "CRingVerbs.h"

// Without the trait nothing of the system's RDMA libraries is compiled or linked.
#ifdef RDMA

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Why a call that makes something returned nothing.
static int failure(void) { return errno != 0 ? errno : EIO; }

// Some calls return the error's number, some -1 with it in errno.
static int checked(int status) { return status == 0 ? 0 : (status > 0 ? status : failure()); }

int ring_has_devices(void) {
  DIR *folder = opendir("/sys/class/infiniband");
  if (folder == NULL) return 0;
  int found = 0;
  struct dirent *entry;
  while (!found && (entry = readdir(folder)) != NULL) found = entry->d_name[0] != '.';
  closedir(folder);
  return found;
}

int ring_devices_denied(void) {
  DIR *folder = opendir("/sys/class/infiniband_verbs");
  if (folder == NULL) return 0;
  int denied = 0, allowed = 0;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    char path[300];
    if (strncmp(entry->d_name, "uverbs", 6) != 0) continue;
    (void)snprintf(path, sizeof path, "/dev/infiniband/%s", entry->d_name);
    if (access(path, R_OK | W_OK) == 0) allowed = 1;
    else if (errno == EACCES) denied = 1;
  }
  closedir(folder);
  return denied && !allowed;
}

int ring_devices_list(int32_t *count, void **list) {
  int found = 0;
  errno = 0;
  struct ibv_device **devices = ibv_get_device_list(&found);
  if (devices == NULL) return failure();
  *count = found;
  *list = devices;
  return 0;
}

void ring_devices_free(void *list) { ibv_free_device_list(list); }

const char *ring_devices_name(void *list, int32_t index) {
  return ibv_get_device_name(((struct ibv_device **)list)[index]);
}

int ring_device_open(void *list, int32_t index, void **device) {
  errno = 0;
  *device = ibv_open_device(((struct ibv_device **)list)[index]);
  if (*device != NULL) return 0;
  int number = failure();
  return ring_devices_denied() ? EACCES : number;
}

void ring_device_close(void *device) { (void)ibv_close_device(device); }

const char *ring_device_name(void *device) {
  return ibv_get_device_name(((struct ibv_context *)device)->device);
}

int ring_device_port_count(void *device, uint8_t *count) {
  struct ibv_device_attr attributes;
  int status = checked(ibv_query_device(device, &attributes));
  if (status == 0) *count = attributes.phys_port_cnt;
  return status;
}

static uint16_t bytes_of_mtu(enum ibv_mtu mtu) {
  return mtu >= IBV_MTU_256 && mtu <= IBV_MTU_4096 ? (uint16_t)(128u << mtu) : 0;
}

int ring_port_query(void *device, uint8_t port, ring_port *result) {
  struct ibv_port_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  int status = checked(ibv_query_port(device, port, &attributes));
  if (status != 0) return status;
  result->number = port;
  result->state = (uint8_t)attributes.state;
  // What says nothing is InfiniBand.
  result->link_layer = attributes.link_layer == IBV_LINK_LAYER_ETHERNET ? 2 : 1;
  result->active_mtu = bytes_of_mtu(attributes.active_mtu);
  result->max_mtu = bytes_of_mtu(attributes.max_mtu);
  result->gid_count = attributes.gid_tbl_len;
  return 0;
}

int ring_gid_query(void *device, uint8_t port, int32_t index, ring_gid *gid) {
  struct ibv_gid_entry entry;
  int status = checked(ibv_query_gid_ex(device, port, (uint32_t)index, &entry, 0));
  if (status != 0) return status;
  memcpy(gid->bytes, entry.gid.raw, sizeof gid->bytes);
  gid->type = (uint8_t)entry.gid_type;
  return 0;
}

int ring_domain_create(void *device, void **domain) {
  errno = 0;
  *domain = ibv_alloc_pd(device);
  return *domain != NULL ? 0 : failure();
}

int ring_domain_destroy(void *domain) { return checked(ibv_dealloc_pd(domain)); }

int ring_memory_register(void *domain, void *address, uint64_t length, int access, ring_memory *memory) {
  errno = 0;
  int remote = access == 1 ? IBV_ACCESS_REMOTE_WRITE : access == 2 ? IBV_ACCESS_REMOTE_READ : 0;
  struct ibv_mr *region = ibv_reg_mr(domain, address, length, IBV_ACCESS_LOCAL_WRITE | remote);
  if (region == NULL) return failure();
  memory->handle = region;
  memory->local_key = region->lkey;
  memory->remote_key = region->rkey;
  return 0;
}

int ring_memory_deregister(void *memory) { return checked(ibv_dereg_mr(memory)); }

int ring_completion_channel_create(void *device, void **result) {
  errno = 0;
  struct ibv_comp_channel *channel = ibv_create_comp_channel(device);
  if (channel == NULL) return failure();
  int flags = fcntl(channel->fd, F_GETFL);
  if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    int number = failure();
    (void)ibv_destroy_comp_channel(channel);
    return number;
  }
  *result = channel;
  return 0;
}

int ring_completion_channel_destroy(void *channel) { return checked(ibv_destroy_comp_channel(channel)); }

int ring_completion_channel_descriptor(void *channel) { return ((struct ibv_comp_channel *)channel)->fd; }

int ring_completion_channel_next(void *channel) {
  struct ibv_cq *queue;
  void *context;
  errno = 0;
  if (ibv_get_cq_event(channel, &queue, &context) != 0) return failure();
  ibv_ack_cq_events(queue, 1);
  return 0;
}

int ring_completion_queue_create(void *device, int32_t entries, void *channel, void **queue) {
  errno = 0;
  *queue = ibv_create_cq(device, entries, NULL, channel, 0);
  return *queue != NULL ? 0 : failure();
}

int ring_completion_queue_destroy(void *queue) { return checked(ibv_destroy_cq(queue)); }

int ring_completion_queue_request_notification(void *queue, int solicited_only) {
  return checked(ibv_req_notify_cq(queue, solicited_only));
}

int ring_completion_queue_poll(void *queue, int32_t most, ring_completion *completions) {
  struct ibv_wc native[16];
  int count = ibv_poll_cq(queue, most < 16 ? most : 16, native);
  for (int index = 0; index < count; index++) {
    completions[index].number = native[index].wr_id;
    completions[index].status = (int32_t)native[index].status;
    completions[index].length = native[index].byte_len;
    completions[index].immediate = ntohl(native[index].imm_data);
    // After a failure the opcode says nothing: a send's number has its lowest bit set, a receive's has not.
    completions[index].is_receive = (native[index].wr_id & 1) == 0;
    completions[index].has_immediate =
        native[index].status == IBV_WC_SUCCESS && (native[index].wc_flags & IBV_WC_WITH_IMM) != 0;
  }
  return count;
}

const char *ring_completion_status_text(int32_t status) {
  return ibv_wc_status_str((enum ibv_wc_status)status);
}

int ring_queue_pair_create(
    void *domain, void *completion_queue, uint32_t send_entries, uint32_t receive_entries, uint32_t inline_size,
    ring_queue_pair *result) {
  struct ibv_qp_init_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.send_cq = completion_queue;
  attributes.recv_cq = completion_queue;
  attributes.qp_type = IBV_QPT_RC;
  attributes.cap.max_send_wr = send_entries;
  attributes.cap.max_recv_wr = receive_entries;
  attributes.cap.max_send_sge = 1;
  attributes.cap.max_recv_sge = 1;
  attributes.cap.max_inline_data = inline_size;
  errno = 0;
  struct ibv_qp *pair = ibv_create_qp(domain, &attributes);
  if (pair == NULL && inline_size > 0) {
    // A device that cannot take so much inline says so in no other way.
    attributes.cap.max_inline_data = 0;
    errno = 0;
    pair = ibv_create_qp(domain, &attributes);
  }
  if (pair == NULL) return failure();
  result->handle = pair;
  result->number = pair->qp_num;
  result->inline_size = attributes.cap.max_inline_data;
  return 0;
}

int ring_queue_pair_destroy(void *pair) { return checked(ibv_destroy_qp(pair)); }

static enum ibv_mtu mtu_of_bytes(uint16_t bytes) {
  enum ibv_mtu mtu = IBV_MTU_256;
  while (mtu < IBV_MTU_4096 && (128u << (mtu + 1)) <= bytes) mtu++;
  return mtu;
}

static uint8_t at_most(uint8_t depth, int limit) { return limit < 0 ? 0 : depth < limit ? depth : (uint8_t)limit; }

int ring_queue_pair_advance(void *pair, void *identifier, int state, ring_path *path) {
  struct ibv_qp_attr attributes;
  int mask = 0;
  memset(&attributes, 0, sizeof attributes);
  attributes.qp_state = state == 1 ? IBV_QPS_INIT : state == 2 ? IBV_QPS_RTR : IBV_QPS_RTS;
  errno = 0;
  int status = checked(rdma_init_qp_attr(identifier, &attributes, &mask));
  if (status != 0) return status;
  if (state == 1) {
    mask |= IBV_QP_ACCESS_FLAGS;
    attributes.qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ;
  }
  if (mask & (IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MAX_QP_RD_ATOMIC)) {
    // The connection manager has what the ends have agreed on; a listener's end has not had its say yet.
    struct ibv_device_attr device;
    status = checked(ibv_query_device(((struct ibv_qp *)pair)->context, &device));
    if (status != 0) return status;
    if (mask & IBV_QP_MAX_DEST_RD_ATOMIC) {
      attributes.max_dest_rd_atomic = at_most(attributes.max_dest_rd_atomic, device.max_qp_rd_atom);
      path->read_depth = attributes.max_dest_rd_atomic;
    }
    if (mask & IBV_QP_MAX_QP_RD_ATOMIC) {
      attributes.max_rd_atomic = at_most(attributes.max_rd_atomic, device.max_qp_init_rd_atom);
      path->read_depth = attributes.max_rd_atomic;
    }
  }
  if (mask & IBV_QP_PATH_MTU) {
    uint16_t largest = bytes_of_mtu(attributes.path_mtu);
    if (path->mtu != 0 && path->mtu < largest) attributes.path_mtu = mtu_of_bytes(path->mtu);
    path->mtu = bytes_of_mtu(attributes.path_mtu);
  }
  if (mask & IBV_QP_AV) {
    if (path->traffic_class >= 0) attributes.ah_attr.grh.traffic_class = (uint8_t)path->traffic_class;
    if (path->service_level >= 0) attributes.ah_attr.sl = (uint8_t)path->service_level;
  }
  if ((mask & IBV_QP_RETRY_CNT) && path->retry_count >= 0) attributes.retry_cnt = (uint8_t)path->retry_count;
  if ((mask & IBV_QP_RNR_RETRY) && path->receiver_retry_count >= 0) {
    attributes.rnr_retry = (uint8_t)path->receiver_retry_count;
  }
  return checked(ibv_modify_qp(pair, &attributes, mask));
}

int ring_queue_pair_fail(void *pair) {
  struct ibv_qp_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.qp_state = IBV_QPS_ERR;
  return checked(ibv_modify_qp(pair, &attributes, IBV_QP_STATE));
}

int ring_queue_pair_post_receives(
    void *pair, int32_t count, void *address, uint32_t length, uint32_t local_key) {
  struct ibv_sge piece = {(uint64_t)(uintptr_t)address, length, local_key};
  struct ibv_recv_wr requests[32];
  while (count > 0) {
    int32_t now = count < 32 ? count : 32;
    memset(requests, 0, (size_t)now * sizeof requests[0]);
    for (int32_t index = 0; index < now; index++) {
      requests[index].next = index + 1 < now ? &requests[index + 1] : NULL;
      requests[index].sg_list = length > 0 ? &piece : NULL;
      requests[index].num_sge = length > 0 ? 1 : 0;
    }
    struct ibv_recv_wr *refused;
    int status = checked(ibv_post_recv(pair, requests, &refused));
    if (status != 0) return status;
    count -= now;
  }
  return 0;
}

int ring_queue_pair_post_send(void *pair, const ring_send_request *request) {
  struct ibv_sge piece = {(uint64_t)(uintptr_t)request->address, request->length, request->local_key};
  struct ibv_send_wr native;
  memset(&native, 0, sizeof native);
  native.wr_id = request->number;
  native.sg_list = request->length > 0 ? &piece : NULL;
  native.num_sge = request->length > 0 ? 1 : 0;
  native.opcode = request->kind == 0   ? IBV_WR_SEND
                  : request->kind == 1 ? IBV_WR_RDMA_WRITE
                  : request->kind == 2 ? IBV_WR_RDMA_WRITE_WITH_IMM
                                       : IBV_WR_RDMA_READ;
  native.send_flags = (request->is_signaled ? IBV_SEND_SIGNALED : 0) | (request->is_inline ? IBV_SEND_INLINE : 0) |
                      (request->is_solicited ? IBV_SEND_SOLICITED : 0);
  native.imm_data = htonl(request->immediate);
  native.wr.rdma.remote_addr = request->remote_address;
  native.wr.rdma.rkey = request->remote_key;
  struct ibv_send_wr *refused;
  return checked(ibv_post_send(pair, &native, &refused));
}

#endif
