package import RingSystem
package import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SoftwareVerbs {
    package func createDomain(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle {
        try enter(.createDomain)
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.domains[handle.bits] = SoftwareFabric.Domain(owner: number, device: Self.index(of: device))
            return handle
        }
    }

    package func destroyDomain(_ domain: VerbsHandle) {
        fabric.state.withLock { state in
            if state.memories.values.contains(where: { $0.domain == domain.bits })
                || state.pairs.values.contains(where: { $0.domain == domain.bits })
            {
                state.violations.append("a domain was destroyed before what belongs to it")
            }
            state.domains[domain.bits] = nil
        }
    }

    package func registerMemory(
        _ domain: VerbsHandle, _ memory: UnsafeMutableRawBufferPointer, _ access: MemoryAccess
    ) throws(SystemError) -> RegisteredMemory {
        try enter(.registerMemory)
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            let start = UInt(bitPattern: memory.baseAddress)
            state.memories[handle.bits] = SoftwareFabric.Memory(
                owner: number, domain: domain.bits, range: start..<(start + UInt(memory.count)),
                access: access)
            return RegisteredMemory(
                handle: handle, localKey: UInt32(handle.bits), remoteKey: UInt32(handle.bits))
        }
    }

    package func deregisterMemory(_ memory: VerbsHandle) {
        fabric.state.withLock { state in
            if let range = state.memories[memory.bits]?.range, state.isUnderWay(in: range, of: number) {
                state.violations.append("memory was given back that a request uses")
            }
            state.memories[memory.bits] = nil
        }
    }

    package func createCompletionChannel(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle {
        try enter(.createCompletionChannel)
        let wakeUp = try WakeUp()
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.completionChannels[handle.bits] = SoftwareFabric.CompletionEvents(
                owner: number, wakeUp: wakeUp)
            return handle
        }
    }

    package func destroyCompletionChannel(_ channel: VerbsHandle) {
        fabric.state.withLock { state in
            if state.completionQueues.values.contains(where: { $0.channel == channel.bits }) {
                state.violations.append("a completion channel was destroyed before its queue")
            }
            state.completionChannels[channel.bits] = nil
        }
    }

    package func descriptor(ofCompletionChannel channel: VerbsHandle) -> Int32 {
        fabric.state.withLock { $0.completionChannels[channel.bits]!.wakeUp.descriptor }
    }

    package func takeCompletionEvent(_ channel: VerbsHandle) throws(SystemError) -> Bool {
        try enter(.takeCompletionEvent)
        return fabric.state.withLock { state in
            guard let events = state.completionChannels[channel.bits], events.count > 0 else { return false }
            state.completionChannels[channel.bits]!.count -= 1
            if events.count == 1 { events.wakeUp.reset() }
            return true
        }
    }

    package func createCompletionQueue(
        _ device: VerbsHandle, entries: Int32, channel: VerbsHandle
    ) throws(SystemError) -> VerbsHandle {
        try enter(.createCompletionQueue)
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.completionQueues[handle.bits] = SoftwareFabric.Completions(
                owner: number, channel: channel.bits, capacity: Int(entries))
            return handle
        }
    }

    package func destroyCompletionQueue(_ queue: VerbsHandle) {
        fabric.state.withLock { state in
            if state.pairs.values.contains(where: { $0.completions == queue.bits }) {
                state.violations.append("a completion queue was destroyed before its queue pair")
            }
            state.completionQueues[queue.bits] = nil
        }
    }

    package func requestNotification(_ queue: VerbsHandle, solicitedOnly: Bool) throws(SystemError) {
        try enter(.requestNotification)
        fabric.state.withLock { state in
            let isForAll = state.completionQueues[queue.bits]!.notice == .ofAll || !solicitedOnly
            state.completionQueues[queue.bits]!.notice = isForAll ? .ofAll : .ofSolicited
        }
    }

    package func poll(
        _ queue: VerbsHandle, into completions: UnsafeMutableBufferPointer<Completion>
    ) throws(SystemError) -> Int {
        try enter(.poll)
        return fabric.state.withLock { state in
            let entries = state.completionQueues[queue.bits]!.entries.prefix(min(16, completions.count))
            for (index, entry) in entries.enumerated() {
                completions[index] = entry
                // A send that has completed has left the queue, and all before it.
                if !entry.isReceive { state.retire(entry.number, queue: queue.bits) }
            }
            state.completionQueues[queue.bits]!.entries.removeFirst(entries.count)
            return entries.count
        }
    }

    package func text(ofStatus status: Int32) -> String {
        switch status {
        case CompletionStatus.success: "success"
        case CompletionStatus.localProtection: "local protection error"
        case CompletionStatus.flushed: "flushed"
        case CompletionStatus.remoteAccess: "remote access error"
        case CompletionStatus.retriesExceeded: "retries exceeded"
        case CompletionStatus.receiverNotReady: "receiver not ready"
        default: "status \(status)"
        }
    }

    package func createQueuePair(
        _ domain: VerbsHandle, completions: VerbsHandle, _ sizes: QueueSizes
    ) throws(SystemError) -> CreatedQueuePair {
        try enter(.createQueuePair)
        return fabric.state.withLock { state in
            let handle = state.nextHandle()
            state.pairs[handle.bits] = SoftwareFabric.Pair(
                owner: number, domain: domain.bits, completions: completions.bits, sizes: sizes)
            return CreatedQueuePair(
                handle: handle, number: UInt32(handle.bits), inlineBytes: sizes.inlineBytes)
        }
    }

    package func destroyQueuePair(_ pair: VerbsHandle) {
        fabric.state.withLock { $0.pairs[pair.bits] = nil }
    }

    package func advance(
        _ pair: VerbsHandle, to state: QueuePairState, for identifier: VerbsHandle, _ path: PathSettings
    ) throws(SystemError) -> PathState {
        try enter(.advance)
        return try fabric.state.withLock { fabric throws(SystemError) in
            guard fabric.pairs[pair.bits]!.phase.rawValue == Int(state.rawValue) - 1 else {
                throw SystemError("advance", EINVAL)
            }
            if state == .readyToReceive {
                guard let peer = fabric.identifiers[identifier.bits]?.peerQueue else {
                    throw SystemError("advance", EINVAL)
                }
                fabric.pairs[pair.bits]!.peer = UInt(peer)
            }
            fabric.pairs[pair.bits]!.phase = SoftwareFabric.Pair.Phase(rawValue: Int(state.rawValue))!
            return PathState(
                mtu: state == .initialized ? 0 : min(path.mtu ?? 1024, 1024),
                readDepth: state == .initialized ? 0 : fabric.readDepth)
        }
    }

    package func fail(_ pair: VerbsHandle) throws(SystemError) {
        try enter(.fail)
        fabric.state.withLock { $0.fail(pair.bits) }
    }

    package func postReceives(
        _ pair: VerbsHandle, count: Int32, room: (memory: UnsafeMutableRawBufferPointer, localKey: UInt32)?
    ) throws(SystemError) {
        try enter(.postReceives)
        let range = room.map { room in
            let start = UInt(bitPattern: room.memory.baseAddress)
            return start..<(start + UInt(room.memory.count))
        }
        try fabric.state.withLock { state throws(SystemError) in
            guard let own = state.pairs[pair.bits], own.phase != .new else {
                throw SystemError("postReceives", EINVAL)
            }
            guard own.receives.count + Int(count) <= own.sizes.receives else {
                throw SystemError("postReceives", ENOMEM)
            }
            if own.phase == .failed {
                for _ in 0..<count {
                    state.complete(
                        own.completions, Completion(status: CompletionStatus.flushed, isReceive: true))
                }
            } else {
                state.pairs[pair.bits]!.receives += Array(repeating: range, count: Int(count))
            }
        }
    }

    package func postSend(_ pair: VerbsHandle, _ request: SendRequest) throws(SystemError) {
        try enter(.postSend)
        try fabric.state.withLock { state throws(SystemError) in
            try state.post(pair.bits, request)
        }
    }
}
