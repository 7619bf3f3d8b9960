package import RingSystem
package import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SoftwareVerbs {
    package func createEventChannel() throws(SystemError) -> VerbsHandle {
        try enter(.createEventChannel)
        let wakeUp = try WakeUp()
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.eventChannels[handle.bits] = SoftwareFabric.EventQueue(owner: number, wakeUp: wakeUp)
            return handle
        }
    }

    package func destroyEventChannel(_ channel: VerbsHandle) {
        fabric.state.withLock { state in
            if state.identifiers.values.contains(where: { $0.channel == channel.bits }) {
                state.violations.append("an event channel was destroyed before its identifiers")
            }
            state.eventChannels[channel.bits] = nil
        }
    }

    package func descriptor(ofEventChannel channel: VerbsHandle) -> Int32 {
        fabric.state.withLock { $0.eventChannels[channel.bits]!.wakeUp.descriptor }
    }

    package func nextEvent(_ channel: VerbsHandle) throws(SystemError) -> ConnectionEvent? {
        try enter(.nextEvent)
        return fabric.state.withLock { state in
            guard let queue = state.eventChannels[channel.bits], !queue.events.isEmpty else {
                state.eventChannels[channel.bits]?.wakeUp.reset()
                return nil
            }
            return state.eventChannels[channel.bits]!.events.removeFirst()
        }
    }

    package func createIdentifier(_ channel: VerbsHandle, context: UInt64) throws(SystemError) -> VerbsHandle
    {
        try enter(.createIdentifier)
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.identifiers[handle.bits] = SoftwareFabric.Identifier(
                owner: number, channel: channel.bits, context: context)
            return handle
        }
    }

    package func destroyIdentifier(_ identifier: VerbsHandle) {
        fabric.state.withLock { $0.forget(identifier.bits) }
    }

    package func setContext(_ context: UInt64, of identifier: VerbsHandle) {
        fabric.state.withLock { $0.identifiers[identifier.bits]!.context = context }
    }

    package func binding(of identifier: VerbsHandle) -> (device: VerbsHandle, port: UInt8)? {
        fabric.state.withLock { state in
            state.identifiers[identifier.bits]?.device.map { (Self.handle(ofDevice: $0), 1) }
        }
    }

    package func localAddress(of identifier: VerbsHandle) -> SocketAddress? {
        fabric.state.withLock { $0.identifiers[identifier.bits]?.address }
    }

    package func peerAddress(of identifier: VerbsHandle) -> SocketAddress? {
        fabric.state.withLock { state in
            state.identifiers[identifier.bits]?.peer.flatMap { state.identifiers[$0]?.address }
        }
    }

    package func setTrafficClass(_ trafficClass: UInt8, of identifier: VerbsHandle) throws(SystemError) {
        try enter(.setTrafficClass)
    }

    package func bind(_ identifier: VerbsHandle, to address: SocketAddress) throws(SystemError) {
        try enter(.bind)
        try fabric.state.withLock { state throws(SystemError) in
            guard let device = state.device(at: address) else { throw SystemError("bind", ENODEV) }
            var address = address
            if address.port == 0 { address.port = UInt16(30_000 + state.nextNumber() % 30_000) }
            if state.listeners[address] != nil { throw SystemError("bind", EADDRINUSE) }
            state.identifiers[identifier.bits]!.device = device
            state.identifiers[identifier.bits]!.address = address
        }
    }

    package func listen(_ identifier: VerbsHandle, backlog: Int32) throws(SystemError) {
        try enter(.listen)
        try fabric.state.withLock { state throws(SystemError) in
            guard let address = state.identifiers[identifier.bits]?.address else {
                throw SystemError("listen", EINVAL)
            }
            state.listeners[address] = identifier.bits
            state.identifiers[identifier.bits]!.phase = .listening
        }
    }

    package func resolveAddress(
        _ identifier: VerbsHandle, from source: SocketAddress?, to destination: SocketAddress,
        milliseconds: Int32
    ) throws(SystemError) {
        try enter(.resolveAddress)
        let outcome = outcome(.resolveAddress)
        fabric.state.withLock { state in
            let context = state.identifiers[identifier.bits]!.context
            guard outcome == nil, let device = state.device(at: destination) else {
                let kind = outcome ?? .addressFailed
                return state.tell(
                    identifier.bits, ConnectionEvent(kind: kind, status: -ETIMEDOUT, context: context))
            }
            state.identifiers[identifier.bits]!.device = device
            state.identifiers[identifier.bits]!.address = source ?? state.devices[device].addresses.first
            state.identifiers[identifier.bits]!.target = destination
            state.tell(identifier.bits, ConnectionEvent(kind: .addressResolved, context: context))
        }
    }

    package func resolveRoute(_ identifier: VerbsHandle, milliseconds: Int32) throws(SystemError) {
        try enter(.resolveRoute)
        let outcome = outcome(.resolveRoute)
        fabric.state.withLock { state in
            let context = state.identifiers[identifier.bits]!.context
            state.tell(
                identifier.bits,
                ConnectionEvent(
                    kind: outcome ?? .routeResolved, status: outcome == nil ? 0 : -ENETUNREACH,
                    context: context))
        }
    }

    package func connect(
        _ identifier: VerbsHandle, _ parameters: ConnectionParameters
    ) throws(SystemError) {
        try enter(.connect)
        fabric.state.withLock { state in
            let own = state.identifiers[identifier.bits]!
            if parameters.data.count > 56 { state.violations.append("a request of more than 56 bytes") }
            guard let listener = own.target.flatMap({ state.listeners[$0] }),
                let listening = state.identifiers[listener]
            else {
                return state.tell(
                    identifier.bits, ConnectionEvent(kind: .rejected, status: 8, context: own.context))
            }
            let request = state.nextHandle()
            state.identifiers[request.bits] = SoftwareFabric.Identifier(
                owner: listening.owner, channel: listening.channel, context: listening.context,
                phase: .requested, device: listening.device, address: listening.address,
                peer: identifier.bits, peerQueue: parameters.queueNumber)
            state.identifiers[identifier.bits]!.phase = .requesting
            state.identifiers[identifier.bits]!.peer = request.bits
            state.tell(
                listener,
                ConnectionEvent(
                    kind: .request, context: listening.context, request: request,
                    data: Self.padded(parameters.data, to: 56)))
        }
    }

    package func accept(
        _ identifier: VerbsHandle, _ parameters: ConnectionParameters
    ) throws(SystemError) {
        try enter(.accept)
        try fabric.state.withLock { state throws(SystemError) in
            if parameters.data.count > 196 { state.violations.append("an answer of more than 196 bytes") }
            guard let own = state.identifiers[identifier.bits], own.phase == .requested, let peer = own.peer,
                let other = state.identifiers[peer], other.phase == .requesting
            else { throw SystemError("accept", EINVAL) }
            state.identifiers[identifier.bits]!.phase = .answered
            state.identifiers[peer]!.phase = .answered
            state.identifiers[peer]!.peerQueue = parameters.queueNumber
            state.tell(
                peer,
                ConnectionEvent(
                    kind: .response, context: other.context, data: Self.padded(parameters.data, to: 196)))
        }
    }

    package func reject(_ identifier: VerbsHandle, _ data: [UInt8]) throws(SystemError) {
        try enter(.reject)
        fabric.state.withLock { state in
            if data.count > 148 { state.violations.append("a refusal of more than 148 bytes") }
            guard let peer = state.identifiers[identifier.bits]?.peer, let other = state.identifiers[peer]
            else { return }
            state.identifiers[identifier.bits]!.phase = .over
            state.identifiers[peer]!.phase = .over
            state.tell(
                peer,
                ConnectionEvent(
                    kind: .rejected, status: 28, context: other.context, data: Self.padded(data, to: 148)))
        }
    }

    package func establish(_ identifier: VerbsHandle) throws(SystemError) {
        try enter(.establish)
        try fabric.state.withLock { state throws(SystemError) in
            guard let own = state.identifiers[identifier.bits], own.phase == .answered, let peer = own.peer,
                let other = state.identifiers[peer]
            else { throw SystemError("establish", EINVAL) }
            state.identifiers[identifier.bits]!.phase = .connected
            state.identifiers[peer]!.phase = .connected
            state.tell(peer, ConnectionEvent(kind: .established, context: other.context))
        }
    }

    package func disconnect(_ identifier: VerbsHandle) throws(SystemError) {
        try enter(.disconnect)
        fabric.state.withLock { $0.disconnect(identifier.bits, tellingOwn: true) }
    }

    /// Data as the wire carries it: always the same length.
    private static func padded(_ data: [UInt8], to count: Int) -> [UInt8] {
        data + [UInt8](repeating: 0, count: max(0, count - data.count))
    }
}

extension SoftwareFabric.State {
    /// The device that an address belongs to.
    fileprivate func device(at address: SocketAddress) -> Int? {
        devices.firstIndex { $0.addresses.contains { $0.host == address.host } }
    }
}
