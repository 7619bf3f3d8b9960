#if RDMA
    import CRingVerbs
    package import RingSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    extension SystemVerbs {
        package func createDomain(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle {
            var domain: UnsafeMutableRawPointer?
            try Self.check("ibv_alloc_pd", ring_domain_create(device.pointer, &domain))
            return VerbsHandle(domain!)
        }

        package func destroyDomain(_ domain: VerbsHandle) { _ = ring_domain_destroy(domain.pointer) }

        package func registerMemory(
            _ domain: VerbsHandle, _ memory: UnsafeMutableRawBufferPointer, _ access: MemoryAccess
        ) throws(SystemError) -> RegisteredMemory {
            var region = ring_memory()
            try Self.check(
                "ibv_reg_mr",
                ring_memory_register(
                    domain.pointer, memory.baseAddress, UInt64(memory.count), access.rawValue, &region))
            return RegisteredMemory(
                handle: VerbsHandle(region.handle), localKey: region.local_key, remoteKey: region.remote_key)
        }

        package func deregisterMemory(_ memory: VerbsHandle) { _ = ring_memory_deregister(memory.pointer) }

        package func createCompletionChannel(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle {
            var channel: UnsafeMutableRawPointer?
            try Self.check(
                "ibv_create_comp_channel", ring_completion_channel_create(device.pointer, &channel))
            return VerbsHandle(channel!)
        }

        package func destroyCompletionChannel(_ channel: VerbsHandle) {
            _ = ring_completion_channel_destroy(channel.pointer)
        }

        package func descriptor(ofCompletionChannel channel: VerbsHandle) -> Int32 {
            ring_completion_channel_descriptor(channel.pointer)
        }

        package func takeCompletionEvent(_ channel: VerbsHandle) throws(SystemError) -> Bool {
            let status = ring_completion_channel_next(channel.pointer)
            if status == EAGAIN || status == EINTR { return false }
            try Self.check("ibv_get_cq_event", status)
            return true
        }

        package func createCompletionQueue(
            _ device: VerbsHandle, entries: Int32, channel: VerbsHandle
        ) throws(SystemError) -> VerbsHandle {
            var queue: UnsafeMutableRawPointer?
            try Self.check(
                "ibv_create_cq",
                ring_completion_queue_create(device.pointer, entries, channel.pointer, &queue))
            return VerbsHandle(queue!)
        }

        package func destroyCompletionQueue(_ queue: VerbsHandle) {
            _ = ring_completion_queue_destroy(queue.pointer)
        }

        package func requestNotification(_ queue: VerbsHandle, solicitedOnly: Bool) throws(SystemError) {
            try Self.check(
                "ibv_req_notify_cq",
                ring_completion_queue_request_notification(queue.pointer, solicitedOnly ? 1 : 0))
        }

        package func poll(
            _ queue: VerbsHandle, into completions: UnsafeMutableBufferPointer<Completion>
        ) throws(SystemError) -> Int {
            try withUnsafeTemporaryAllocation(of: ring_completion.self, capacity: 16) {
                native throws(SystemError) in
                let count = Int(
                    ring_completion_queue_poll(
                        queue.pointer, Int32(min(16, completions.count)), native.baseAddress))
                guard count >= 0 else { throw SystemError("ibv_poll_cq", EIO) }
                for index in 0..<count {
                    completions[index] = Completion(
                        number: native[index].number, status: native[index].status,
                        length: native[index].length, immediate: native[index].immediate,
                        isReceive: native[index].is_receive != 0,
                        hasImmediate: native[index].has_immediate != 0)
                }
                return count
            }
        }

        package func text(ofStatus status: Int32) -> String {
            String(cString: ring_completion_status_text(status))
        }

        package func createQueuePair(
            _ domain: VerbsHandle, completions: VerbsHandle, _ sizes: QueueSizes
        ) throws(SystemError) -> CreatedQueuePair {
            var pair = ring_queue_pair()
            try Self.check(
                "ibv_create_qp",
                ring_queue_pair_create(
                    domain.pointer, completions.pointer, UInt32(sizes.sends), UInt32(sizes.receives),
                    UInt32(sizes.inlineBytes), &pair))
            return CreatedQueuePair(
                handle: VerbsHandle(pair.handle), number: pair.number, inlineBytes: Int(pair.inline_size))
        }

        package func destroyQueuePair(_ pair: VerbsHandle) { _ = ring_queue_pair_destroy(pair.pointer) }

        package func advance(
            _ pair: VerbsHandle, to state: QueuePairState, for identifier: VerbsHandle, _ path: PathSettings
        ) throws(SystemError) -> PathState {
            var native = ring_path(
                mtu: UInt16(path.mtu ?? 0), traffic_class: path.trafficClass.map { Int16($0) } ?? -1,
                service_level: path.serviceLevel.map { Int16($0) } ?? -1,
                retry_count: path.retryCount.map { Int16($0) } ?? -1,
                receiver_retry_count: path.receiverRetryCount.map { Int16($0) } ?? -1, read_depth: 0)
            try Self.check(
                "ibv_modify_qp",
                ring_queue_pair_advance(pair.pointer, identifier.pointer, state.rawValue, &native))
            return PathState(mtu: Int(native.mtu), readDepth: Int(native.read_depth))
        }

        package func fail(_ pair: VerbsHandle) throws(SystemError) {
            try Self.check("ibv_modify_qp", ring_queue_pair_fail(pair.pointer))
        }

        package func postReceives(
            _ pair: VerbsHandle, count: Int32,
            room: (memory: UnsafeMutableRawBufferPointer, localKey: UInt32)?
        ) throws(SystemError) {
            try Self.check(
                "ibv_post_recv",
                ring_queue_pair_post_receives(
                    pair.pointer, count, room?.memory.baseAddress, UInt32(room?.memory.count ?? 0),
                    room?.localKey ?? 0))
        }

        package func postSend(_ pair: VerbsHandle, _ request: SendRequest) throws(SystemError) {
            var native = ring_send_request(
                number: request.number, address: request.bytes.baseAddress,
                length: UInt32(request.bytes.count), local_key: request.localKey,
                remote_address: request.remoteAddress, remote_key: request.remoteKey,
                immediate: request.immediate, kind: request.kind.rawValue,
                is_signaled: request.isSignaled ? 1 : 0, is_inline: request.isInline ? 1 : 0,
                is_solicited: request.isSolicited ? 1 : 0)
            try Self.check("ibv_post_send", ring_queue_pair_post_send(pair.pointer, &native))
        }
    }
#endif
