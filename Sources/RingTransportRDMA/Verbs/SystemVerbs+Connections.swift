#if RDMA
    import CRingVerbs
    package import RingSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    extension SystemVerbs {
        package func createEventChannel() throws(SystemError) -> VerbsHandle {
            var channel: UnsafeMutableRawPointer?
            try Self.check("rdma_create_event_channel", ring_event_channel_create(&channel))
            return VerbsHandle(channel!)
        }

        package func destroyEventChannel(_ channel: VerbsHandle) {
            ring_event_channel_destroy(channel.pointer)
        }

        package func descriptor(ofEventChannel channel: VerbsHandle) -> Int32 {
            ring_event_channel_descriptor(channel.pointer)
        }

        package func nextEvent(_ channel: VerbsHandle) throws(SystemError) -> ConnectionEvent? {
            while true {
                var event = ring_connection_event()
                let status = ring_event_channel_next(channel.pointer, &event)
                if status == EAGAIN || status == EINTR { return nil }
                try Self.check("rdma_get_cm_event", status)
                // Multicast's events are none of ours.
                guard let kind = ConnectionEvent.Kind(rawValue: event.kind) else { continue }
                return ConnectionEvent(
                    kind: kind, status: event.status, context: event.context,
                    request: event.request.map { VerbsHandle($0) },
                    data: withUnsafeBytes(of: event.data) { Array($0.prefix(Int(event.data_length))) })
            }
        }

        package func createIdentifier(_ channel: VerbsHandle, context: UInt64) throws(SystemError)
            -> VerbsHandle
        {
            var identifier: UnsafeMutableRawPointer?
            try Self.check("rdma_create_id", ring_identifier_create(channel.pointer, context, &identifier))
            return VerbsHandle(identifier!)
        }

        package func destroyIdentifier(_ identifier: VerbsHandle) {
            _ = ring_identifier_destroy(identifier.pointer)
        }

        package func setContext(_ context: UInt64, of identifier: VerbsHandle) {
            ring_identifier_set_context(identifier.pointer, context)
        }

        package func binding(of identifier: VerbsHandle) -> (device: VerbsHandle, port: UInt8)? {
            ring_identifier_device(identifier.pointer).map {
                (VerbsHandle($0), ring_identifier_port(identifier.pointer))
            }
        }

        package func localAddress(of identifier: VerbsHandle) -> SocketAddress? {
            ring_identifier_local_address(identifier.pointer).flatMap { SocketAddress($0) }
        }

        package func peerAddress(of identifier: VerbsHandle) -> SocketAddress? {
            ring_identifier_peer_address(identifier.pointer).flatMap { SocketAddress($0) }
        }

        package func setTrafficClass(_ trafficClass: UInt8, of identifier: VerbsHandle) throws(SystemError) {
            try Self.check(
                "rdma_set_option", ring_identifier_set_traffic_class(identifier.pointer, trafficClass))
        }

        package func bind(_ identifier: VerbsHandle, to address: SocketAddress) throws(SystemError) {
            try Self.check(
                "rdma_bind_addr",
                address.withSystemAddress { address, _ in ring_identifier_bind(identifier.pointer, address) })
        }

        package func listen(_ identifier: VerbsHandle, backlog: Int32) throws(SystemError) {
            try Self.check("rdma_listen", ring_identifier_listen(identifier.pointer, backlog))
        }

        package func resolveAddress(
            _ identifier: VerbsHandle, from source: SocketAddress?, to destination: SocketAddress,
            milliseconds: Int32
        ) throws(SystemError) {
            let status = destination.withSystemAddress { destination, _ in
                guard let source else {
                    return ring_identifier_resolve_address(identifier.pointer, nil, destination, milliseconds)
                }
                return source.withSystemAddress { source, _ in
                    ring_identifier_resolve_address(identifier.pointer, source, destination, milliseconds)
                }
            }
            try Self.check("rdma_resolve_addr", status)
        }

        package func resolveRoute(_ identifier: VerbsHandle, milliseconds: Int32) throws(SystemError) {
            try Self.check(
                "rdma_resolve_route", ring_identifier_resolve_route(identifier.pointer, milliseconds))
        }

        package func connect(
            _ identifier: VerbsHandle, _ parameters: ConnectionParameters
        ) throws(SystemError) {
            try Self.check(
                "rdma_connect", parameters.withNative { ring_identifier_connect(identifier.pointer, $0) })
        }

        package func accept(
            _ identifier: VerbsHandle, _ parameters: ConnectionParameters
        ) throws(SystemError) {
            try Self.check(
                "rdma_accept", parameters.withNative { ring_identifier_accept(identifier.pointer, $0) })
        }

        package func reject(_ identifier: VerbsHandle, _ data: [UInt8]) throws(SystemError) {
            try Self.check(
                "rdma_reject",
                data.withUnsafeBytes {
                    ring_identifier_reject(identifier.pointer, $0.baseAddress, UInt8($0.count))
                })
        }

        package func establish(_ identifier: VerbsHandle) throws(SystemError) {
            try Self.check("rdma_establish", ring_identifier_establish(identifier.pointer))
        }

        package func disconnect(_ identifier: VerbsHandle) throws(SystemError) {
            try Self.check("rdma_disconnect", ring_identifier_disconnect(identifier.pointer))
        }
    }

    extension ConnectionParameters {
        /// Runs `body` with the parameters as the shim takes them.
        fileprivate func withNative(_ body: (UnsafePointer<ring_connection_parameters>) -> Int32) -> Int32 {
            data.withUnsafeBytes { bytes in
                var native = ring_connection_parameters(
                    data: bytes.baseAddress, data_length: UInt8(bytes.count), retry_count: retryCount,
                    receiver_retry_count: receiverRetryCount, read_depth: readDepth, queue: queueNumber)
                return body(&native)
            }
        }
    }
#endif
